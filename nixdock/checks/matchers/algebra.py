"""What every matcher is, how matchers are combined, and those on numbers with their units."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from nixdock.units import format_duration, format_size, parse_duration, parse_size

if TYPE_CHECKING:
    from collections.abc import Callable

Number = int | float

Subject_contra = TypeVar("Subject_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Why a value does not match: a sentence, and further lines such as a diff."""

    message: str
    details: str | None = None


class Matcher(ABC, Generic[Subject_contra]):
    """A predicate on a value that can say what it asks for.

    `str()` of a matcher completes the sentence "expected to ...".
    """

    __slots__ = ()

    @abstractmethod
    def judge(self, subject: Subject_contra) -> tuple[Mismatch, ...]:
        """Return every reason why the value does not match; nothing when it does."""

    @abstractmethod
    def __str__(self) -> str:
        """Complete the sentence "expected to ..."."""

    def evidence(self, subject: Subject_contra) -> str | None:  # noqa: ARG002 - the default has none
        """Return what in the value makes it match, where that can be shown."""
        return None


@dataclass(frozen=True, slots=True)
class AllOf(Matcher[Subject_contra]):
    """Every one of the matchers must match; all that do not are told."""

    parts: tuple[Matcher[Subject_contra], ...]

    def judge(self, subject: Subject_contra) -> tuple[Mismatch, ...]:
        """Collect what each part finds wrong."""
        return tuple(mismatch for part in self.parts for mismatch in part.judge(subject))

    def __str__(self) -> str:
        return " and ".join(str(part) for part in self.parts) or "be anything"

    def evidence(self, subject: Subject_contra) -> str | None:
        """Return the first part's evidence."""
        return next((found for part in self.parts if (found := part.evidence(subject))), None)


@dataclass(frozen=True, slots=True)
class AnyOf(Matcher[Subject_contra]):
    """At least one of the matchers must match."""

    parts: tuple[Matcher[Subject_contra], ...]

    def judge(self, subject: Subject_contra) -> tuple[Mismatch, ...]:
        """Find nothing wrong where one part does."""
        reasons: list[str] = []
        for part in self.parts:
            mismatches = part.judge(subject)
            if not mismatches:
                return ()
            reasons += [mismatch.message for mismatch in mismatches]
        return (Mismatch(f"expected to {self}; none of them holds", "\n".join(reasons)),)

    def __str__(self) -> str:
        return " or ".join(str(part) for part in self.parts)

    def evidence(self, subject: Subject_contra) -> str | None:
        """Return the evidence of the part that matches."""
        return next((part.evidence(subject) for part in self.parts if not part.judge(subject)), None)


@dataclass(frozen=True, slots=True)
class NoneOf(Matcher[Subject_contra]):
    """None of the matchers may match."""

    parts: tuple[Matcher[Subject_contra], ...]

    def judge(self, subject: Subject_contra) -> tuple[Mismatch, ...]:
        """Report each part that does match, with its evidence."""
        return tuple(
            Mismatch(
                f"expected not to {part}, but it does"
                + (f": {found}" if (found := part.evidence(subject)) else "")
            )
            for part in self.parts
            if not part.judge(subject)
        )

    def __str__(self) -> str:
        return "not " + " and not ".join(str(part) for part in self.parts)


def all_of(parts: tuple[Matcher[Subject_contra], ...]) -> Matcher[Subject_contra]:
    """Return one matcher for all of these; a single one is returned as it is."""
    return parts[0] if len(parts) == 1 else AllOf(parts)


def any_of(parts: tuple[Matcher[Subject_contra], ...]) -> Matcher[Subject_contra]:
    """Return one matcher that any of these satisfies; a single one is returned as it is."""
    return parts[0] if len(parts) == 1 else AnyOf(parts)


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
    parse: Callable[[str], Number] = field(compare=False)
    format: Callable[[Number], str] = field(compare=False)


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
