"""Checks by their names: the table of kinds, and reading each check by its kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nixdock.checks.format.nodes import Node, Problems, Scalar, Table, UnreadableError, describe, suggest
from nixdock.checks.format.records import Record, fields_of
from nixdock.checks.format.shapes import Schema, Shape
from nixdock.checks.kinds.accounts import GroupCheck, UserCheck
from nixdock.checks.kinds.budget import BudgetCheck
from nixdock.checks.kinds.closure import ClosureCheck
from nixdock.checks.kinds.config import ConfigCheck
from nixdock.checks.kinds.exec import ExecCheck
from nixdock.checks.kinds.file import FileCheck
from nixdock.checks.kinds.http import HttpCheck
from nixdock.checks.kinds.lint import LintCheck
from nixdock.checks.kinds.logs import LogsCheck
from nixdock.checks.kinds.run import RunCheck
from nixdock.checks.kinds.size import SizeCheck
from nixdock.checks.kinds.snapshot import SnapshotCheck
from nixdock.checks.kinds.stop import StopCheck
from nixdock.checks.kinds.writes import WritesCheck
from nixdock.checks.model import Check, CheckKind

KINDS: dict[str, type[CheckKind]] = {
    kind.kind: kind
    for kind in (
        RunCheck,
        ExecCheck,
        HttpCheck,
        LogsCheck,
        StopCheck,
        FileCheck,
        UserCheck,
        GroupCheck,
        ConfigCheck,
        SizeCheck,
        ClosureCheck,
        LintCheck,
        BudgetCheck,
        WritesCheck,
        SnapshotCheck,
    )
}
"""All kinds by their names, in the order of the README's table."""

_COMMON = fields_of(Check)
_POLLING = ("within", "interval")


def _record_of(kind: type[CheckKind], what: str) -> Record[dict[str, Any]]:
    common = (one for one in _COMMON if kind.polls or one.name not in _POLLING)
    return Record(dict, (*kind.record_keys(), *common), what)


def read_check(name: Scalar, node: Node, problems: Problems) -> Check:
    """Read one check: exactly one key names its kind, the others belong to that kind.

    Raises:
        UnreadableError: It cannot be read.
    """
    if not isinstance(node, Table):
        raise problems.fail(node.place, f"expected a check (a mapping), found {describe(node)}")
    kind = _kind_of(name.text, node, problems)
    values = _record_of(kind, f"the check {name.text!r} (kind {kind.kind})").read(node, problems)
    common = {one.name: values.pop(one.name) for one in _COMMON if one.name in values}
    try:
        what = kind.make(**values)
    except ValueError as error:
        raise problems.fail(node.place, str(error)) from error
    return Check(name.text, what, place=str(name.place), **common)


def _kind_of(name: str, node: Table, problems: Problems) -> type[CheckKind]:
    keys = [key.text for key, _ in node.entries]
    kinds = [key for key in keys if key in KINDS]
    # `size` is a kind, and what a file has.
    if len(kinds) > 1:
        beside = {one.name for kind in kinds for one in KINDS[kind].record_keys() if one.name != kind}
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
    return {"oneOf": [{"title": name, **_record_of(kind, name).schema()} for name, kind in KINDS.items()]}
