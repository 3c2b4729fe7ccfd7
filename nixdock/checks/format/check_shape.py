"""Checks by their names: reading each by its kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nixdock.checks.format.kinds import KINDS, KindShape
from nixdock.checks.format.nodes import Node, Scalar, Table
from nixdock.checks.format.shapes import (
    DURATION,
    Field,
    ListOf,
    Problems,
    Record,
    Schema,
    Shape,
    Text,
    UnreadableError,
    describe,
    suggest,
)
from nixdock.checks.model import Check

COMMON = (
    Field("timeout", DURATION, "Time that one try may take; 30 s unless told."),
    Field("tags", ListOf(Text(), single=True), "Words to choose checks by."),
    Field("skip", Text("a reason"), "Why it is not run."),
    Field("xfail", Text("a reason"), "Why it is expected to fail."),
)
POLLING = (
    Field("within", DURATION, "Time within which it must hold; it is tried again until then."),
    Field("interval", DURATION, "Time between two tries."),
)


def read_check(name: Scalar, node: Node, problems: Problems) -> Check:
    """Read one check: exactly one key names its kind, the others belong to that kind.

    Raises:
        UnreadableError: It cannot be read.
    """
    if not isinstance(node, Table):
        raise problems.fail(node.place, f"expected a check (a mapping), found {describe(node)}")
    kind = _kind_of(name.text, node, problems)
    common = COMMON + (POLLING if kind.polls else ())
    fields = (Field(kind.name, kind.value, kind.help, attribute="value", required=True), *kind.keys, *common)
    shape: Record[dict[str, Any]] = Record(dict, fields, f"the check {name.text!r} (kind {kind.name})")
    values = shape.read_keys(node, problems)
    timing = {field.name: values.pop(field.name) for field in common if field.name in values}
    value = values.pop("value")
    try:
        what = kind.make(value, **values)
    except ValueError as error:
        raise problems.fail(node.place, str(error)) from error
    return Check(name.text, kind.name, what, place=str(name.place), **timing)


def _kind_of(name: str, node: Table, problems: Problems) -> KindShape:
    keys = [key.text for key, _ in node.entries]
    kinds = [key for key in keys if key in KINDS]
    # `size` is a kind, and what a file has.
    if len(kinds) > 1:
        beside = {field.name for kind in kinds for field in KINDS[kind].keys}
        kinds = [kind for kind in kinds if kind not in beside] or kinds
    if not kinds:
        near = next((said for key in keys if (said := suggest(key, tuple(KINDS)))), "")
        raise problems.fail(
            node.place, f"the check {name!r} has no kind{near or '; there are ' + ', '.join(KINDS)}"
        )
    if len(kinds) > 1:
        raise problems.fail(node.place, f"the check {name!r} has two kinds: {' and '.join(kinds)}")
    return KINDS[kinds[0]]


@dataclass(frozen=True, slots=True)
class ChecksShape(Shape[tuple[Check, ...]]):
    """Checks by their names."""

    def read(self, node: Node, problems: Problems) -> tuple[Check, ...]:
        """Return the checks in their order."""
        if not isinstance(node, Table):
            raise problems.fail(node.place, f"expected checks by their names, found {describe(node)}")
        found: list[Check] = []
        complete = True
        for name, item in node.entries:
            try:
                found.append(read_check(name, item, problems))
            except UnreadableError:
                complete = False
        if not complete:
            raise UnreadableError
        return tuple(found)

    def schema(self) -> Schema:
        """An object of checks."""
        return {"type": "object", "additionalProperties": {"$ref": "#/$defs/check"}}


def check_definition() -> Schema:
    """Describe a check for the end of the schema (`$defs`): one alternative for each kind."""
    alternatives: list[Schema] = []
    for kind in KINDS.values():
        common = COMMON + (POLLING if kind.polls else ())
        own = Field(kind.name, kind.value, kind.help, required=True)
        shape: Record[Any] = Record(dict, (own, *kind.keys, *common), kind.name)
        alternatives.append({"title": kind.name, **shape.schema()})
    return {"oneOf": alternatives}
