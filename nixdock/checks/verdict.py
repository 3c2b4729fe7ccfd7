"""What came of a check: a status, and findings that say why.

FAIL and ERROR are different things: a check that FAILs ran and said no; one that is an ERROR could
not run, and says nothing about the image.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

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
        }
        return {
            "name": self.name,
            "kind": self.kind,
            "status": self.status.value,
            "seconds": round(self.seconds, 6),
            **{key: value for key, value in optional.items() if value},
        }


@dataclass(frozen=True, slots=True)
class Report:
    """The verdicts of one run of nixdock, in the order of the expectations."""

    verdicts: tuple[Verdict, ...]
    seconds: float = 0.0
    counts: Counter[Status] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", Counter(verdict.status for verdict in self.verdicts))

    @property
    def ran(self) -> int:
        """How many checks gave an answer, or tried to."""
        return len(self.verdicts) - self.counts[Status.SKIP]

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
