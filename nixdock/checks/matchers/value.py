"""Matchers on JSON values, a config's field or a member of a JSON answer, and paths into them.

A path that leads nowhere has the value `MISSING`. `null` in an expectation is met by null and by
MISSING alike, for that is what "unset" means in an image's config; `exists` tells them apart.
"""

from __future__ import annotations

import difflib
import json
import re
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nixdock.checks.matchers.algebra import Matcher, Mismatch
from nixdock.text import split_lines

if TYPE_CHECKING:
    from nixdock.checks.matchers.algebra import Between
    from nixdock.outcome import Output

_EXCERPT = 200
_NAME = re.compile(r"[^.\[\]\"'\s]+")
_INDEX = re.compile(r"\[(-?\d+)\]", re.ASCII)
_QUOTED = re.compile(r'\[("(?:[^"\\]|\\.)*")\]')


class Missing:
    """The value of a path that leads nowhere; not the same as null."""

    def __repr__(self) -> str:
        return "nothing"


MISSING: Final = Missing()


@dataclass(frozen=True, slots=True)
class JsonPath:
    """Steps into a JSON value: `status`, `.items[0].name`, `$.a["key with spaces"][-1]`."""

    text: str
    steps: tuple[str | int, ...]

    @classmethod
    def parse(cls, text: str) -> JsonPath:
        """Read a path.

        Raises:
            ValueError: It is not one.
        """
        rest = text.removeprefix("$")
        steps: list[str | int] = []
        while rest:
            if match := _INDEX.match(rest):
                steps.append(int(match[1]))
            elif match := _QUOTED.match(rest):
                steps.append(json.loads(match[1]))
            else:
                dotted = rest.startswith(".")
                match = _NAME.match(rest, 1 if dotted else 0)
                if match is None or not (dotted or not steps):
                    raise ValueError(
                        f"{text!r} is not a path into JSON (at {rest!r}): write such as '.items[0].name' or "
                        """'["key with spaces"]'"""
                    )
                steps.append(match[0])
            rest = rest[match.end() :]
        return cls(text, tuple(steps))

    def find(self, value: object) -> object:
        """Return what the path leads to, or `MISSING`."""
        for step in self.steps:
            if isinstance(value, dict) and isinstance(step, str):
                value = value.get(step, MISSING)
            elif isinstance(value, list) and isinstance(step, int):
                value = value[step] if -len(value) <= step < len(value) else MISSING
            else:
                return MISSING
        return value


class Predicate(Matcher[object]):
    """What a value has or has not; all that can be said of one that has not is what it is."""

    __slots__ = ()

    @abstractmethod
    def holds(self, subject: object) -> bool:
        """Say whether the value is as wanted."""

    def judge(self, subject: object) -> tuple[Mismatch, ...]:
        """Show the value that is not as wanted."""
        return () if self.holds(subject) else (Mismatch(f"expected to {self}, found {show(subject)}"),)


@dataclass(frozen=True, slots=True)
class EqualsValue(Matcher[object]):
    """The same JSON value: 1 and 1.0 are the same, 1 and true and "1" are not."""

    expected: object

    def judge(self, subject: object) -> tuple[Mismatch, ...]:
        """Compare, and show a diff of values that are long."""
        if same_json(subject, self.expected) or (self.expected is None and subject is MISSING):
            return ()
        if max(len(_dump(subject)), len(_dump(self.expected))) <= _EXCERPT or subject is MISSING:
            return (Mismatch(f"expected to {self}, found {show(subject)}"),)
        diff = difflib.unified_diff(
            split_lines(_dump(self.expected, indent=2))[:2000],
            split_lines(_dump(subject, indent=2))[:2000],
            "expected",
            "found",
            lineterm="",
        )
        return (Mismatch("differs from what is expected", "\n".join(diff)),)

    def __str__(self) -> str:
        return "be unset" if self.expected is None else f"be {show(self.expected)}"


@dataclass(frozen=True, slots=True)
class Members(Matcher[object]):
    """Named members of an object, each with its own matcher; other members do not matter."""

    members: tuple[tuple[str, Matcher[object]], ...]

    def judge(self, subject: object) -> tuple[Mismatch, ...]:
        """Judge each member that is named."""
        held = {} if subject is None or subject is MISSING else subject
        if not isinstance(held, dict):
            return (Mismatch(f"expected an object, found {show(subject)}"),)
        return tuple(
            Mismatch(f"{name}: {wrong.message}", wrong.details)
            for name, matcher in self.members
            for wrong in matcher.judge(held.get(name, MISSING))
        )

    def __str__(self) -> str:
        return "have " + ", ".join(f"{name} to {matcher}" for name, matcher in self.members)


@dataclass(frozen=True, slots=True)
class AtPath(Matcher[object]):
    """What a path leads to."""

    path: JsonPath
    matcher: Matcher[object]

    def judge(self, subject: object) -> tuple[Mismatch, ...]:
        """Follow the path, then judge what is there."""
        return tuple(
            Mismatch(f"{self.path.text}: {wrong.message}", wrong.details)
            for wrong in self.matcher.judge(self.path.find(subject))
        )

    def __str__(self) -> str:
        return f"have at {self.path.text} a value to {self.matcher}"


@dataclass(frozen=True, slots=True)
class AsPairs(Matcher[object]):
    """A list of `NAME=value` (an image's Env), judged as an object.

    Args:
        matcher: Of the object.
        bare: The value of an element without `=`.
    """

    matcher: Matcher[object]
    bare: str | None = None

    def judge(self, subject: object) -> tuple[Mismatch, ...]:
        """Split each element at its first `=`."""
        if not isinstance(subject, list):
            return self.matcher.judge(subject)
        pairs = (str(element).partition("=") for element in subject)
        return self.matcher.judge({name: value if sign else self.bare for name, sign, value in pairs})

    def __str__(self) -> str:
        return str(self.matcher)


@dataclass(frozen=True, slots=True)
class ContainsValue(Predicate):
    """A piece of a string, an element of a list, or a member's name of an object."""

    piece: object

    def holds(self, subject: object) -> bool:
        """Look for it as the subject's type has it."""
        if isinstance(subject, list):
            return any(same_json(element, self.piece) for element in subject)
        return isinstance(subject, str | dict) and isinstance(self.piece, str) and self.piece in subject

    def __str__(self) -> str:
        return f"contain {show(self.piece)}"


@dataclass(frozen=True, slots=True)
class AsText(Matcher[object]):
    """A string (or a number, as JSON writes it) that a text matcher accepts."""

    matcher: Matcher[Output]

    def judge(self, subject: object) -> tuple[Mismatch, ...]:
        """Hand the text on; anything but a string or a number is a mismatch."""
        if isinstance(subject, str):
            return self.matcher.judge(subject.encode(errors="surrogateescape"))
        if isinstance(subject, int | float) and not isinstance(subject, bool):
            return self.matcher.judge(json.dumps(subject).encode())
        return (Mismatch(f"expected text to {self.matcher}, found {show(subject)}"),)

    def __str__(self) -> str:
        return str(self.matcher)


@dataclass(frozen=True, slots=True)
class EmptyValue(Predicate):
    """Nothing in it: unset, "", [], {}; or with `expected` false, something."""

    expected: bool = True

    def holds(self, subject: object) -> bool:
        """Zero and false are not empty."""
        empty = subject is MISSING or subject is None or subject in ("", [], {})
        return empty == self.expected

    def __str__(self) -> str:
        return "be empty" if self.expected else "not be empty"


@dataclass(frozen=True, slots=True)
class Unset(EmptyValue):
    """Unset, as builders write it: an absent key, null, "" or an empty collection."""

    def __str__(self) -> str:
        return "be unset"


@dataclass(frozen=True, slots=True)
class Exists(Predicate):
    """Whether there is such a value at all, be it null."""

    expected: bool = True

    def holds(self, subject: object) -> bool:
        """Compare with MISSING."""
        return (subject is not MISSING) == self.expected

    def __str__(self) -> str:
        return "exist" if self.expected else "not exist"


@dataclass(frozen=True, slots=True)
class InBounds(Matcher[object]):
    """A number between bounds."""

    bounds: Between

    def judge(self, subject: object) -> tuple[Mismatch, ...]:
        """Anything but a number is a mismatch."""
        if isinstance(subject, int | float) and not isinstance(subject, bool):
            return self.bounds.judge(subject)
        return (Mismatch(f"expected a number to {self.bounds}, found {show(subject)}"),)

    def __str__(self) -> str:
        return str(self.bounds)


@dataclass(frozen=True, slots=True)
class HasLength(Matcher[object]):
    """The number of characters, elements or members."""

    bounds: Between

    def judge(self, subject: object) -> tuple[Mismatch, ...]:
        """Unset has length 0; a number has none."""
        if subject is None or subject is MISSING:
            length = 0
        elif isinstance(subject, str | list | dict):
            length = len(subject)
        else:
            return (Mismatch(f"expected a string, list or object, found {show(subject)}"),)
        return tuple(Mismatch(f"length: {wrong.message}") for wrong in self.bounds.judge(length))

    def __str__(self) -> str:
        return f"have a length to {self.bounds}"


@dataclass(frozen=True, slots=True)
class InList(Matcher[object]):
    """A list of which at least one element matches."""

    matcher: Matcher[object]

    def judge(self, subject: object) -> tuple[Mismatch, ...]:
        """Go through the elements."""
        if not isinstance(subject, list):
            return (Mismatch(f"expected a list, found {show(subject)}"),)
        if any(not self.matcher.judge(element) for element in subject):
            return ()
        return (Mismatch(f"expected an element to {self.matcher}; none of {len(subject)} does"),)

    def __str__(self) -> str:
        return f"have an element to {self.matcher}"


@dataclass(frozen=True, slots=True)
class SameSet(Matcher[object]):
    """A list with these elements in any order, or an object with these member names.

    Docker's config writes sets as objects: `ExposedPorts` is `{"8080/tcp": {}}`.
    """

    expected: frozenset[str]

    def judge(self, subject: object) -> tuple[Mismatch, ...]:
        """Name what lacks and what is too much."""
        if subject is None or subject is MISSING:
            held: set[object] = set()
        elif isinstance(subject, dict | list):
            held = {element if isinstance(element, str) else _dump(element) for element in subject}
        else:
            return (Mismatch(f"expected a set, found {show(subject)}"),)
        lacking = sorted(self.expected - held)
        extra = sorted(str(element) for element in held - self.expected)
        if not lacking and not extra:
            return ()
        parts = [f"lacks {', '.join(lacking)}"] if lacking else []
        parts += [f"has {', '.join(extra)} too"] if extra else []
        return (Mismatch(f"expected to {self}; it {' and '.join(parts)}"),)

    def __str__(self) -> str:
        return f"be {', '.join(sorted(self.expected))}" if self.expected else "be empty"


def same_json(one: object, other: object) -> bool:
    """Whether two JSON values are the same; a boolean is never the same as a number."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return one == other


def show(value: object) -> str:
    """Return a JSON value on one line, its end left out where it is long."""
    if value is MISSING:
        return "nothing"
    text = _dump(value)
    return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}..."


def _dump(value: object, indent: int | None = None) -> str:
    if value is MISSING:
        return ""
    return json.dumps(value, ensure_ascii=False, indent=indent, sort_keys=indent is not None)
