"""JSON as Go's encoding/json reads it into typed fields.

What was observed with the real program (Go 1.22): bytes that are not UTF-8, and halves of surrogate
pairs, are read as U+FFFD; a byte order mark is refused; keys that stand twice are no error.
"""

from __future__ import annotations

import json
import re

from nixdock.checks.format.nodes import Listing, Node, Place, Scalar, Table
from nixdock.checks.regex import as_utf8
from nixdock.errors import UsageError

_HALVES = re.compile("[\ud800-\udfff]")


def read_go_json(data: bytes, source: str) -> Node:
    """Read a JSON file; all entries of an object are kept, those with the same key too.

    Args:
        data: The file.
        source: What messages call it.

    Raises:
        UsageError: It is not JSON.
    """
    text = bytes(as_utf8(data)[:]).decode()
    try:
        value = json.loads(
            text,
            object_pairs_hook=_Members,
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{source}:{error.lineno}:{error.colno}: it is not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        ) from error
    except (ValueError, RecursionError) as error:
        said = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise UsageError(f"{source}: it is not JSON: {said}") from error
    return _to_node(value, source, "")


class _Members(tuple[tuple[str, object], ...]):
    """The entries of an object, in their order."""

    __slots__ = ()


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


def _refuse_constant(word: str) -> float:
    raise ValueError(f"{word} is no value of JSON")


def _to_node(value: object, source: str, path: str) -> Node:
    place = Place(source, path)
    if isinstance(value, _Members):
        entries: list[tuple[Scalar, Node]] = []
        for name, item in value:
            key = _HALVES.sub("\ufffd", name)
            inner = place.below(key)
            entries.append((Scalar(key, key, Place(source, inner)), _to_node(item, source, inner)))
        return Table(tuple(entries), place)
    if isinstance(value, list):
        items = (_to_node(item, source, place.below(index)) for index, item in enumerate(value))
        return Listing(tuple(items), place)
    if isinstance(value, _Number):
        return Scalar(_read_number(value), str(value), place)
    if isinstance(value, bool) or value is None:
        return Scalar(value, json.dumps(value), place)
    text = _HALVES.sub("\ufffd", str(value))
    return Scalar(text, text, place)


def _read_number(text: str) -> int | float:
    """Return an int where Go's ParseInt takes the text, and a float otherwise."""
    if re.fullmatch(r"-?[0-9]{1,19}", text) and -(1 << 63) <= int(text) < 1 << 63:
        return int(text)
    return float(text)
