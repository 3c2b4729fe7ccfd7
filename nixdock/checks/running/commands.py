"""`exec`: a command between its setup and its teardown, wherever it is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nixdock.checks.expectations import judge_run
from nixdock.checks.model import Command
from nixdock.checks.running.performed import COMMAND_FAILURES, Performed, failed_command
from nixdock.checks.verdict import Finding
from nixdock.errors import CheckError, NixdockError
from nixdock.outcome import tail_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixdock.checks.model import ExecCheck
    from nixdock.outcome import RunOutcome

    Run = Callable[[Command, float], RunOutcome]

STEP_SECONDS: Final = 60.0
"""Seconds that a step of a setup or teardown may take."""


def perform_exec(check: ExecCheck, run: Run, timeout: float, *, reproduce: str) -> Performed:
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
                return Performed((meant,), reproduce=reproduce)
            outcome = meant
    finally:
        notes = _tear_down(check, run)
    findings = judge_run(check.command.expected, outcome)
    return Performed(findings, notes, reproduce).with_output(outcome)


def _tear_down(check: ExecCheck, run: Run) -> tuple[str, ...]:
    """Take all steps of a teardown; what fails is a remark, for the check has been judged."""
    notes: list[str] = []
    for words in check.teardown:
        try:
            _take_step("teardown", words, run)
        except NixdockError as error:
            notes.append(error.message)
    return tuple(notes)


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
