"""`lint`: the usual faults of images, as a check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.checks.format.nodes import Node, Problems, Scalar
from nixdock.checks.format.records import key, record_of
from nixdock.checks.format.shapes import Flag, ListOf, OneOf, Schema, Shape
from nixdock.checks.lint import RULES, lint_image
from nixdock.checks.lint.programs import Gravity
from nixdock.checks.model import StaticKind
from nixdock.checks.verdict import CheckResult

if TYPE_CHECKING:
    from nixdock.checks.subject import Subject


_RULES = ListOf(OneOf(tuple(RULES)), single=True)


@dataclass(frozen=True, slots=True)
class LintCheck(StaticKind):
    """The faults that images without a distribution typically have."""

    only: tuple[str, ...] = key(_RULES, "The rules to apply; all unless told.", ())
    skip: tuple[str, ...] = key(_RULES, "Rules to leave out.", ())
    strict: bool = key(Flag(), "Fail on advice too, not on faults alone.", default=False)

    kind = "lint"
    about = "`true`, or `only`, `skip`, `strict`"

    @classmethod
    def value(cls) -> Shape[LintCheck]:
        """True for all rules, or a mapping."""
        return _LintShape()

    def judge(self, subject: Subject) -> CheckResult:
        """Apply the rules; faults are findings, and advice is a note unless the check is strict."""
        result = CheckResult()
        for remark in lint_image(subject, self.only, self.skip):
            if remark.gravity is Gravity.FAULT or self.strict:
                result.find(
                    remark.rule, remark.message, f"remedy: {remark.remedy}" if remark.remedy else None
                )
            else:
                result.notes.append(f"{remark.rule}: {remark.message}")
        return result


@dataclass(frozen=True, slots=True)
class _LintShape(Shape[LintCheck]):
    """Which rules."""

    def read(self, node: Node, problems: Problems) -> LintCheck:
        """Return the choice of rules."""
        if isinstance(node, Scalar) and node.value is True:
            return LintCheck()
        return record_of(LintCheck, "lint").read(node, problems)

    def schema(self) -> Schema:
        """True or a mapping."""
        return {"anyOf": [{"const": True}, record_of(LintCheck, "lint").schema()]}
