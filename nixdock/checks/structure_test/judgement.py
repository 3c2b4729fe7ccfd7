"""One test of a file, ready to be judged, and what keeps it from being."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixdock.checks.structure_test.rig import Rig
    from nixdock.checks.verdict import CheckResult, Finding


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
    needs_engine: bool
    faults: tuple[Finding, ...]
    judge: Callable[[Rig], CheckResult]

    @property
    def full_name(self) -> str:
        """The name under which the original reports its result."""
        return f"{self.title}: {self.name}" if self.named else self.title
