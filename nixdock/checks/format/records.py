"""Records: mappings with known keys, declared together with the fields of the dataclass that they make."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any, cast, overload

from nixdock.checks.format.nodes import Problems, Table, UnreadableError, describe, suggest
from nixdock.checks.format.shapes import Schema, Shape, Unread, Value, attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nixdock.checks.format.nodes import Node


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
    help: str = ""
    attribute: str = ""
    required: bool = False

    def schema(self) -> Schema:
        """Its value's, with the sentence."""
        return {**self.shape.schema(), **({"description": self.help} if self.help else {})}


@overload
def key(shape: Shape[Value], about: str, *, name: str = "") -> Value | None: ...


@overload
def key(shape: Shape[Value], about: str, default: Value, *, name: str = "") -> Value: ...


def key(shape: Shape[Any], about: str, default: object = None, *, name: str = "") -> Any:
    """Declare a dataclass's field and the key that it is written as, in one.

    Args:
        shape: Of the key's value.
        about: One sentence for the schema.
        default: What the field is where there is no such key.
        name: The key, where it is not the field's name.
    """
    metadata = {"shape": shape, "about": about, "name": name}
    if isinstance(default, dict):
        return field(default_factory=default.copy, metadata=metadata)
    return field(default=default, metadata=metadata)


def required(shape: Shape[Value], about: str = "", *, name: str = "") -> Value:
    """Declare a field as `key` does, whose key must be there."""
    return cast("Value", field(metadata={"shape": shape, "about": about, "name": name}))


def fields_of(made: type[Any]) -> tuple[Field, ...]:
    """Return the keys that a dataclass declares by `key` and `required`."""
    return tuple(
        Field(
            one.metadata["name"] or one.name,
            one.metadata["shape"],
            one.metadata["about"],
            attribute=one.name,
            required=one.default is MISSING and one.default_factory is MISSING,
        )
        for one in fields(made)
        if "shape" in one.metadata
    )


@dataclass(frozen=True, slots=True)
class Record(Shape[Value]):
    """A mapping with known keys and no others.

    Args:
        make: Called with the values of the keys that are there, by their attributes.
        fields: The keys.
        what: What the record is, for messages.
        stranger: What is said of a key that it has not.
        nothing: What is said where there is no key at all; that is allowed when empty.
    """

    make: Callable[..., Value]
    fields: tuple[Field, ...]
    what: str
    stranger: str = "{what} has no key {name!r}{near}"
    nothing: str = ""

    def read(self, node: Node, problems: Problems) -> Value:
        """Return what `make` makes of the keys."""
        if not isinstance(node, Table):
            raise problems.fail(node.place, f"expected a mapping ({self.what}), found {describe(node)}")
        if self.nothing and not node.entries:
            raise problems.fail(node.place, f"this asks for nothing: write {self.nothing}")
        known = {field.name: field for field in self.fields}
        values: dict[str, Any] = {}
        complete = True
        for name, item in node.entries:
            entry = known.get(name.text)
            if entry is None:
                problems.note(name.place, self._refusal(name.text, known))
                complete = False
                continue
            value = attempt(entry.shape, item, problems)
            complete = complete and not isinstance(value, Unread)
            values[entry.attribute or entry.name] = value
        for entry in self.fields:
            if entry.required and node.get(entry.name) is None:
                problems.note(node.place, f"{self.what} lacks the key {entry.name!r}")
                complete = False
        if not complete:
            raise UnreadableError
        try:
            return self.make(**values)
        except ValueError as error:
            raise problems.fail(node.place, str(error)) from error

    def _refusal(self, name: str, known: Mapping[str, Field]) -> str:
        near = suggest(name, known)
        return self.stranger.format(what=self.what, name=name, near=near, known=", ".join(known))

    def schema(self) -> Schema:
        """An object with these properties alone."""
        described: Schema = {
            "type": "object",
            "properties": {field.name: field.schema() for field in self.fields},
            "additionalProperties": False,
        }
        if self.nothing:
            described["minProperties"] = 1
        needed = [field.name for field in self.fields if field.required]
        return {**described, "required": needed} if needed else described


def record_of(made: type[Value], what: str, *, nothing: str = "") -> Record[Value]:
    """Return the record whose keys a dataclass declares."""
    return Record(made, fields_of(made), what, nothing=nothing)
