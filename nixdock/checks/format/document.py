"""Reading a document into nodes with positions: JSON here, YAML by `yaml_reader`."""

from __future__ import annotations

import json
import re
from bisect import bisect_right

from nixdock.checks.format.nodes import DEPTH_LIMIT, Listing, Node, Place, Scalar, Table, join_halves
from nixdock.checks.format.yaml_reader import read_yaml
from nixdock.errors import UsageError
from nixdock.text import shorten

_HALF = re.compile("[\ud800-\udfff]")
_SPACE = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_LITERAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null")


def decode_document(data: bytes, source: str) -> str:
    """Return a document's text.

    Args:
        data: The file's content.
        source: The file's name, as messages give it.

    Raises:
        UsageError: It is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{source}:{line}: it is not UTF-8") from error


def read_document(data: bytes, source: str) -> Node:
    """Read a document: JSON where its name ends in `.json`, YAML otherwise.

    Args:
        data: The file's content.
        source: The file's name, as messages give it.

    Raises:
        UsageError: It cannot be read; the message begins with the position.
    """
    text = decode_document(data, source)
    read = read_json if source.endswith(".json") else read_yaml
    try:
        return read(text, source)
    except UsageError as error:
        raise UsageError(shorten(error.message), hint=error.hint, details=error.details) from error


def read_json(text: str, source: str, *, replace_halves: bool = False) -> Node:
    """Read a JSON text strictly: duplicate keys and anything after the value are errors.

    Args:
        text: The text.
        source: What messages call it.
        replace_halves: Whether half a character (a surrogate that is alone) is read as U+FFFD.

    Raises:
        UsageError: It is not JSON; the message begins with the position.
    """
    return _Reader(text, source, replace_halves=replace_halves).read()


class _Reader:
    def __init__(self, text: str, source: str, *, replace_halves: bool) -> None:
        self._text = text
        self._source = source
        self._replace_halves = replace_halves
        self._position = 0
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def read(self) -> Node:
        node = self._value("", 0)
        self._skip()
        if self._position < len(self._text):
            raise self._fault("something stands after the JSON value")
        return node

    def _value(self, path: str, depth: int) -> Node:
        self._skip()
        place = self._place(self._position, path)
        if depth > DEPTH_LIMIT:
            raise self._fault(f"it is nested deeper than {DEPTH_LIMIT} levels")
        sign = self._next()
        if sign == "{":
            return Table(self._members(place, depth), place)
        if sign == "[":
            return Listing(self._elements(place, depth), place)
        if sign == '"':
            value = self._string()
            return Scalar(value, value, place)
        match = _LITERAL.match(self._text, self._position)
        if match is None:
            raise self._fault("it is not JSON: a value is missing here")
        try:
            number = json.loads(match[0])
        except ValueError as error:  # Python bounds the digits of a number
            raise self._fault("a number has too many digits") from error
        self._position = match.end()
        return Scalar(number, match[0], place)

    def _members(self, place: Place, depth: int) -> tuple[tuple[Scalar, Node], ...]:
        found: dict[str, tuple[Scalar, Node]] = {}
        self._position += 1
        while not self._closes("}", first=not found):
            start = self._position
            if self._next() != '"':
                raise self._fault("it is not JSON: a key in double quotes is missing here")
            key = self._string()
            if key in found:
                raise self._fault(f"the key {key!r} stands here a second time", start)
            self._skip()
            if self._next() != ":":
                raise self._fault("it is not JSON: ':' is missing here")
            self._position += 1
            name = Scalar(key, key, self._place(start, place.below(key)))
            found[key] = (name, self._value(place.below(key), depth + 1))
        return tuple(found.values())

    def _elements(self, place: Place, depth: int) -> tuple[Node, ...]:
        found: list[Node] = []
        self._position += 1
        while not self._closes("]", first=not found):
            found.append(self._value(place.below(len(found)), depth + 1))
        return tuple(found)

    def _closes(self, sign: str, *, first: bool) -> bool:
        """Step over the closing sign, or over the comma before a further element."""
        self._skip()
        if self._next() == sign:
            self._position += 1
            return True
        if first:
            return False
        if self._next() != ",":
            raise self._fault(f"it is not JSON: ',' or '{sign}' is missing here")
        self._position += 1
        self._skip()
        return False

    def _string(self) -> str:
        match = _STRING.match(self._text, self._position)
        if match is None:
            raise self._fault("it is not JSON: this text does not end on its line")
        try:
            value = str(json.loads(match[0]))
        except ValueError as error:
            raise self._fault("it is not JSON: this text has an escape that JSON does not know") from error
        if self._replace_halves:
            value = _HALF.sub("\ufffd", value)
        try:
            join_halves(value)
        except ValueError as error:
            raise self._fault(str(error)) from error
        self._position = match.end()
        return value

    def _next(self) -> str:
        return self._text[self._position : self._position + 1]

    def _skip(self) -> None:
        match = _SPACE.match(self._text, self._position)
        if match is not None:
            self._position = match.end()

    def _place(self, position: int, path: str) -> Place:
        line = bisect_right(self._starts, position)
        return Place(self._source, path, line, position - self._starts[line - 1] + 1)

    def _fault(self, message: str, position: int | None = None) -> UsageError:
        return UsageError(f"{self._place(self._position if position is None else position, '')}: {message}")
