"""What is expected of one run of a command, and the judging of it.

The same judge serves the command line's `--expect...` options and the `run` and `exec` checks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.checks.format.matcher_shapes import NUMBER, TEXT
from nixdock.checks.format.records import key
from nixdock.checks.matchers.algebra import Matcher, Number, all_of, any_of, exactly
from nixdock.checks.matchers.text import Contains, Equals, Matches
from nixdock.checks.regex import compile_pattern
from nixdock.checks.verdict import CheckResult, Finding
from nixdock.errors import UsageError
from nixdock.outcome import Output, RunOutcome, tail_of
from nixdock.text import OUTPUT_LIMIT, read_bounded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


EXIT_ZERO = exactly(0)


@dataclass(frozen=True, slots=True)
class RunExpectation:
    """How a command must end and what it must write.

    Args:
        exit: Its exit status.
        stdout: Its standard output, or None where it does not matter.
        stderr: Its standard error, or None where it does not matter.
        starts: Whether it fails when it cannot be run at all, whatever exit status is expected.
    """

    exit: Matcher[Number] = key(NUMBER, "Its exit status; 0 unless told.", EXIT_ZERO)
    stdout: Matcher[Output] | None = key(TEXT, "Its standard output.")
    stderr: Matcher[Output] | None = key(TEXT, "Its standard error.")
    starts: bool = False

    @property
    def says_exit(self) -> bool:
        """Whether its exit status was asked for, rather than left at 0."""
        return self.exit is not EXIT_ZERO


def expectations_from_options(
    *,
    texts: Sequence[str] = (),
    regexes: Sequence[str] = (),
    stdout_files: Sequence[Path] = (),
    stderr_files: Sequence[Path] = (),
    exit_codes: Sequence[int] = (),
) -> RunExpectation | None:
    """Turn the `--expect...` options into one expectation, or None where none was given.

    Every text and every expression must be found in the standard output. A value that is exact
    cannot hold twice, so several files or exit statuses are alternatives: one of them must do.

    Args:
        texts: `--expect TEXT`.
        regexes: `--expect-regex RE`, in RE2.
        stdout_files: `--expect-stdout FILE`: the whole output, byte for byte.
        stderr_files: `--expect-stderr FILE`: the same of standard error.
        exit_codes: `--expect-exit N`; 0 is implied by any other expectation.

    Raises:
        UsageError: An expression that does not compile, or a file that cannot be read.
    """
    if not any((texts, regexes, stdout_files, stderr_files, exit_codes)):
        return None
    stdout: list[Matcher[Output]] = [Contains(text.encode(errors="surrogateescape")) for text in texts]
    stdout += [_matches(text) for text in regexes]
    if stdout_files:
        stdout.append(any_of(tuple(_equals("--expect-stdout", file) for file in stdout_files)))
    stderr = tuple(_equals("--expect-stderr", file) for file in stderr_files)
    codes = tuple(exactly(code) for code in exit_codes)
    return RunExpectation(
        exit=any_of(codes) if codes else EXIT_ZERO,
        stdout=all_of(tuple(stdout)) if stdout else None,
        stderr=any_of(stderr) if stderr else None,
    )


def judge_run(expectation: RunExpectation, outcome: RunOutcome) -> tuple[Finding, ...]:
    """Return everything about the outcome that is not as expected."""
    if outcome.timed_out:
        tail = tail_of(outcome.stdout) or tail_of(outcome.stderr)
        message = f"it did not end within its time and was killed after {outcome.seconds:.1f} s"
        return (Finding("timeout", message, tail or None),)
    found = [
        Finding("exit", wrong.message, tail_of(outcome.stderr) or None)
        for wrong in expectation.exit.judge(outcome.exit_code)
    ]
    found += _judge_stream("stdout", expectation.stdout, outcome.stdout, "stderr", outcome.stderr)
    found += _judge_stream("stderr", expectation.stderr, outcome.stderr, "stdout", outcome.stdout)
    return tuple(found)


def judge_outcome(expectation: RunExpectation, outcome: RunOutcome) -> CheckResult:
    """Return what is not as expected of the outcome, with the last lines of its output."""
    return CheckResult(
        list(judge_run(expectation, outcome)),
        stdout=tail_of(outcome.stdout) or None,
        stderr=tail_of(outcome.stderr) or None,
        seconds=outcome.seconds,
    )


def _judge_stream(
    name: str, matcher: Matcher[Output] | None, output: Output, other_name: str, other: Output
) -> list[Finding]:
    if matcher is None:
        return []
    mismatches = matcher.judge(output)
    # The commonest surprise: a program that writes to the other stream.
    elsewhere = f"; {other_name} has it" if mismatches and other and not matcher.judge(other) else ""
    return [Finding(name, wrong.message + elsewhere, wrong.details) for wrong in mismatches]


def _matches(text: str) -> Matches:
    try:
        return Matches(compile_pattern(text))
    except ValueError as error:
        raise UsageError(f"--expect-regex: {error}") from error


def _equals(option: str, file: Path) -> Equals:
    try:
        return Equals(read_bounded(file, OUTPUT_LIMIT, from_shell=True), str(file))
    except OSError as error:
        raise UsageError(f"{option}: cannot read {file}: {error.strerror}") from error
