"""How matchers are written: a bare value is `equals`, a list is all of its matchers, a mapping names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from nixdock.checks.format.nodes import Listing, Node, Problems, Scalar, Table, describe, to_value
from nixdock.checks.format.records import Field, Record
from nixdock.checks.format.shapes import AnyJson, Converted, Flag, ListOf, OneOrMore, Schema, Shape, Text
from nixdock.checks.matchers.algebra import (
    PLAIN,
    AllOf,
    AnyOf,
    Between,
    Matcher,
    NoneOf,
    Number,
    Unit,
    all_of,
    exactly,
)
from nixdock.checks.matchers.text import (
    Contains,
    Empty,
    Equals,
    IsJson,
    Length,
    Lines,
    Matches,
    RecordedIn,
)
from nixdock.checks.matchers.value import (
    AsText,
    AtPath,
    ContainsValue,
    EmptyValue,
    EqualsValue,
    Exists,
    HasLength,
    InBounds,
    InList,
    JsonPath,
    SameSet,
)
from nixdock.checks.regex import compile_pattern
from nixdock.outcome import Output

if TYPE_CHECKING:
    from collections.abc import Callable

Judged = TypeVar("Judged")


@dataclass(frozen=True, slots=True)
class Utf8Text(Shape[bytes]):
    """A text that output is compared with."""

    def read(self, node: Node, problems: Problems) -> bytes:
        """Return its UTF-8."""
        if isinstance(node, Scalar) and node.value is None:
            raise problems.fail(node.place, "null is no text; write {empty: true} for no output")
        return Text().read(node, problems).encode(errors="surrogatepass")

    def schema(self) -> Schema:
        """A text's."""
        return Text().schema()


@dataclass(frozen=True, slots=True)
class PlainNumber(Shape[Number]):
    """A number in its unit."""

    unit: Unit = PLAIN

    def read(self, node: Node, problems: Problems) -> Number:
        """Return the number."""
        if not isinstance(node, Scalar) or node.value is None or isinstance(node.value, bool):
            raise problems.fail(node.place, f"expected {self.unit.name}, found {describe(node)}")
        try:
            return self.unit.parse(node.text)
        except ValueError as error:
            raise problems.fail(node.place, str(error)) from error

    def schema(self) -> Schema:
        """A number, or a text with a unit."""
        return {"type": ["number", "string"]}


@dataclass(frozen=True, slots=True)
class BoundsShape(Shape[Between]):
    """Two bounds, or one value that is a bound by itself.

    Args:
        unit: How the numbers are written.
        bare: Which bound a bare number is.
    """

    unit: Unit = PLAIN
    bare: str = "equals"

    def read(self, node: Node, problems: Problems) -> Between:
        """Return the bounds."""
        if not isinstance(node, Table):
            return self._of(**{self.bare: PlainNumber(self.unit).read(node, problems)})
        return self._words().read(node, problems)

    def _words(self) -> Record[Between]:
        number = PlainNumber(self.unit)
        return Record(
            self._of,
            (Field("min", number), Field("max", number), Field("equals", number)),
            "bounds",
            stranger="{name!r} is no bound: write min or max{near}",
            nothing="min or max",
        )

    def _of(
        self,
        min: Number | None = None,  # noqa: A002 - the key's name
        max: Number | None = None,  # noqa: A002
        equals: Number | None = None,
    ) -> Between:
        if equals is not None:
            return exactly(equals, self.unit)
        if min is not None and max is not None and min > max:
            raise ValueError("no number is that: min is above max")
        return Between(min, max, self.unit)

    def schema(self) -> Schema:
        """A reference to the definition that the schema ends with."""
        return {"$ref": "#/$defs/bounds"}

    def definition(self) -> Schema:
        """A bare number, or its bounds."""
        return {"anyOf": [PlainNumber(self.unit).schema(), self._words().schema()]}


@dataclass(frozen=True, slots=True)
class NumberShape(Shape[Matcher[Number]]):
    """A matcher on a number with a unit."""

    unit: Unit = PLAIN

    def read(self, node: Node, problems: Problems) -> Matcher[Number]:
        """Return the matcher."""
        if isinstance(node, Listing):
            raise problems.fail(
                node.place, "one number cannot be several; write {any: [...]} for alternatives"
            )
        bounds = {"min", "max"}
        if isinstance(node, Scalar) or (
            node.entries and all(name.text in bounds for name, _ in node.entries)
        ):
            return BoundsShape(self.unit).read(node, problems)
        return self._words().read(node, problems)

    def _words(self) -> Record[Matcher[Any]]:
        number, several = PlainNumber(self.unit), OneOrMore(self, _EMPTY_LIST)
        return _matchers(
            Field("equals", Converted(number, lambda value: exactly(value, self.unit))),
            Field("min", Converted(number, lambda value: Between(value, None, self.unit))),
            Field("max", Converted(number, lambda value: Between(None, value, self.unit))),
            Field("not", Converted(several, NoneOf)),
            Field("any", Converted(several, AnyOf)),
        )

    def schema(self) -> Schema:
        """A reference to the definition that the schema ends with."""
        return {"$ref": "#/$defs/number"}

    def definition(self) -> Schema:
        """A bare number, or named matchers."""
        return {"anyOf": [PlainNumber(self.unit).schema(), self._words().schema()]}


@dataclass(frozen=True, slots=True)
class TextShape(Shape[Matcher[Output]]):
    """A matcher on text."""

    def read(self, node: Node, problems: Problems) -> Matcher[Output]:
        """Return the matcher."""
        if isinstance(node, Scalar):
            return Equals(Utf8Text().read(node, problems))
        if isinstance(node, Listing):
            return AllOf(OneOrMore(self, _EMPTY_LIST).read(node, problems))
        return _TEXT_WORDS.read(node, problems)

    def schema(self) -> Schema:
        """A reference to the definition that the schema ends with."""
        return {"$ref": "#/$defs/text"}

    def definition(self) -> Schema:
        """A bare text, all of a list, or named matchers."""
        every = ListOf(self, least=1)
        return {"anyOf": [Utf8Text().schema(), every.schema(), _TEXT_WORDS.schema()]}


@dataclass(frozen=True, slots=True)
class ValueShape(Shape[Matcher[object]]):
    """A matcher on a JSON value; a bare list is the list itself."""

    def read(self, node: Node, problems: Problems) -> Matcher[object]:
        """Return the matcher."""
        if isinstance(node, Scalar | Listing):
            return EqualsValue(to_value(node))
        return _VALUE_WORDS.read(node, problems)

    def schema(self) -> Schema:
        """A reference to the definition that the schema ends with."""
        return {"$ref": "#/$defs/value"}

    def definition(self) -> Schema:
        """A bare value, or named matchers."""
        bare = {"type": ["string", "number", "boolean", "null", "array"]}
        return {"anyOf": [bare, MATCHERS]}


@dataclass(frozen=True, slots=True)
class EntriesShape(Shape[Matcher[object]]):
    """Names in a directory, or members of a group: a bare list means these and no others."""

    def read(self, node: Node, problems: Problems) -> Matcher[object]:
        """Return the matcher."""
        if isinstance(node, Listing):
            return SameSet(frozenset(ListOf(Text()).read(node, problems)))
        return VALUE.read(node, problems)

    def schema(self) -> Schema:
        """A value matcher's."""
        return VALUE.schema()


@dataclass(frozen=True, slots=True)
class LinesShape(Shape[Lines]):
    """What holds line by line: a list of exactly these, or a mapping."""

    def read(self, node: Node, problems: Problems) -> Lines:
        """Return the matcher."""
        if isinstance(node, Listing):
            return Lines(exactly=ListOf(TEXT).read(node, problems))
        if not isinstance(node, Table):
            raise problems.fail(
                node.place,
                f"expected a list of lines or a mapping (some, every, count), found {describe(node)}",
            )
        return self._words().read(node, problems)

    @staticmethod
    def _words() -> Record[Lines]:
        return Record(
            Lines,
            (
                Field("some", OneOrMore(TEXT, _EMPTY_LIST)),
                Field("every", TEXT),
                Field("count", BoundsShape()),
            ),
            "lines",
            stranger="lines have no {name!r}{near}; there are {known}",
            nothing="some, every or count",
        )

    def schema(self) -> Schema:
        """An array, or a mapping."""
        return {"anyOf": [ListOf(TEXT).schema(), self._words().schema()]}


@dataclass(frozen=True, slots=True)
class PathsShape(Shape[Matcher[object]]):
    """A mapping from paths into JSON to matchers of what is there."""

    def read(self, node: Node, problems: Problems) -> Matcher[object]:
        """Return one matcher for all of them."""
        if not isinstance(node, Table) or not node.entries:
            raise problems.fail(node.place, "expected a mapping from paths such as '.status' to values")
        parts: list[Matcher[object]] = []
        for name, item in node.entries:
            try:
                path = JsonPath.parse(name.text)
            except ValueError as error:
                raise problems.fail(name.place, str(error)) from error
            parts.append(AtPath(path, VALUE.read(item, problems)))
        return all_of(tuple(parts))

    def schema(self) -> Schema:
        """An object with any names."""
        return {"type": "object", "additionalProperties": VALUE.schema(), "minProperties": 1}


@dataclass(frozen=True, slots=True)
class RecordingShape(Shape[RecordedIn]):
    """The name of a snapshot, which becomes a file's."""

    def read(self, node: Node, problems: Problems) -> RecordedIn:
        """Return the matcher."""
        name = Text("a name for the snapshot").read(node, problems)
        if not name or name.startswith((".", "-")) or "/" in name:
            raise problems.fail(node.place, f"{name!r} is no name for a snapshot: it becomes a file's name")
        file = problems.snapshots / f"{name}.txt" if problems.snapshots else None
        return RecordedIn(name, file, update=problems.update)

    def schema(self) -> Schema:
        """A text's."""
        return Text().schema()


def _matchers(*words: Field) -> Record[Matcher[Any]]:
    """Return a mapping of named matchers, all of which must hold."""

    def join(**parts: Matcher[Any]) -> Matcher[Any]:
        return all_of(tuple(parts.values()))

    return Record(
        join,
        words,
        "a matcher",
        stranger="{name!r} is no matcher{near}; there are {known}",
        nothing="such as {contains: text}",
    )


def _each(shape: Shape[Judged], make: Callable[[Judged], Matcher[Any]]) -> Shape[Matcher[Any]]:
    """Read one thing, or a list of which all must hold."""
    return Converted(OneOrMore(Converted(shape, make)), all_of)


_EMPTY_LIST = "; write {empty: true} for no output"
TEXT = TextShape()
VALUE = ValueShape()
NUMBER = NumberShape()

_REGEX = Converted(Text("a regular expression"), lambda text: Matches(compile_pattern(text)))
_DIALECT = "RE2; '$' is the very end, '(?m)' makes it a line's end."
_TEXTS = OneOrMore(TEXT, _EMPTY_LIST)
_VALUES = OneOrMore(VALUE, _EMPTY_LIST)

_TEXT_WORDS = _matchers(
    Field("equals", Converted(Utf8Text(), Equals)),
    Field("contains", _each(Utf8Text(), Contains)),
    Field("matches", Converted(OneOrMore(_REGEX), all_of), _DIALECT),
    Field("empty", Converted(Flag(), Empty)),
    Field("lines", LinesShape()),
    Field("json", Converted(PathsShape(), IsJson)),
    Field("length", Converted(BoundsShape(), Length)),
    Field("snapshot", RecordingShape()),
    Field("not", Converted(_TEXTS, NoneOf)),
    Field("any", Converted(_TEXTS, AnyOf)),
    Field("all", Converted(_TEXTS, AllOf)),
)
_VALUE_WORDS = _matchers(
    Field("equals", Converted(AnyJson(), EqualsValue)),
    Field("contains", _each(AnyJson(), ContainsValue)),
    Field("matches", _each(_REGEX, AsText), _DIALECT),
    Field("empty", Converted(Flag(), EmptyValue)),
    Field("exists", Converted(Flag(), Exists)),
    Field("length", Converted(BoundsShape(), HasLength)),
    Field("min", Converted(PlainNumber(), lambda number: InBounds(Between(low=number)))),
    Field("max", Converted(PlainNumber(), lambda number: InBounds(Between(high=number)))),
    Field("json", PathsShape()),
    Field("some", Converted(VALUE, InList)),
    Field("not", Converted(_VALUES, NoneOf)),
    Field("any", Converted(_VALUES, AnyOf)),
    Field("all", Converted(_VALUES, AllOf)),
)
VALUE_WORDS = frozenset(word.name for word in _VALUE_WORDS.fields)
"""The names of matchers on JSON values."""

MATCHERS: Schema = {"$ref": "#/$defs/matchers"}
"""A mapping of matchers on JSON values, in the schema."""


def matcher_definitions() -> Schema:
    """Describe the matchers for the end of the schema (`$defs`)."""
    return {
        "text": TEXT.definition(),
        "number": NUMBER.definition(),
        "bounds": BoundsShape().definition(),
        "value": VALUE.definition(),
        "matchers": _VALUE_WORDS.schema(),
    }
