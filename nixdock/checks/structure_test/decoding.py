"""Decoding of documents into the model's classes by Go's rules, for YAML and for JSON.

YAML is strict about keys. JSON ignores those that it does not know; the caller may warn of them. In
both, null leaves a value empty, whatever it is when it is not given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

from nixdock.checks.format.nodes import Listing, Node, Place, Scalar, Table, describe, suggest
from nixdock.checks.structure_test.model import SECOND, Word

if TYPE_CHECKING:
    from collections.abc import Mapping

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class _Key:
    """What is said of one field of a class."""

    attribute: str
    kind: Any
    yaml: str
    go: str
    metadata: Mapping[str, Any]


@dataclass(slots=True)
class Decoder:
    """Decodes one document.

    Args:
        is_json: Whether JSON's rules hold, or YAML's.
        version: The schema version, whose keys are known.
        problems: What makes the document unusable, in the order of reading.
        ignored: Keys that mean nothing.
    """

    is_json: bool
    version: str = SECOND
    problems: list[tuple[Place, str]] = field(default_factory=list)
    ignored: list[tuple[Place, str]] = field(default_factory=list)

    def decode(self, record: type[Record], node: Node) -> Record:
        """Return a document as a value of a class; it is of no use where there are problems."""
        decoded: Record = self._decode(record, node)
        return decoded

    def _decode(self, kind: Any, node: Node) -> Any:  # noqa: ANN401 - what `kind` says
        if isinstance(kind, UnionType):
            kind, nothing = get_args(kind)[0], None
        else:
            nothing = kind() if isinstance(kind, type) and kind is not Word else ()
        if isinstance(node, Scalar) and node.value is None:
            return nothing
        if is_dataclass(kind):
            return self._decode_record(kind, node)
        if kind is Word:
            text = self._decode(str, node)
            return (text,) if text else ()
        if kind in _SCALARS:
            return self._decode_scalar(kind, node)
        if not isinstance(node, Listing):
            self._refuse(node, "a list")
            return ()
        return tuple(self._decode(get_args(kind)[0], item) for item in node.items)

    def _decode_scalar(self, kind: type, node: Node) -> str | bool | int | None:
        value = node.value if isinstance(node, Scalar) else None
        if kind is str and isinstance(node, Scalar) and (isinstance(value, str) or not self.is_json):
            return node.text
        if kind is bool and isinstance(value, bool):
            return value
        if kind is int and not isinstance(value, bool):
            if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
                return value
            if isinstance(value, float) and not self.is_json and value <= 1 << 63:
                # Its fraction is dropped; what is too large or small becomes what processors make of it.
                return int(value) if abs(value) < 1 << 63 else -1 << 63
        self._refuse(node, _SCALARS[kind])
        return None

    def _decode_record(self, record: Any, node: Node) -> Any:  # noqa: ANN401 - what `record` is
        if not isinstance(node, Table):
            self._refuse(node, f"a mapping ({record.what.format(version=self.version)})")
            return record()
        keys = _keys(record)
        known = {
            key.go.casefold() if self.is_json else key.yaml: key
            for key in keys
            if self.version == SECOND or not key.metadata.get("second")
        }
        values = {
            key.attribute: key.metadata["unless_given"]
            for key in keys
            if "unless_given" in key.metadata and (not self.is_json or key not in known.values())
        }
        seen: set[str] = set()
        for name, item in node.entries:
            key = known.get(name.text.casefold() if self.is_json else name.text)
            if key is None:
                self._pass_over(name, record, known.values())
                continue
            if key.attribute in seen:
                self.problems.append((name.place, f"the key {name.text!r} stands here a second time"))
            seen.add(key.attribute)
            other = key.metadata.get("second_type") if self.version == SECOND else None
            values[key.attribute] = self._decode(other or key.kind, item)
        if "place" in record.__dataclass_fields__:
            values["place"] = str(node.place)
        return record(**values)

    def _pass_over(self, name: Scalar, record: Any, known: Any) -> None:  # noqa: ANN401 - as above
        names = tuple(key.go if self.is_json else key.yaml for key in known)
        message = (
            f"{record.what.format(version=self.version)} has no key {name.text!r}{suggest(name.text, names)}"
        )
        (self.ignored if self.is_json else self.problems).append((name.place, message))

    def _refuse(self, node: Node, expected: str) -> None:
        self.problems.append((node.place, f"expected {expected}, found {describe(node)}"))


_SCALARS = {str: "a text", bool: "true or false", int: "a whole number"}


@cache
def _keys(record: type) -> tuple[_Key, ...]:
    kinds = get_type_hints(record)
    found = []
    for one in fields(record):
        if one.name == "place":
            continue
        camel = re.sub(r"_(.)", lambda letter: letter[1].upper(), one.name)
        yaml = one.metadata.get("yaml") or camel
        found.append(_Key(one.name, kinds[one.name], yaml, one.metadata.get("go") or yaml, one.metadata))
    return tuple(found)
