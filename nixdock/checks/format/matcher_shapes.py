"""How matchers are written: a bare value is `equals`, a list is all of its matchers, a mapping names them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from nixdock.checks.format.nodes import Listing, Node, Scalar, Table, to_value
from nixdock.checks.format.shapes import (
    Flag,
    Problems,
    Schema,
    Shape,
    Text,
    UnreadableError,
    describe,
    suggest,
)
from nixdock.checks.matchers.algebra import AllOf, AnyOf, Matcher, NoneOf, all_of
from nixdock.checks.matchers.json_path import JsonPath
from nixdock.checks.matchers.number import PLAIN, Between, Number, Unit, exactly
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
)
from nixdock.checks.regex import compile_pattern
from nixdock.outcome import Output

if TYPE_CHECKING:
    from nixdock.checks.format.shapes import Value

Subject = TypeVar("Subject")
Reader = Callable[[Node, Problems], Matcher[Any]]

_TEXT_REF = {"$ref": "#/$defs/text"}
_NUMBER_REF = {"$ref": "#/$defs/number"}
_VALUE_REF = {"$ref": "#/$defs/value"}


@dataclass(frozen=True, slots=True)
class TextShape(Shape[Matcher[Output]]):
    """A matcher on text."""

    def read(self, node: Node, problems: Problems) -> Matcher[Output]:
        """Return the matcher."""
        if isinstance(node, Scalar):
            return Equals(_text(node, problems))
        if isinstance(node, Listing):
            return AllOf(_each(self, node, problems))
        return _read_table(node, problems, _TEXT_WORDS)

    def schema(self) -> Schema:
        """A reference to the definition that the schema ends with."""
        return _TEXT_REF


@dataclass(frozen=True, slots=True)
class NumberShape(Shape[Matcher[Number]]):
    """A matcher on a number with a unit.

    Args:
        unit: How the number is written.
        bare: Which bound a number without a word is; `equals` unless told.
    """

    unit: Unit = PLAIN
    bare: str = "equals"

    def read(self, node: Node, problems: Problems) -> Matcher[Number]:
        """Return the matcher."""
        if isinstance(node, Scalar):
            return _BOUNDS[self.bare](self._number(node, problems), self.unit)
        if isinstance(node, Listing):
            raise problems.fail(
                node.place, "one number cannot be several; write {any: [...]} for alternatives"
            )
        if node.entries and all(name.text in {"min", "max"} for name, _ in node.entries):
            return BoundsShape(self.unit).read(node, problems)
        words: dict[str, Reader] = {
            "equals": lambda item, found: exactly(self._number(item, found), self.unit),
            "min": lambda item, found: Between(self._number(item, found), None, self.unit),
            "max": lambda item, found: Between(None, self._number(item, found), self.unit),
            "not": lambda item, found: NoneOf(_one_or_each(self, item, found)),
            "any": lambda item, found: AnyOf(_one_or_each(self, item, found)),
        }
        return _read_table(node, problems, words)

    def _number(self, node: Node, problems: Problems) -> Number:
        return read_number(node, problems, self.unit)

    def schema(self) -> Schema:
        """A reference to the definition that the schema ends with."""
        return _NUMBER_REF


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
            return _BOUNDS[self.bare](read_number(node, problems, self.unit), self.unit)
        bounds: dict[str, Number] = {}
        for name, item in node.entries:
            if name.text not in {"min", "max", "equals"}:
                known = suggest(name.text, ("min", "max", "equals"))
                raise problems.fail(name.place, f"{name.text!r} is no bound: write min or max{known}")
            bounds[name.text] = read_number(item, problems, self.unit)
        if not bounds:
            raise problems.fail(node.place, "this asks for nothing: write min or max")
        low, high = bounds.get("min"), bounds.get("max")
        if "equals" in bounds:
            low = high = bounds["equals"]
        if low is not None and high is not None and low > high:
            raise problems.fail(node.place, "no number is that: min is above max")
        return Between(low, high, self.unit)

    def schema(self) -> Schema:
        """A bare number or its bounds."""
        return {"$ref": "#/$defs/bounds"}


_BOUNDS: dict[str, Callable[[Number, Unit], Between]] = {
    "equals": exactly,
    "max": lambda number, unit: Between(None, number, unit),
    "min": lambda number, unit: Between(number, None, unit),
}


@dataclass(frozen=True, slots=True)
class ValueShape(Shape[Matcher[object]]):
    """A matcher on a JSON value; a bare list is the list itself."""

    def read(self, node: Node, problems: Problems) -> Matcher[object]:
        """Return the matcher."""
        if isinstance(node, Scalar | Listing):
            return EqualsValue(to_value(node))
        return _read_table(node, problems, VALUE_WORDS)

    def schema(self) -> Schema:
        """A reference to the definition that the schema ends with."""
        return _VALUE_REF


TEXT = TextShape()
VALUE = ValueShape()
NUMBER = NumberShape()


def read_number(node: Node, problems: Problems, unit: Unit) -> Number:
    """Return the number that a node is, in its unit.

    Raises:
        UnreadableError: It is none.
    """
    if not isinstance(node, Scalar) or node.value is None or isinstance(node.value, bool):
        raise problems.fail(node.place, f"expected {unit.name}, found {describe(node)}")
    try:
        return unit.parse(node.text)
    except ValueError as error:
        raise problems.fail(node.place, str(error)) from error


def _read_table(node: Table, problems: Problems, words: dict[str, Reader]) -> Matcher[Any]:
    """Return one matcher for all words of a mapping."""
    if not node.entries:
        raise problems.fail(node.place, "this asks for nothing: write such as {contains: text}")
    parts: list[Matcher[Any]] = []
    complete = True
    for name, item in node.entries:
        reader = words.get(name.text)
        if reader is None:
            known = ", ".join(words)
            message = f"{name.text!r} is no matcher{suggest(name.text, words)}; there are {known}"
            problems.note(name.place, message)
            complete = False
            continue
        try:
            parts.append(reader(item, problems))
        except UnreadableError:
            complete = False
    if not complete:
        raise UnreadableError
    return all_of(tuple(parts))


def _each(shape: Shape[Value], node: Listing, problems: Problems) -> tuple[Value, ...]:
    if not node.items:
        raise problems.fail(node.place, "an empty list asks for nothing; write {empty: true} for no output")
    return tuple(shape.read(item, problems) for item in node.items)


def _one_or_each(shape: Shape[Value], node: Node, problems: Problems) -> tuple[Value, ...]:
    return _each(shape, node, problems) if isinstance(node, Listing) else (shape.read(node, problems),)


def _text(node: Node, problems: Problems) -> bytes:
    if isinstance(node, Scalar) and node.value is None:
        raise problems.fail(node.place, "null is no text; write {empty: true} for no output")
    return Text().read(node, problems).encode(errors="surrogatepass")


def _all(make: Callable[[Node, Problems], Matcher[Any]]) -> Reader:
    """Read one thing, or a list of which all must hold."""

    def read(node: Node, problems: Problems) -> Matcher[Any]:
        if not isinstance(node, Listing):
            return make(node, problems)
        if not node.items:
            raise problems.fail(node.place, "an empty list asks for nothing")
        return all_of(tuple(make(item, problems) for item in node.items))

    return read


def _matches(node: Node, problems: Problems) -> Matches:
    text = Text("a regular expression").read(node, problems)
    try:
        return Matches(compile_pattern(text))
    except ValueError as error:
        raise problems.fail(node.place, str(error)) from error


def _lines(node: Node, problems: Problems) -> Lines:
    if isinstance(node, Listing):
        return Lines(exactly=tuple(TEXT.read(item, problems) for item in node.items))
    if not isinstance(node, Table):
        raise problems.fail(
            node.place, f"expected a list of lines or a mapping (some, every, count), found {describe(node)}"
        )
    some: tuple[Matcher[Output], ...] = ()
    every: Matcher[Output] | None = None
    count: Between | None = None
    for name, item in node.entries:
        match name.text:
            case "some":
                some = _one_or_each(TEXT, item, problems)
            case "every":
                every = TEXT.read(item, problems)
            case "count":
                count = BoundsShape().read(item, problems)
            case word:
                known = suggest(word, ("some", "every", "count"))
                message = f"lines have no {word!r}{known}; there are some, every, count"
                raise problems.fail(name.place, message)
    if not node.entries:
        raise problems.fail(node.place, "this asks for nothing: write some, every or count")
    return Lines(some=some, every=every, count=count)


def _paths(node: Node, problems: Problems) -> Matcher[object]:
    """Read a mapping from paths into JSON to matchers of what is there."""
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


def _recorded(node: Node, problems: Problems) -> RecordedIn:
    name = Text("a name for the snapshot").read(node, problems)
    if not name or name.startswith((".", "-")) or "/" in name:
        raise problems.fail(node.place, f"{name!r} is no name for a snapshot: it becomes a file's name")
    file = problems.snapshots / f"{name}.txt" if problems.snapshots else None
    return RecordedIn(name, file, update=problems.update)


_TEXT_WORDS: dict[str, Reader] = {
    "equals": lambda node, problems: Equals(_text(node, problems)),
    "contains": _all(lambda node, problems: Contains(_text(node, problems))),
    "matches": _all(_matches),
    "empty": lambda node, problems: Empty(Flag().read(node, problems)),
    "lines": _lines,
    "json": lambda node, problems: IsJson(_paths(node, problems)),
    "length": lambda node, problems: Length(BoundsShape().read(node, problems)),
    "snapshot": _recorded,
    "not": lambda node, problems: NoneOf(_one_or_each(TEXT, node, problems)),
    "any": lambda node, problems: AnyOf(_one_or_each(TEXT, node, problems)),
    "all": lambda node, problems: AllOf(_one_or_each(TEXT, node, problems)),
}

VALUE_WORDS: dict[str, Reader] = {
    "equals": lambda node, problems: EqualsValue(to_value(node)),  # noqa: ARG005 - any value will do
    "contains": _all(lambda node, problems: ContainsValue(to_value(node))),  # noqa: ARG005
    "matches": _all(lambda node, problems: AsText(_matches(node, problems))),
    "empty": lambda node, problems: EmptyValue(Flag().read(node, problems)),
    "exists": lambda node, problems: Exists(Flag().read(node, problems)),
    "length": lambda node, problems: HasLength(BoundsShape().read(node, problems)),
    "min": lambda node, problems: InBounds(Between(low=read_number(node, problems, PLAIN))),
    "max": lambda node, problems: InBounds(Between(high=read_number(node, problems, PLAIN))),
    "json": _paths,
    "some": lambda node, problems: InList(VALUE.read(node, problems)),
    "not": lambda node, problems: NoneOf(_one_of_values(node, problems)),
    "any": lambda node, problems: AnyOf(_one_of_values(node, problems)),
    "all": lambda node, problems: AllOf(_one_of_values(node, problems)),
}


def _one_of_values(node: Node, problems: Problems) -> tuple[Matcher[object], ...]:
    return _one_or_each(VALUE, node, problems)


def matcher_definitions() -> Schema:
    """Describe the matchers for the end of the schema (`$defs`)."""
    scalar: Schema = {"type": ["string", "number", "boolean"]}
    texts: Schema = {"anyOf": [scalar, {"type": "array", "items": scalar, "minItems": 1}]}
    numbers: Schema = {"type": ["number", "string"]}

    def several(reference: Schema) -> Schema:
        return {"anyOf": [reference, {"type": "array", "items": reference, "minItems": 1}]}

    def words(properties: Schema) -> Schema:
        return {
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
            "minProperties": 1,
        }

    bounds = words({"min": numbers, "max": numbers, "equals": numbers})
    paths: Schema = {"type": "object", "additionalProperties": _VALUE_REF, "minProperties": 1}
    lines: Schema = {
        "anyOf": [
            {"type": "array", "items": _TEXT_REF},
            words({"some": several(_TEXT_REF), "every": _TEXT_REF, "count": {"$ref": "#/$defs/bounds"}}),
        ]
    }
    text_words: Schema = {
        "equals": scalar,
        "contains": texts,
        "matches": {**texts, "description": "RE2; '$' is the very end, '(?m)' makes it a line's end."},
        "empty": {"type": "boolean"},
        "lines": lines,
        "json": paths,
        "length": {"$ref": "#/$defs/bounds"},
        "snapshot": {"type": "string"},
        "not": several(_TEXT_REF),
        "any": several(_TEXT_REF),
        "all": several(_TEXT_REF),
    }
    value_words: Schema = {
        "equals": {},
        "contains": {},
        "matches": texts,
        "empty": {"type": "boolean"},
        "exists": {"type": "boolean"},
        "length": {"$ref": "#/$defs/bounds"},
        "min": numbers,
        "max": numbers,
        "json": paths,
        "some": _VALUE_REF,
        "not": several(_VALUE_REF),
        "any": several(_VALUE_REF),
        "all": several(_VALUE_REF),
    }
    number_words: Schema = {
        "equals": numbers,
        "min": numbers,
        "max": numbers,
        "not": several(_NUMBER_REF),
        "any": several(_NUMBER_REF),
    }
    return {
        "text": {"anyOf": [scalar, {"type": "array", "items": _TEXT_REF, "minItems": 1}, words(text_words)]},
        "number": {"anyOf": [numbers, words(number_words)]},
        "bounds": {"anyOf": [numbers, bounds]},
        "value": {"anyOf": [{"type": ["string", "number", "boolean", "null", "array"]}, words(value_words)]},
    }
