"""`exec`: a command between its setup and its teardown, wherever it is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nixdock.checks.expectations import judge_outcome
from nixdock.checks.model import Command
from nixdock.checks.verdict import CheckResult, Finding
from nixdock.errors import CheckError, CommandNotExecutableError, CommandNotFoundError, NixdockError
from nixdock.outcome import RunOutcome, tail_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixdock.checks.kinds.exec import ExecCheck

    Run = Callable[[Command, float], RunOutcome]

COMMAND_FAILURES = (CommandNotFoundError, CommandNotExecutableError)
"""What says something about the image, where other errors of an engine do not."""

STEP_SECONDS: Final = 60.0
"""Seconds that a step of a setup or teardown may take."""


def perform_exec(check: ExecCheck, run: Run, timeout: float, *, reproduce: str) -> CheckResult:
    """Run a check's command and judge it.

    Args:
        check: The command, its setup and its teardown.
        run: Runs a command in the container, for so many seconds at most.
        timeout: Of the command itself.
        reproduce: How to do the same by hand.

    Raises:
        CheckError: A step of its setup failed.
        EngineError: The engine refused.
    """
    try:
        for words in check.setup:
            _take_step("setup", words, run)
        try:
            outcome = run(check.command, timeout)
        except COMMAND_FAILURES as error:
            meant = failed_command(error, check.command)
            if isinstance(meant, Finding):
                return CheckResult([meant], reproduce=reproduce)
            outcome = meant
    finally:
        notes = _tear_down(check, run)
    result = judge_outcome(check.command.expected, outcome)
    result.notes, result.reproduce = notes, reproduce
    return result


def _tear_down(check: ExecCheck, run: Run) -> list[str]:
    """Take all steps of a teardown; what fails is a remark, for the check has been judged."""
    notes: list[str] = []
    for words in check.teardown:
        try:
            _take_step("teardown", words, run)
        except NixdockError as error:
            notes.append(error.message)
    return notes


def _take_step(what: str, words: tuple[str, ...], run: Run) -> None:
    line = " ".join(words)
    try:
        outcome = run(Command(words), STEP_SECONDS)
    except COMMAND_FAILURES as error:
        raise CheckError(f"{what}: {line}: {error.message}") from error
    if outcome.timed_out:
        raise CheckError(f"{what}: {line}: it ran longer than {STEP_SECONDS:.0f} s")
    if outcome.exit_code:
        raise CheckError(
            f"{what}: {line}: exit status {outcome.exit_code}",
            details=tail_of(outcome.stderr) or tail_of(outcome.stdout) or None,
        )


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
