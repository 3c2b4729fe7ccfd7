"""What a test finds, before it is made a verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nixdock.checks.verdict import Finding

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixdock.checks.structure_test.rig import Rig


class NotReachedError(Exception):
    """What has to come before the looking at an image failed.

    Args:
        subject: The key that asks for it.
        message: What happened.
        begun: Whether the original reports it as of a test that has begun.
    """

    def __init__(self, subject: str, message: str, *, begun: bool = False) -> None:
        super().__init__(message)
        self.subject = subject
        self.message = message
        self.begun = begun


@dataclass(slots=True)
class Judgement:
    """What one test found.

    Args:
        findings: What is not as asked.
        notes: Remarks that change nothing.
        begun: Whether the test has begun; if not, the original reports its bare name.
        seconds: How long it took.
        stdout: The last lines of the standard output that was judged.
        stderr: The same of the standard error.
        reproduce: A docker command that does the same by hand.
    """

    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    begun: bool = True
    seconds: float = 0.0
    stdout: str | None = None
    stderr: str | None = None
    reproduce: str | None = None

    def find(self, subject: str, message: str, details: str | None = None) -> None:
        """Say what is not as asked."""
        self.findings.append(Finding(subject, message, details))


@dataclass(frozen=True, slots=True)
class StructureCheck:
    """One test of a file, ready to be judged.

    Args:
        title: What the original calls its kind: `Command Test`.
        name: Its own name, or "".
        named: Whether tests of its kind have names; the metadata and licence tests have none.
        kind: Its kind in nixdock's words.
        suite: The file.
        place: Where it is written.
        version: The schema version of the file.
        needs_engine: Whether a container is needed for it.
        faults: Why it cannot be judged at all, in the order of the original.
        judge: Judges it.
    """

    title: str
    name: str
    named: bool
    kind: str
    suite: str
    place: str | None
    version: str
    needs_engine: bool
    faults: tuple[Finding, ...]
    judge: Callable[[Rig], Judgement]

    @property
    def full_name(self) -> str:
        """The name under which the original reports its result."""
        return f"{self.title}: {self.name}" if self.named else self.title
