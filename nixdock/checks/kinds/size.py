"""`size`: budgets of the image, its layers and its store paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nixdock.checks.files.store import matches_any, measure_store_paths
from nixdock.checks.format.matcher_shapes import BoundsShape
from nixdock.checks.format.nodes import Node, Problems, Scalar
from nixdock.checks.format.records import Field, Record, fields_of, key
from nixdock.checks.format.shapes import MapOf, Parsed, Schema, Shape
from nixdock.checks.matchers.algebra import BYTES, Between
from nixdock.checks.model import StaticKind
from nixdock.checks.verdict import CheckResult
from nixdock.units import format_size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nixdock.checks.matchers.algebra import Number
    from nixdock.checks.subject import Subject

_BYTES = Parsed(BYTES.parse, BYTES.name)
_LARGEST = 5
_BUDGET = BoundsShape(BYTES, "max")


@dataclass(frozen=True, slots=True)
class SizeCheck(StaticKind):
    """Budgets.

    Args:
        total: Bytes of all files of all layers.
        layer: Bytes of each layer.
        layers: The number of layers.
        paths: For store paths whose name matches a pattern, bytes of each.
    """

    total: Between | None = None
    layer: Between | None = key(_BUDGET, "Bytes of each layer.")
    layers: Between | None = key(BoundsShape(bare="max"), "The number of layers.")
    paths: Mapping[str, Between] = key(
        MapOf(_BUDGET), "Bytes of each store path whose name matches a pattern.", {}
    )

    kind = "size"
    about = "`max`, `min`, `layer` (each), `layers` (how many), `paths` (pattern of store paths to size)"

    @classmethod
    def value(cls) -> Shape[SizeCheck]:
        """A size or a mapping."""
        return _SizeShape()

    def judge(self, subject: Subject) -> CheckResult:
        """Compare with the budgets; what is large is named where one is exceeded."""
        result = CheckResult()
        sizes = [sum(entry.size for entry in index.entries) for index in subject.indexes()]
        if self.total is not None:
            for wrong in self.total.judge(sum(sizes)):
                result.find("size", wrong.message, _largest(subject))
        result.judge("layers", self.layers, len(sizes))
        for number, size in enumerate(sizes, start=1):
            result.judge(f"layer {number} of {len(sizes)}", self.layer, size)
        if self.paths:
            _judge_paths(self, subject, result)
        return result


@dataclass(frozen=True, slots=True)
class _SizeShape(Shape[SizeCheck]):
    """The size that the image has at most, or a mapping."""

    def read(self, node: Node, problems: Problems) -> SizeCheck:
        """Return the budgets."""
        if isinstance(node, Scalar):
            return SizeCheck(total=_BUDGET.read(node, problems))
        return self._record().read(node, problems)

    @classmethod
    def _record(cls) -> Record[SizeCheck]:
        total = (
            Field("max", _BYTES, "At most so many bytes in all layers."),
            Field("min", _BYTES, "At least so many bytes in all layers."),
        )
        nothing = "max, layer, layers or paths"
        return Record(cls._make, (*fields_of(SizeCheck), *total), "size", nothing=nothing)

    @staticmethod
    def _make(min: Number | None = None, max: Number | None = None, **values: Any) -> SizeCheck:  # noqa: A002, ANN401
        total = None if min is None and max is None else Between(min, max, BYTES)
        return SizeCheck(total, **values)

    def schema(self) -> Schema:
        """A size or a mapping."""
        return {"anyOf": [_BYTES.schema(), self._record().schema()]}


def _judge_paths(check: SizeCheck, subject: Subject, result: CheckResult) -> None:
    measured = measure_store_paths(subject.tree())
    for pattern, budget in check.paths.items():
        matching = [name for name in measured if matches_any(name, (pattern,))]
        if not matching:
            result.notes.append(f"no store path matches {pattern}")
        for name in matching:
            result.judge(f"/nix/store/{name}", budget, measured[name])


def _largest(subject: Subject) -> str | None:
    measured = measure_store_paths(subject.tree())
    largest = sorted(measured.items(), key=lambda item: -item[1])[:_LARGEST]
    return "\n".join(f"{format_size(size):>9}  /nix/store/{name}" for name, size in largest) or None
