"""What came of a check: findings and notes, the status that follows from them, and reports of many.

FAIL and ERROR are different things: a check that FAILs ran and said no; one that is an ERROR could
not run, and says nothing about the image.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nixdock.checks.files.entry import LayerEntry
    from nixdock.checks.matchers.algebra import Matcher, Mismatch
    from nixdock.errors import NixdockError
    from nixdock.outcome import Output

Judged = TypeVar("Judged")
ContentJudge = Callable[["Output"], "Iterable[Finding]"]

EXIT_PASSED = 0
EXIT_FAILED = 1
EXIT_ERROR = 122


class Status(Enum):
    """How a check ended."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a password
    FAIL = "FAIL"
    SKIP = "SKIP"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as expected, or one remark.

    Args:
        subject: What it is about, in the words of the check file: `stdout`, `config.User`.
        message: What was expected and what was found.
        details: Further lines to show as they are: a unified diff, a log's tail.
    """

    subject: str
    message: str
    details: str | None = None

    def __str__(self) -> str:
        return f"{self.subject}: {self.message}" if self.subject else self.message

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON; `details` only where there are some."""
        found = {"subject": self.subject, "message": self.message}
        return found if self.details is None else {**found, "details": self.details}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one check.

    Args:
        name: The check's name.
        kind: Its kind: `run`, `file`, ...
        status: How it ended.
        findings: Why, when it is not a PASS.
        reason: Why it was skipped, or is expected to fail.
        notes: Remarks that change nothing, such as a restriction that had to be given up.
        seconds: How long it took.
        reproduce: A command, mostly of `docker`, that does by hand what the check did.
        suite: What the check belongs to: the image, and the file where there is one.
        place: Where it is written: `web.checks.yaml:12:3`.
        stdout: The last lines of the standard output that was judged.
        stderr: The same of the standard error.
        is_cached: Whether it is that of an earlier run.
    """

    name: str
    kind: str
    status: Status
    findings: tuple[Finding, ...] = ()
    reason: str | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    reproduce: str | None = None
    suite: str = ""
    place: str | None = None
    stdout: str | None = None
    stderr: str | None = None
    is_cached: bool = False

    @property
    def location(self) -> tuple[str, str, str] | None:
        """The file, line and column of its place; None where it stands in no file."""
        match = re.fullmatch(r"(.*):(\d+):(\d+)", self.place or "")
        return (match[1], match[2], match[3]) if match else None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON; what is empty is left out, but never name, kind and status."""
        optional: dict[str, Any] = {
            "suite": self.suite,
            "reason": self.reason,
            "findings": [finding.to_json() for finding in self.findings],
            "notes": list(self.notes),
            "reproduce": self.reproduce,
            "place": self.place,
            "stdout": self.stdout,
            "stderr": self.stderr,
            "cached": self.is_cached,
        }
        return {
            "name": self.name,
            "kind": self.kind,
            "status": self.status.value,
            "seconds": round(self.seconds, 6),
            **{key: value for key, value in optional.items() if value},
        }


@dataclass(slots=True)
class CheckResult:
    """What one try of a check finds, of whatever kind it is.

    Contents of an image's files are not read by the check itself: those of all checks are read
    together, in the order in which they lie in the layers.

    Args:
        findings: What is not as expected; why it could not run, where it `is_error`.
        notes: Remarks that change nothing.
        reproduce: A command that does the same by hand.
        stdout: The last lines of standard output, to show with a failure.
        stderr: The same of standard error.
        seconds: How long it took.
        is_error: Whether it could not run.
        skipped: Why it was not run.
        is_cached: Whether it is what an earlier run found.
        wanted: Files whose contents are still to be judged.
    """

    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    reproduce: str | None = None
    stdout: str | None = None
    stderr: str | None = None
    seconds: float = 0.0
    is_error: bool = False
    skipped: str | None = None
    is_cached: bool = False
    wanted: list[tuple[LayerEntry, ContentJudge]] = field(default_factory=list)

    @classmethod
    def error(cls, message: str, details: str | None = None) -> Self:
        """Return the result of a check that could not run."""
        result = cls()
        result.give_up(message, details)
        return result

    @classmethod
    def of_error(cls, error: NixdockError) -> Self:
        """Return the result of a check that an error kept from running."""
        said = [text for text in (error.hint, error.details) if text]
        return cls.error(error.message, "\n".join(said) or None)

    @property
    def status(self) -> Status:
        """What follows from it."""
        if self.skipped is not None:
            return Status.SKIP
        if self.is_error:
            return Status.ERROR
        return Status.FAIL if self.findings else Status.PASS

    def find(self, subject: str, message: str, details: str | None = None) -> None:
        """Add a finding."""
        self.findings.append(Finding(subject, message, details))

    def judge(self, subject: str, matcher: Matcher[Judged] | None, value: Judged) -> None:
        """Judge a value, where anything is asked of it; what is wrong are findings about one subject."""
        if matcher is not None:
            self.findings += findings_of(subject, matcher.judge(value))

    def give_up(self, message: str, details: str | None = None) -> None:
        """Say that it cannot be run to its end, whatever was found so far."""
        self.findings = [Finding("", message, details)]
        self.is_error = True

    def verdict(self, name: str, kind: str, *, suite: str = "", place: str | None = None) -> Verdict:
        """Return it as the verdict of a check; output is shown only with a failure."""
        failed = self.status is Status.FAIL
        return Verdict(
            name=name,
            kind=kind,
            status=self.status,
            findings=tuple(self.findings),
            reason=self.skipped,
            notes=tuple(self.notes),
            seconds=self.seconds,
            reproduce=self.reproduce,
            suite=suite,
            place=place,
            stdout=self.stdout if failed else None,
            stderr=self.stderr if failed else None,
            is_cached=self.is_cached,
        )


def findings_of(subject: str, mismatches: Iterable[Mismatch]) -> list[Finding]:
    """Return a matcher's mismatches as findings about one subject."""
    return [Finding(subject, wrong.message, wrong.details) for wrong in mismatches]


@dataclass(frozen=True, slots=True)
class Report:
    """The verdicts of one run of nixdock, in the order of the expectations."""

    verdicts: tuple[Verdict, ...]
    seconds: float = 0.0
    counts: Counter[Status] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", Counter(verdict.status for verdict in self.verdicts))

    @property
    def cached(self) -> int:
        """How many of them are those of an earlier run."""
        return sum(verdict.is_cached for verdict in self.verdicts)

    @property
    def exit_code(self) -> int:
        """0 if all held, 1 if one failed, 122 if one could not run or nothing ran.

        A failure outweighs an error: it is the surer knowledge.
        """
        return exit_code(self.verdicts)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON: the verdicts and a summary."""
        return {
            "checks": [verdict.to_json() for verdict in self.verdicts],
            "summary": {
                "passed": self.counts[Status.PASS],
                "failed": self.counts[Status.FAIL],
                "errors": self.counts[Status.ERROR],
                "skipped": self.counts[Status.SKIP],
                "total": len(self.verdicts),
                "seconds": round(self.seconds, 6),
                "exit_code": self.exit_code,
                **({"cached": self.cached} if self.cached else {}),
            },
        }


def exit_code(verdicts: Iterable[Verdict]) -> int:
    """Return the exit status that these verdicts give."""
    statuses = {verdict.status for verdict in verdicts}
    if Status.FAIL in statuses:
        return EXIT_FAILED
    if Status.ERROR in statuses or Status.PASS not in statuses:
        return EXIT_ERROR
    return EXIT_PASSED
