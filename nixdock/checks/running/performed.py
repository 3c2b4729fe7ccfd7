"""What came of doing what a check asks, before it is a verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nixdock.checks.running.hardening import name_refusals
from nixdock.checks.verdict import Finding, Status, Verdict
from nixdock.errors import (
    CheckError,
    CommandNotExecutableError,
    CommandNotFoundError,
    NixdockError,
)
from nixdock.outcome import RunOutcome, tail_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nixdock.checks.model import Check, Command

COMMAND_FAILURES = (CommandNotFoundError, CommandNotExecutableError)
"""What says something about the image, where other errors of an engine do not."""


@dataclass(frozen=True, slots=True)
class Performed:
    """One try of a check.

    Args:
        findings: What is not as expected.
        notes: Remarks that change nothing.
        reproduce: A command that does the same by hand.
        stdout: The last lines of standard output, to show with a failure.
        stderr: The same of standard error.
    """

    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    reproduce: str | None = None
    stdout: str | None = None
    stderr: str | None = None

    def with_output(self, outcome: RunOutcome) -> Performed:
        """Return it with the last lines of an outcome's output."""
        return replace(self, stdout=tail_of(outcome.stdout) or None, stderr=tail_of(outcome.stderr) or None)


def with_refusals(performed: Performed, body: Mapping[str, Any]) -> Performed:
    """Return it with remarks on what its container was refused, where it failed.

    Args:
        performed: A try.
        body: The request that created the container.
    """
    if not performed.findings:
        return performed
    found = [part for one in performed.findings for part in (one.message, one.details)]
    refused = name_refusals(body, (performed.stderr, performed.stdout, *found))
    return replace(performed, notes=(*performed.notes, *refused))


def failed_command(error: NixdockError, command: Command) -> RunOutcome | Finding:
    """Turn a command that could not be executed into what it means for a check.

    With an expected exit status of 126 or 127 it is the outcome that a shell would report.

    Args:
        error: One of `COMMAND_FAILURES`.
        command: What was to be run.

    Raises:
        CheckError: It is a program in the Nix store that nobody put into the container.
    """
    program = command.words[0] if command.words else ""
    if isinstance(error, CommandNotFoundError) and program.startswith("/nix/store/"):
        raise CheckError(
            f"{program} is neither in the image nor among the tools",
            hint="lend it: tools = [ ... ]; or name a program of the image",
        ) from error
    expected = command.expected
    if not expected.exit.judge(error.exit_code):
        return RunOutcome(error.exit_code, b"", error.message.encode())
    return Finding("command", error.message, error.hint)


def verdict_of(check: Check, performed: Performed, *, suite: str, seconds: float) -> Verdict:
    """Return the verdict of a try."""
    failed = bool(performed.findings)
    return Verdict(
        name=check.name,
        kind=check.kind,
        status=Status.FAIL if failed else Status.PASS,
        findings=performed.findings,
        notes=performed.notes,
        seconds=seconds,
        reproduce=performed.reproduce,
        suite=suite,
        place=check.place,
        stdout=performed.stdout if failed else None,
        stderr=performed.stderr if failed else None,
    )


def error_verdict(
    check: Check, message: str, *, suite: str, seconds: float = 0.0, details: str | None = None
) -> Verdict:
    """Return the verdict of a check that could not run."""
    return Verdict(
        name=check.name,
        kind=check.kind,
        status=Status.ERROR,
        findings=(Finding("", message, details),),
        seconds=seconds,
        suite=suite,
        place=check.place,
    )


def skip_verdict(check: Check, reason: str, *, suite: str) -> Verdict:
    """Return the verdict of a check that is not run."""
    return Verdict(
        name=check.name, kind=check.kind, status=Status.SKIP, reason=reason, suite=suite, place=check.place
    )
