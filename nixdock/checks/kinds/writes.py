"""`writes`: what the running container may have written into its own layer."""

from __future__ import annotations

from dataclasses import dataclass

from nixdock.checks.format.records import key, record_of
from nixdock.checks.format.shapes import ListOf, Shape, Text
from nixdock.checks.model import CheckKind


@dataclass(frozen=True, slots=True)
class WritesCheck(CheckKind):
    """What the running container may have written into its own layer."""

    allow: tuple[str, ...] = key(
        ListOf(Text("a pattern"), single=True), "Patterns of paths that may be written.", ()
    )

    kind = "writes"
    about = "`allow`: patterns of paths that may be written (`docker diff`)"

    @property
    def prefers_service(self) -> bool:
        """Its container's writes, or else those of the idle ones."""
        return True

    @classmethod
    def value(cls) -> Shape[WritesCheck]:
        """Nothing may be written where nothing is allowed."""
        return record_of(cls, cls.kind)
