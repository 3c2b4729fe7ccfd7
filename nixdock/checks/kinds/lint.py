"""`lint`: the usual faults of images, as a check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixdock.checks.kinds.answer import Answer
from nixdock.checks.lint.linting import lint_image
from nixdock.checks.lint.rules import Gravity

if TYPE_CHECKING:
    from nixdock.checks.model import LintCheck
    from nixdock.checks.subject import Subject


def answer_lint(check: LintCheck, subject: Subject) -> Answer:
    """Apply the rules; faults are findings, and advice is a note unless the check is strict."""
    answer = Answer()
    for remark in lint_image(check, subject):
        if remark.gravity is Gravity.FAULT or check.strict:
            answer.find(remark.rule, remark.message, f"remedy: {remark.remedy}" if remark.remedy else None)
        else:
            answer.notes.append(f"{remark.rule}: {remark.message}")
    return answer
