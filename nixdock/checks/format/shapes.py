"""Shapes: what a part of a check file may look like.

A shape reads a node into a value and describes itself as JSON Schema, so that the reader and the
published schema cannot say different things. All problems of a document are collected; a part that
cannot be read does not hide the problems of its neighbours.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from nixdock.checks.format.nodes import (
    Listing,
    Node,
    Problems,
    Scalar,
    Table,
    UnreadableError,
    describe,
    suggest,
    to_value,
)
from nixdock.units import parse_duration

Value_co = TypeVar("Value_co", covariant=True)
Value = TypeVar("Value")
Schema = dict[str, Any]


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
    """A text; numbers and booleans are taken as they are written.

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
class AnyJson(Shape[object]):
    """Any JSON value."""

    def read(self, node: Node, problems: Problems) -> object:  # noqa: ARG002 - any will do
        """Return it."""
        return to_value(node)

    def schema(self) -> Schema:
        """No restriction."""
        return {}


@dataclass(frozen=True, slots=True)
class Flag(Shape[bool]):
    """true or false."""

    def read(self, node: Node, problems: Problems) -> bool:
        """Return the boolean."""
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


def _read_port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise ValueError(f"{text!r} is not a port: a number from 1 to 65535")
    return int(text)


DURATION = Parsed(parse_duration, "a duration such as '20s'")
PORT = Parsed(_read_port, "a port")


@dataclass(frozen=True, slots=True)
class OneOf(Shape[str]):
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
        values = [attempt(self.element, item, problems) for item in node.items]
        read = tuple(value for value in values if not isinstance(value, Unread))
        if len(read) < len(values):
            raise UnreadableError
        return read

    def schema(self) -> Schema:
        """An array, or also its element."""
        array: Schema = {"type": "array", "items": self.element.schema()}
        if self.least:
            array["minItems"] = self.least
        return {"anyOf": [array, self.element.schema()]} if self.single else array


@dataclass(frozen=True, slots=True)
class OneOrMore(Shape[tuple[Value, ...]]):
    """One thing, or a list of them.

    Args:
        element: Of each.
        hint: What an empty list should have been.
    """

    element: Shape[Value]
    hint: str = ""

    def read(self, node: Node, problems: Problems) -> tuple[Value, ...]:
        """Return them."""
        if isinstance(node, Listing) and not node.items:
            raise problems.fail(node.place, f"an empty list asks for nothing{self.hint}")
        return ListOf(self.element, single=True).read(node, problems)

    def schema(self) -> Schema:
        """The element's, or an array of it."""
        return ListOf(self.element, single=True, least=1).schema()


@dataclass(frozen=True, slots=True)
class MapOf(Shape[Mapping[str, Value]]):
    """A mapping from free names to values of one shape."""

    value: Shape[Value]

    def read(self, node: Node, problems: Problems) -> Mapping[str, Value]:
        """Return the mapping, in the document's order."""
        if not isinstance(node, Table):
            raise problems.fail(node.place, f"expected a mapping, found {describe(node)}")
        values = {name.text: attempt(self.value, item, problems) for name, item in node.entries}
        read = {name: value for name, value in values.items() if not isinstance(value, Unread)}
        if len(read) < len(values):
            raise UnreadableError
        return read

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
class Converted(Shape[Value]):
    """What a function makes of a shape's value.

    Args:
        shape: Of what is written.
        make: Makes the value of it; a `ValueError` is the problem's wording.
    """

    shape: Shape[Any]
    make: Callable[[Any], Value]

    def read(self, node: Node, problems: Problems) -> Value:
        """Return what the function makes of it."""
        value = self.shape.read(node, problems)
        try:
            return self.make(value)
        except ValueError as error:
            raise problems.fail(node.place, str(error)) from error

    def schema(self) -> Schema:
        """The inner schema."""
        return self.shape.schema()


@dataclass(frozen=True, slots=True)
class PairsShape(Shape[Mapping[str, str | None]]):
    """Names with values: as a mapping, or as a list of `NAME=value`.

    Args:
        separator: What stands between name and value in the list.
    """

    separator: str = "="

    def read(self, node: Node, problems: Problems) -> Mapping[str, str | None]:
        """Return the pairs; a name alone has the value None."""
        if isinstance(node, Table):
            return MapOf(Nullable(Text())).read(node, problems)
        if not isinstance(node, Listing):
            raise problems.fail(node.place, f"expected a mapping or a list, found {describe(node)}")
        pairs: dict[str, str | None] = {}
        for item in ListOf(Text()).read(node, problems):
            name, separator, value = item.partition(self.separator)
            pairs[name] = value if separator else None
        return pairs

    def schema(self) -> Schema:
        """An object, or an array of texts."""
        return {
            "anyOf": [
                MapOf(Nullable(Text())).schema(),
                ListOf(Text()).schema(),
            ]
        }


@dataclass(frozen=True, slots=True)
class WordsShape(Shape[tuple[str, ...]]):
    """An argv: a list of words. One text would have to be split, which only a shell can do right."""

    def read(self, node: Node, problems: Problems) -> tuple[str, ...]:
        """Return the words."""
        if isinstance(node, Scalar) and node.value is not None:
            message = f"a command is a list of words: write [{', '.join(node.text.split())}]"
            raise problems.fail(node.place, message)
        return ListOf(Text()).read(node, problems)

    def schema(self) -> Schema:
        """An array of texts."""
        return ListOf(Text()).schema()


def _with_values(pairs: Mapping[str, str | None]) -> Mapping[str, str]:
    for name, value in pairs.items():
        if value is None:
            raise ValueError(f"the variable {name!r} has no value")
    return {name: value for name, value in pairs.items() if value is not None}


VARIABLES = Converted(PairsShape(), _with_values)
"""Environment variables, each with a value."""


class Unread:
    """Stands for the value of a part that could not be read."""


UNREAD = Unread()


def attempt(shape: Shape[Value], node: Node, problems: Problems) -> Value | Unread:
    """Return the value of a node; `UNREAD` where it has none, so that its neighbours are read too."""
    try:
        return shape.read(node, problems)
    except UnreadableError:
        return UNREAD
