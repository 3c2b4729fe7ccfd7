"""Decoding of documents into typed values by Go's rules, for YAML and for JSON.

A field has two names: its key in YAML, and its name in Go, which is what JSON goes by, in any case.
YAML is strict about keys. JSON ignores those that it does not know; the caller may warn of them. In
both, null leaves a value empty, whatever its default.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from nixdock.checks.format.nodes import Listing, Node, Place, Scalar, Table, describe, suggest

if TYPE_CHECKING:
    from collections.abc import Callable

Value = TypeVar("Value")


class Dialect(Enum):
    """Which of Go's decoders reads the document."""

    YAML = "YAML"
    JSON = "JSON"


@dataclass(slots=True)
class Decoding:
    """How a document is decoded, and what was found wrong with it.

    Args:
        dialect: Which decoder's rules.
        problems: What makes the document unusable, in the order of reading.
        ignored: Keys that mean nothing.
    """

    dialect: Dialect
    problems: list[tuple[Place, str]] = field(default_factory=list)
    ignored: list[tuple[Place, str]] = field(default_factory=list)

    @property
    def is_json(self) -> bool:
        """Whether JSON's rules hold."""
        return self.dialect is Dialect.JSON

    def note(self, place: Place, message: str) -> None:
        """Note a problem and read on."""
        self.problems.append((place, message))


class Shape(ABC, Generic[Value]):
    """What a field holds."""

    __slots__ = ()

    @property
    @abstractmethod
    def empty(self) -> Value:
        """The value of a field that is not given, or is null."""

    @abstractmethod
    def read(self, node: Node, decoding: Decoding, before: Value) -> Value:
        """Return the value of a node that is not null.

        Args:
            node: The node.
            decoding: Takes problems; the value is of no use then.
            before: What the field held before: Go decodes into what is there.
        """

    def decode(self, node: Node, decoding: Decoding, before: Value) -> Value:
        """Return the value of a node."""
        if isinstance(node, Scalar) and node.value is None:
            return before if decoding.is_json else self.empty
        return self.read(node, decoding, before)


class Text(Shape[str]):
    """A text: in YAML any scalar as it is written, in JSON a string."""

    __slots__ = ()

    @property
    def empty(self) -> str:
        """The empty text."""
        return ""

    def read(self, node: Node, decoding: Decoding, before: str) -> str:
        """Return the text as written."""
        if isinstance(node, Scalar) and (isinstance(node.value, str) or not decoding.is_json):
            return node.text
        decoding.note(node.place, f"expected a text, found {describe(node)}")
        return before


class Flag(Shape[bool]):
    """A truth value."""

    __slots__ = ()

    @property
    def empty(self) -> bool:
        """False."""
        return False

    def read(self, node: Node, decoding: Decoding, before: bool) -> bool:
        """Return the truth value."""
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        decoding.note(node.place, f"expected true or false, found {describe(node)}")
        return before


class Whole(Shape[int]):
    """A whole number; YAML takes one with a fraction, and drops that."""

    __slots__ = ()

    @property
    def empty(self) -> int:
        """Zero."""
        return 0

    def read(self, node: Node, decoding: Decoding, before: int) -> int:
        """Return the number."""
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, int) and not isinstance(value, bool) and value < 1 << 63:
            return value
        if isinstance(value, float) and not decoding.is_json and value <= 1 << 63:
            # What is too small or just too large becomes what processors make of it.
            return int(value) if abs(value) < 1 << 63 else -1 << 63
        decoding.note(node.place, f"expected a whole number, found {describe(node)}")
        return before


@dataclass(frozen=True, slots=True)
class Each(Shape[tuple[Value, ...]]):
    """A list whose elements have one shape."""

    element: Shape[Value]

    @property
    def empty(self) -> tuple[Value, ...]:
        """No elements."""
        return ()

    def decode(self, node: Node, decoding: Decoding, before: tuple[Value, ...]) -> tuple[Value, ...]:
        """Return the elements; null is no elements, in JSON too."""
        if isinstance(node, Scalar) and node.value is None:
            return ()
        return self.read(node, decoding, before)

    def read(self, node: Node, decoding: Decoding, before: tuple[Value, ...]) -> tuple[Value, ...]:
        """Return the elements."""
        if not isinstance(node, Listing):
            decoding.note(node.place, f"expected a list, found {describe(node)}")
            return before
        # Go decodes an array into the elements of the one that was there before.
        old = before if decoding.is_json else ()
        return tuple(
            self.element.decode(item, decoding, old[index] if index < len(old) else self.element.empty)
            for index, item in enumerate(node.items)
        )


@dataclass(frozen=True, slots=True)
class Optional(Shape[tuple[Value, ...] | None]):
    """A list whose absence is different from its being empty."""

    inner: Each[Value]

    @property
    def empty(self) -> tuple[Value, ...] | None:
        """No list."""
        return None

    def read(
        self, node: Node, decoding: Decoding, before: tuple[Value, ...] | None
    ) -> tuple[Value, ...] | None:
        """Return the elements."""
        return self.inner.read(node, decoding, before or ())

    def decode(
        self, node: Node, decoding: Decoding, before: tuple[Value, ...] | None
    ) -> tuple[Value, ...] | None:
        """Return the list, or None: for a pointer null is a value in JSON too."""
        if isinstance(node, Scalar) and node.value is None:
            return None
        return self.read(node, decoding, before)


class Word(Shape[tuple[str, ...]]):
    """A text as a list of one; the empty text is no word."""

    __slots__ = ()

    @property
    def empty(self) -> tuple[str, ...]:
        """No word."""
        return ()

    def read(self, node: Node, decoding: Decoding, before: tuple[str, ...]) -> tuple[str, ...]:
        """Return the word."""
        text = Text().read(node, decoding, "".join(before))
        return (text,) if text else ()


@dataclass(frozen=True, slots=True)
class Key:
    """One field of a record.

    Args:
        yaml: Its key in YAML.
        attribute: What the value's class calls it.
        shape: What it holds.
        go: Its name in Go where that is not the YAML key in another case.
    """

    yaml: str
    attribute: str
    shape: Shape[Any]
    go: str = ""

    @property
    def folded(self) -> str:
        """What JSON's keys are compared with."""
        return (self.go or self.yaml).casefold()


@dataclass(frozen=True, slots=True)
class Record(Shape[Value]):
    """A mapping with known keys.

    Args:
        make: Makes the empty value; a dataclass.
        what: What messages call the record.
        keys: Its keys.
        yaml_defaults: Values that keys have in YAML when they are not given.
    """

    make: Callable[..., Value]
    what: str
    keys: tuple[Key, ...]
    yaml_defaults: tuple[tuple[str, Any], ...] = ()

    @property
    def empty(self) -> Value:
        """The record without any key; defaults belong to one that is there."""
        return self.make()

    def read(self, node: Node, decoding: Decoding, before: Value) -> Value:
        """Return the record with what its keys say."""
        if not isinstance(node, Table):
            decoding.note(node.place, f"expected a mapping ({self.what}), found {describe(node)}")
            return before
        values: dict[str, Any] = {} if decoding.is_json else dict(self.yaml_defaults)
        seen: set[str] = set()
        for name, item in node.entries:
            key = self._find(name, decoding)
            if key is None:
                continue
            if key.yaml in seen:
                decoding.note(name.place, f"the key {name.text!r} stands here a second time")
            seen.add(key.yaml)
            old = values.get(key.attribute, getattr(before, key.attribute))
            values[key.attribute] = key.shape.decode(item, decoding, old)
        if any(member.name == "place" for member in fields(before)):  # type: ignore[arg-type]
            values["place"] = str(node.place)
        return replace(before, **values)  # type: ignore[type-var]

    def _find(self, name: Scalar, decoding: Decoding) -> Key | None:
        if decoding.is_json:
            folded = name.text.casefold()
            found = next((key for key in self.keys if key.folded == folded), None)
        else:
            found = next((key for key in self.keys if key.yaml == name.text), None)
        if found is not None:
            return found
        known = tuple(key.go or key.yaml if decoding.is_json else key.yaml for key in self.keys)
        message = f"{self.what} has no key {name.text!r}{suggest(name.text, known)}"
        if decoding.is_json:
            decoding.ignored.append((name.place, message))
        else:
            decoding.note(name.place, message)
        return None
