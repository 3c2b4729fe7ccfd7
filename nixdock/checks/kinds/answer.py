"""What a static check finds at once, and what it still wants to read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nixdock.checks.verdict import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nixdock.checks.files.entry import Entry
    from nixdock.checks.matchers.algebra import Mismatch
    from nixdock.outcome import Output

Judge = Callable[["Output"], "Iterable[Finding]"]


@dataclass(slots=True)
class Answer:
    """The findings of a static check.

    Contents are not read by the check itself: those of all checks are read together, in the order
    in which they lie in the layers.

    Args:
        findings: What is not as expected.
        notes: Remarks that change nothing.
        wanted: Files whose contents are still to be judged.
    """

    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    wanted: list[tuple[Entry, Judge]] = field(default_factory=list)

    def find(self, subject: str, message: str, details: str | None = None) -> None:
        """Add a finding."""
        self.findings.append(Finding(subject, message, details))

    def add(self, subject: str, mismatches: Iterable[Mismatch]) -> None:
        """Add a matcher's mismatches as findings about one subject."""
        self.findings += findings_of(subject, mismatches)


def findings_of(subject: str, mismatches: Iterable[Mismatch]) -> list[Finding]:
    """Return a matcher's mismatches as findings about one subject."""
    return [Finding(subject, wrong.message, wrong.details) for wrong in mismatches]
