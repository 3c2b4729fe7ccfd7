"""Running the checks that need no engine: all contents that they want are read in one pass."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from nixdock.checks.files.content import read_contents
from nixdock.checks.kinds.accounts import answer_group, answer_user
from nixdock.checks.kinds.closure import answer_closure
from nixdock.checks.kinds.file import answer_file
from nixdock.checks.kinds.image import answer_config, answer_size, answer_snapshot
from nixdock.checks.kinds.lint import answer_lint
from nixdock.checks.model import (
    ClosureCheck,
    ConfigCheck,
    FileCheck,
    GroupCheck,
    LintCheck,
    SizeCheck,
    SnapshotCheck,
    UserCheck,
)
from nixdock.checks.verdict import Finding, Status, Verdict
from nixdock.errors import NixdockError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nixdock.checks.files.entry import Entry
    from nixdock.checks.kinds.answer import Answer, Judge
    from nixdock.checks.model import Check, Suite
    from nixdock.checks.subject import Subject
    from nixdock.outcome import Capture

_ANSWERS: dict[type, Callable[[Any, Subject], Answer]] = {
    FileCheck: answer_file,
    UserCheck: answer_user,
    GroupCheck: answer_group,
    ConfigCheck: answer_config,
    SizeCheck: answer_size,
    ClosureCheck: answer_closure,
    LintCheck: answer_lint,
    SnapshotCheck: answer_snapshot,
}


@dataclass(slots=True)
class _Running:
    """A check whose contents are still to be read."""

    check: Check
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    error: NixdockError | None = None

    def verdict(self, suite: str) -> Verdict:
        status = Status.FAIL if self.findings else Status.PASS
        findings = tuple(self.findings)
        if self.error is not None:
            status = Status.ERROR
            findings = (Finding("", self.error.message, self.error.details),)
        return Verdict(
            name=self.check.name,
            kind=self.check.kind,
            status=status,
            findings=findings,
            notes=tuple(self.notes),
            seconds=self.seconds,
            suite=suite,
            place=self.check.place,
        )


def judge_static(checks: Iterable[Check], subject: Subject) -> tuple[Verdict, ...]:
    """Judge static checks.

    Args:
        checks: Checks whose `is_static` is true, in their order.
        subject: The image.

    Returns:
        Their verdicts, in the same order; an image that cannot be read makes them errors.
    """
    running: list[_Running] = []
    wanted: list[tuple[Entry, Judge, _Running]] = []
    for check in checks:
        one = _Running(check)
        running.append(one)
        began = time.monotonic()
        try:
            answer = _ANSWERS[type(check.what)](check.what, subject)
        except NixdockError as error:
            one.error = error
        else:
            one.findings += answer.findings
            one.notes += answer.notes
            wanted += [(entry, judge, one) for entry, judge in answer.wanted]
        one.seconds = time.monotonic() - began
    _judge_contents(wanted, subject)
    return tuple(one.verdict(subject.name) for one in running)


def skip_dynamic(suite: Suite) -> Suite:
    """Return what of a suite holds of an image that is not run: its other checks are skipped."""
    checks = tuple(
        check if check.is_static or check.skip else replace(check, skip="it needs an engine (--static)")
        for check in suite.checks
    )
    return replace(suite, checks=checks, service=None, ready=None)


def _judge_contents(wanted: list[tuple[Entry, Judge, _Running]], subject: Subject) -> None:
    by_entry: dict[Entry, list[tuple[Judge, _Running]]] = {}
    for entry, judge, one in wanted:
        by_entry.setdefault(entry, []).append((judge, one))

    def take(entry: Entry, content: Capture) -> None:
        for judge, one in by_entry[entry]:
            began = time.monotonic()
            one.findings += judge(content.output)
            one.seconds += time.monotonic() - began

    try:
        read_contents(subject.layers, by_entry, take)
    except NixdockError as error:
        for _, _, one in wanted:
            one.error = error
