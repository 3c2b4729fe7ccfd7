"""Matchers on numbers, with the unit in which people read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.checks.matchers.algebra import Matcher, Mismatch
from nixdock.units import format_duration, format_size, parse_duration, parse_size

if TYPE_CHECKING:
    from collections.abc import Callable

Number = int | float


def _read_plain(text: str) -> float:
    try:
        return int(text, 10)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None


@dataclass(frozen=True, slots=True)
class Unit:
    """How numbers of one sort are read and written."""

    name: str
    parse: Callable[[str], Number]
    format: Callable[[Number], str]


PLAIN = Unit("a number", _read_plain, lambda number: f"{number:.15g}")
SECONDS = Unit("a duration", parse_duration, format_duration)
BYTES = Unit("a size", parse_size, format_size)


@dataclass(frozen=True, slots=True)
class Between(Matcher[Number]):
    """A number not below one bound and not above another; both bounds belong to it."""

    low: Number | None = None
    high: Number | None = None
    unit: Unit = PLAIN

    def judge(self, subject: Number) -> tuple[Mismatch, ...]:
        """Compare with both bounds."""
        if (self.low is None or subject >= self.low) and (self.high is None or subject <= self.high):
            return ()
        return (Mismatch(f"expected to {self}, found {self._write(subject)}"),)

    def __str__(self) -> str:
        if self.low is not None and self.low == self.high:
            return f"be {self.unit.format(self.low)}"
        bounds: list[str] = []
        if self.low is not None:
            bounds.append(f"at least {self.unit.format(self.low)}")
        if self.high is not None:
            bounds.append(f"at most {self.unit.format(self.high)}")
        return "be " + (" and ".join(bounds) or "any number")

    def _write(self, subject: Number) -> str:
        shown = self.unit.format(subject)
        bounds = {self.unit.format(bound) for bound in (self.low, self.high) if bound is not None}
        # 60.0004 MB over a limit of 60 MB must not read as "at most 60 MB, found 60 MB".
        return f"{shown} ({subject:.15g})" if shown in bounds else shown


def exactly(number: Number, unit: Unit = PLAIN) -> Between:
    """Return the matcher of this number alone."""
    return Between(number, number, unit)
