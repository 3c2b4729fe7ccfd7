"""`lint`: the usual faults of images, as a check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixdock.checks.lint.linting import lint_image
from nixdock.checks.lint.rules import Gravity
from nixdock.checks.verdict import CheckResult

if TYPE_CHECKING:
    from nixdock.checks.model import LintCheck
    from nixdock.checks.subject import Subject


def judge_lint(check: LintCheck, subject: Subject) -> CheckResult:
    """Apply the rules; faults are findings, and advice is a note unless the check is strict."""
    result = CheckResult()
    for remark in lint_image(check, subject):
        if remark.gravity is Gravity.FAULT or check.strict:
            result.find(remark.rule, remark.message, f"remedy: {remark.remedy}" if remark.remedy else None)
        else:
            result.notes.append(f"{remark.rule}: {remark.message}")
    return result
