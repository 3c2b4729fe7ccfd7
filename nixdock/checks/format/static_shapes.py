"""What is asked of the image itself: files, users, size, closure, faults, recordings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from nixdock.checks.format.matcher_shapes import VALUE, BoundsShape
from nixdock.checks.format.nodes import Listing, Node, Scalar, Table
from nixdock.checks.format.shapes import (
    Choice,
    Field,
    Flag,
    ListOf,
    MapOf,
    Parsed,
    Problems,
    Record,
    Schema,
    Shape,
    Text,
)
from nixdock.checks.lint.rules import RULES
from nixdock.checks.matchers.number import BYTES, Between
from nixdock.checks.matchers.value import SameSet
from nixdock.checks.model import (
    ClosureCheck,
    FileCheck,
    GroupCheck,
    Licences,
    LintCheck,
    SizeCheck,
    SnapshotCheck,
    UserCheck,
)

_SHA256 = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
PATTERNS = ListOf(Text("a pattern such as '*-dev'"), single=True)


def parse_absolute(text: str) -> str:
    """Read a path in the image.

    Raises:
        ValueError: It does not begin at the root.
    """
    if not text.startswith("/"):
        raise ValueError(f"{text!r} is not a path in the image: it must begin with '/'")
    return text


def parse_sha256(text: str) -> str:
    """Read a sha256 as 64 hexadecimal digits, with or without `sha256:` before it.

    Raises:
        ValueError: It is none.
    """
    match = _SHA256.fullmatch(text.lower())
    if match is None:
        raise ValueError(f"{text!r} is not a sha256: it has 64 hexadecimal digits")
    return match[1]


@dataclass(frozen=True, slots=True)
class EntriesShape(Shape[Any]):
    """Names in a directory, or members of a group: a bare list means these and no others."""

    def read(self, node: Node, problems: Problems) -> Any:  # noqa: ANN401 - a matcher on a list
        """Return the matcher."""
        if isinstance(node, Listing):
            return SameSet(frozenset(Text().read(item, problems) for item in node.items))
        return VALUE.read(node, problems)

    def schema(self) -> Schema:
        """A value matcher."""
        return VALUE.schema()


def make_file(path: str, **values: Any) -> FileCheck:  # noqa: ANN401
    """Make a check of a file.

    Raises:
        ValueError: It must not exist, and have properties all the same.
    """
    if values.get("exists") is False and len(values) > 1:
        raise ValueError("what must not exist can have no other properties")
    return FileCheck(path, **values)


def make_user(name: str, **values: Any) -> UserCheck:  # noqa: ANN401
    """Make a check of a user.

    Raises:
        ValueError: It must not exist, and have properties all the same.
    """
    if values.get("exists") is False and len(values) > 1:
        raise ValueError("who must not exist can have no other properties")
    return UserCheck(name, **values)


def make_group(name: str, **values: Any) -> GroupCheck:  # noqa: ANN401
    """Make a check of a group.

    Raises:
        ValueError: It must not exist, and have properties all the same.
    """
    if values.get("exists") is False and len(values) > 1:
        raise ValueError("what must not exist can have no other properties")
    return GroupCheck(name, **values)


_SIZE_BUDGET = BoundsShape(BYTES, "max")


@dataclass(frozen=True, slots=True)
class SizeShape(Shape[SizeCheck]):
    """Budgets of the image, its layers and its store paths."""

    _extra: ClassVar[Record[dict[str, Any]]] = Record(
        dict,
        (
            Field("layer", _SIZE_BUDGET, "Bytes of each layer."),
            Field("layers", BoundsShape(bare="max"), "The number of layers."),
            Field("paths", MapOf(_SIZE_BUDGET), "Bytes of each store path whose name matches a pattern."),
            Field("max", Parsed(BYTES.parse, BYTES.name), "At most so many bytes in all layers."),
            Field("min", Parsed(BYTES.parse, BYTES.name), "At least so many bytes in all layers."),
        ),
        "size",
    )

    def read(self, node: Node, problems: Problems) -> SizeCheck:
        """Return the budgets."""
        if isinstance(node, Scalar):
            return SizeCheck(total=_SIZE_BUDGET.read(node, problems))
        values = self._extra.read_keys(node, problems)
        low, high = values.pop("min", None), values.pop("max", None)
        if low is not None or high is not None:
            values["total"] = Between(low, high, BYTES)
        if not values:
            raise problems.fail(node.place, "this asks for nothing: write max, layer, layers or paths")
        return SizeCheck(**values)

    def schema(self) -> Schema:
        """A size or a mapping."""
        return {"anyOf": [{"type": ["string", "number"]}, self._extra.schema()]}


_LICENCES = Record(
    Licences,
    (
        Field(
            "of",
            MapOf(ListOf(Text(), single=True)),
            "What is known: a pattern of store path names to SPDX identifiers.",
            required=True,
        ),
        Field("allow", PATTERNS, "Patterns of licences that are allowed; any unless told."),
        Field("forbid", PATTERNS, "Patterns of licences that are not."),
        Field("unknown", Flag(), "Whether a licence that is not known is allowed; true unless told."),
    ),
    "licences",
)
CLOSURE = Record(
    ClosureCheck,
    (
        Field("forbid", PATTERNS, "Patterns of store path names that may not be in the image."),
        Field("allow", PATTERNS, "Patterns of store path names; nothing else may be in the image."),
        Field("licences", _LICENCES, "What licences the store paths may have."),
        Field("complete", Flag(), "Every store path that is referred to must be in the image."),
        Field("count", BoundsShape(bare="max"), "The number of store paths."),
    ),
    "closure",
)


@dataclass(frozen=True, slots=True)
class AskingShape(Shape[Any]):
    """A record that must ask for something."""

    record: Record[Any]

    def read(self, node: Node, problems: Problems) -> Any:  # noqa: ANN401 - what the record makes
        """Return the record's value."""
        if isinstance(node, Table) and not node.entries:
            words = ", ".join(field.name for field in self.record.fields)
            raise problems.fail(node.place, f"this asks for nothing: write one of {words}")
        return self.record.read(node, problems)

    def schema(self) -> Schema:
        """The record's, with at least one key."""
        return {**self.record.schema(), "minProperties": 1}


_RULES = ListOf(Choice(tuple(RULES)), single=True)
_LINT = Record(
    LintCheck,
    (
        Field("only", _RULES, "The rules to apply; all unless told."),
        Field("skip", _RULES, "Rules to leave out."),
        Field("strict", Flag(), "Fail on advice too, not on faults alone."),
    ),
    "lint",
)


@dataclass(frozen=True, slots=True)
class LintShape(Shape[LintCheck]):
    """true for all rules, or a mapping with `only`, `skip` or `strict`."""

    def read(self, node: Node, problems: Problems) -> LintCheck:
        """Return the choice of rules."""
        if isinstance(node, Scalar) and node.value is True:
            return LintCheck()
        return _LINT.read(node, problems)

    def schema(self) -> Schema:
        """True or a mapping."""
        return {"anyOf": [{"const": True}, _LINT.schema()]}


@dataclass(frozen=True, slots=True)
class SnapshotShape(Shape[SnapshotCheck]):
    """`config` or `files`; the recording is named after it."""

    def read(self, node: Node, problems: Problems) -> SnapshotCheck:
        """Return what is recorded, and where."""
        what = Choice(("config", "files")).read(node, problems)
        if problems.snapshots is None:
            message = "a snapshot needs a folder to be recorded in: these expectations are in no file"
            raise problems.fail(node.place, message)
        return SnapshotCheck(what, problems.snapshots / f"image-{what}.txt", problems.update)

    def schema(self) -> Schema:
        """An enumeration."""
        return {"enum": ["config", "files"]}
