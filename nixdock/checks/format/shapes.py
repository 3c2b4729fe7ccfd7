"""Shapes: what a part of a check file may look like.

A shape reads a node into a value and describes itself as JSON Schema, so that the reader and the
published schema cannot say different things. All problems of a document are collected; a part that
cannot be read does not hide the problems of its neighbours.
"""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from nixdock.checks.format.nodes import Listing, Node, Place, Scalar, Table
from nixdock.errors import UsageError
from nixdock.text import shorten
from nixdock.units import parse_duration, parse_size

if TYPE_CHECKING:
    from pathlib import Path

Value_co = TypeVar("Value_co", covariant=True)
Value = TypeVar("Value")
Schema = dict[str, Any]

_MOST_TOLD = 50


class UnreadableError(Exception):
    """A part could not be read; the problem has been noted."""


@dataclass(slots=True)
class Problems:
    """What is wrong with a document, in the order of its reading.

    Args:
        snapshots: The folder of the document's snapshots; None where the document is no file.
        update: Whether snapshots are to be recorded anew.
    """

    snapshots: Path | None = None
    update: bool = False
    found: list[tuple[Place, str]] = field(default_factory=list)

    def note(self, place: Place, message: str) -> None:
        """Note a problem and read on."""
        self.found.append((place, message))

    def fail(self, place: Place, message: str) -> UnreadableError:
        """Note a problem and return what to raise, as this part has no value."""
        self.note(place, message)
        return UnreadableError()

    def raise_all(self) -> None:
        """Raise one error for all that was noted.

        Raises:
            UsageError: Something was.
        """
        if not self.found:
            return
        lines = [shorten(f"{place}: {message}") for place, message in self.found[:_MOST_TOLD]]
        if len(self.found) > _MOST_TOLD:
            lines.append(f"and {len(self.found) - _MOST_TOLD} more")
        raise UsageError(
            lines[0],
            details="\n".join(lines[1:]) or None,
            hint="`nixdock check --schema` prints the format as JSON Schema, for an editor to check",
        )


class Shape(ABC, Generic[Value_co]):
    """What a part may look like, and what it then means."""

    __slots__ = ()

    @abstractmethod
    def read(self, node: Node, problems: Problems) -> Value_co:
        """Return the value of a node.

        Raises:
            UnreadableError: It has none; the problem is noted.
        """

    @abstractmethod
    def schema(self) -> Schema:
        """Describe the shape as JSON Schema."""


@dataclass(frozen=True, slots=True)
class Text(Shape[str]):
    """A text; numbers and truth values are taken as they are written.

    Args:
        what: What the text is, for messages.
    """

    what: str = "text"

    def read(self, node: Node, problems: Problems) -> str:
        """Return the text as written."""
        if not isinstance(node, Scalar) or node.value is None:
            raise problems.fail(node.place, f"expected {self.what}, found {describe(node)}")
        return node.text

    def schema(self) -> Schema:
        """Any scalar but null."""
        return {"type": ["string", "number", "boolean"]}


@dataclass(frozen=True, slots=True)
class Flag(Shape[bool]):
    """true or false."""

    def read(self, node: Node, problems: Problems) -> bool:
        """Return the truth value."""
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        raise problems.fail(node.place, f"expected true or false, found {describe(node)}")

    def schema(self) -> Schema:
        """A boolean."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Integer(Shape[int]):
    """A whole number within bounds."""

    low: int | None = None
    high: int | None = None

    def read(self, node: Node, problems: Problems) -> int:
        """Return the number."""
        if not isinstance(node, Scalar) or isinstance(node.value, bool) or not isinstance(node.value, int):
            raise problems.fail(node.place, f"expected a whole number, found {describe(node)}")
        if (self.low is not None and node.value < self.low) or (
            self.high is not None and node.value > self.high
        ):
            bounds = f"from {self.low} to {self.high}" if self.high is not None else f"from {self.low} up"
            raise problems.fail(node.place, f"expected a whole number {bounds}, found {node.text}")
        return node.value

    def schema(self) -> Schema:
        """An integer with its bounds."""
        bounds = {"minimum": self.low, "maximum": self.high}
        return {"type": "integer", **{key: bound for key, bound in bounds.items() if bound is not None}}


@dataclass(frozen=True, slots=True)
class Parsed(Shape[Value]):
    """A scalar that a function reads from its text.

    Args:
        parse: Reads the text; a `ValueError` is the problem's wording.
        what: What it is, for messages.
    """

    parse: Callable[[str], Value]
    what: str

    def read(self, node: Node, problems: Problems) -> Value:
        """Return what the function makes of the text."""
        text = Text(self.what).read(node, problems)
        try:
            return self.parse(text)
        except ValueError as error:
            raise problems.fail(node.place, str(error)) from error

    def schema(self) -> Schema:
        """A string or number; its grammar is not described."""
        return {"type": ["string", "number"]}


DURATION = Parsed(parse_duration, "a duration such as '20s'")
SIZE = Parsed(parse_size, "a size such as '60MB'")


@dataclass(frozen=True, slots=True)
class Choice(Shape[str]):
    """One of a few words."""

    words: tuple[str, ...]

    def read(self, node: Node, problems: Problems) -> str:
        """Return the word."""
        if isinstance(node, Scalar) and node.text in self.words and node.value is not None:
            return node.text
        found = f"{node.text!r}" if isinstance(node, Scalar) else describe(node)
        raise problems.fail(
            node.place,
            f"expected one of {', '.join(self.words)}, found {found}"
            + (suggest(node.text, self.words) if isinstance(node, Scalar) else ""),
        )

    def schema(self) -> Schema:
        """An enumeration."""
        return {"enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class ListOf(Shape[tuple[Value, ...]]):
    """A list whose elements have one shape.

    Args:
        element: Of each element.
        single: Whether one element may stand without a list around it.
        least: How many elements there must be.
    """

    element: Shape[Value]
    single: bool = False
    least: int = 0

    def read(self, node: Node, problems: Problems) -> tuple[Value, ...]:
        """Return the elements."""
        if not isinstance(node, Listing):
            if self.single:
                return (self.element.read(node, problems),)
            raise problems.fail(node.place, f"expected a list, found {describe(node)}")
        if len(node.items) < self.least:
            raise problems.fail(node.place, "expected a list with something in it")
        values = [_attempt(self.element, item, problems) for item in node.items]
        if any(value is _UNREAD for value in values):
            raise UnreadableError
        return tuple(values)

    def schema(self) -> Schema:
        """An array, or also its element."""
        array: Schema = {"type": "array", "items": self.element.schema()}
        if self.least:
            array["minItems"] = self.least
        return {"anyOf": [array, self.element.schema()]} if self.single else array


@dataclass(frozen=True, slots=True)
class MapOf(Shape[Mapping[str, Value]]):
    """A mapping from free names to values of one shape."""

    value: Shape[Value]

    def read(self, node: Node, problems: Problems) -> Mapping[str, Value]:
        """Return the mapping, in the document's order."""
        if not isinstance(node, Table):
            raise problems.fail(node.place, f"expected a mapping, found {describe(node)}")
        values = {name.text: _attempt(self.value, item, problems) for name, item in node.entries}
        if any(value is _UNREAD for value in values.values()):
            raise UnreadableError
        return values

    def schema(self) -> Schema:
        """An object with any names."""
        return {"type": "object", "additionalProperties": self.value.schema()}


@dataclass(frozen=True, slots=True)
class Nullable(Shape[Value | None]):
    """A value, or null."""

    inner: Shape[Value]

    def read(self, node: Node, problems: Problems) -> Value | None:
        """Return the value or None."""
        if isinstance(node, Scalar) and node.value is None:
            return None
        return self.inner.read(node, problems)

    def schema(self) -> Schema:
        """The inner schema, or null."""
        return {"anyOf": [self.inner.schema(), {"type": "null"}]}


@dataclass(frozen=True, slots=True)
class Field:
    """A key of a record.

    Args:
        name: As written.
        shape: Of its value.
        help: One sentence for the schema.
        attribute: The keyword of the function that makes the record; the name unless told.
        required: Whether it must be there.
    """

    name: str
    shape: Shape[Any]
    help: str
    attribute: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Record(Shape[Value]):
    """A mapping with known keys and no others.

    Args:
        make: Called with the values of the keys that are there, by their attributes.
        fields: The keys.
        what: What the record is, for messages.
    """

    make: Callable[..., Value]
    fields: tuple[Field, ...]
    what: str

    def read(self, node: Node, problems: Problems) -> Value:
        """Return what `make` makes of the keys."""
        values = self.read_keys(node, problems)
        try:
            return self.make(**values)
        except ValueError as error:
            raise problems.fail(node.place, str(error)) from error

    def read_keys(self, node: Node, problems: Problems) -> dict[str, Any]:
        """Return the keys' values by their attributes.

        Raises:
            UnreadableError: One could not be read.
        """
        if not isinstance(node, Table):
            raise problems.fail(node.place, f"expected a mapping ({self.what}), found {describe(node)}")
        known = {field.name: field for field in self.fields}
        values: dict[str, Any] = {}
        complete = True
        for name, item in node.entries:
            entry = known.get(name.text)
            if entry is None:
                message = f"{self.what} has no key {name.text!r}{suggest(name.text, known)}"
                problems.note(name.place, message)
                complete = False
                continue
            value = _attempt(entry.shape, item, problems)
            complete = complete and value is not _UNREAD
            values[entry.attribute or entry.name.replace("-", "_")] = value
        for entry in self.fields:
            if entry.required and node.get(entry.name) is None:
                problems.note(node.place, f"{self.what} lacks the key {entry.name!r}")
                complete = False
        if not complete:
            raise UnreadableError
        return values

    def schema(self) -> Schema:
        """An object with these properties alone."""
        described: Schema = {
            "type": "object",
            "properties": {
                field.name: {**field.shape.schema(), "description": field.help} for field in self.fields
            },
            "additionalProperties": False,
        }
        required = [field.name for field in self.fields if field.required]
        return {**described, "required": required} if required else described


def suggest(word: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    """Return "; did you mean ...?" where a known word is near, and nothing otherwise."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def describe(node: Node) -> str:
    """Say in a few words what a node is, for messages."""
    if isinstance(node, Table):
        return "a mapping"
    if isinstance(node, Listing):
        return "a list"
    if node.value is None:
        return "null"
    kind = {bool: "the truth value", int: "the number", float: "the number"}.get(type(node.value))
    return f"{kind} {node.text}" if kind else f"the text {node.text!r}"


class _Unread:
    """Stands for the value of a part that could not be read."""


_UNREAD = _Unread()


def _attempt(shape: Shape[Value], node: Node, problems: Problems) -> Any:  # noqa: ANN401 - a value or _UNREAD
    try:
        return shape.read(node, problems)
    except UnreadableError:
        return _UNREAD
