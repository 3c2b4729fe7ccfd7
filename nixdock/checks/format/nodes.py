"""A document as a tree of nodes that know where they stand, and what is wrong with it."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nixdock.errors import UsageError
from nixdock.text import shorten

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DEPTH_LIMIT = 64
"""How deep a document may be nested: ten times what the format needs."""

_MOST_TOLD = 50


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written.

    Args:
        source: The file, or what else the document came from.
        path: The way to it through the document: `checks.version.stdout`.
        line: Counted from 1; None where the document has no lines (a value from Nix).
        column: Counted from 1.
    """

    source: str
    path: str = ""
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        if self.line is not None:
            return f"{self.source}:{self.line}:{self.column}"
        return f"{self.source}: {self.path}" if self.path else self.source

    def below(self, key: str | int) -> str:
        """Return the path of a member or element."""
        if isinstance(key, int):
            return f"{self.path}[{key}]"
        return f"{self.path}.{key}" if self.path else key


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, number, boolean or null.

    Args:
        value: What it is.
        text: How it is written.
        place: Where.
    """

    value: str | int | float | bool | None
    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Listing:
    """A list."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping from texts, in its order."""

    entries: tuple[tuple[Scalar, Node], ...]
    place: Place

    def get(self, key: str) -> Node | None:
        """Return the value of a key, or None."""
        return next((node for name, node in self.entries if name.text == key), None)


Node = Scalar | Listing | Table


def join_halves(text: str) -> str:
    """Return a text with the halves of characters joined that escapes wrote one by one.

    Raises:
        ValueError: A half is alone.
    """
    try:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError as error:
        raise ValueError("it has half a character (a surrogate that is alone)") from error


def from_value(value: object, source: str, path: str = "") -> Node:
    """Turn a JSON value (an expression's `nixdock` attribute) into nodes.

    Args:
        value: The value.
        source: What messages call the document.
        path: What the value's own path is in it.
    """
    place = Place(source, path)
    if isinstance(value, dict):
        entries = tuple(
            (Scalar(key, key, Place(source, place.below(key))), from_value(item, source, place.below(key)))
            for key, item in value.items()
        )
        return Table(entries, place)
    if isinstance(value, list):
        items = tuple(from_value(item, source, place.below(index)) for index, item in enumerate(value))
        return Listing(items, place)
    if isinstance(value, str | int | float | bool | None):
        return Scalar(value, value if isinstance(value, str) else json.dumps(value), place)
    raise TypeError(f"not a JSON value: {value!r}")


def to_value(node: Node) -> Any:  # noqa: ANN401 - JSON
    """Return the plain JSON value of a node."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Listing):
        return [to_value(item) for item in node.items]
    return {name.text: to_value(item) for name, item in node.entries}


class UnreadableError(Exception):
    """A part could not be read; the problem has been noted."""


@dataclass(slots=True)
class Problems:
    """What is wrong with a document, in the order of its reading.

    Args:
        snapshots: The directory of the document's snapshots; None where the document is no file.
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
