"""Running the checks that need no engine: all contents that they want are read in one pass."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from nixdock.checks.files.entry import read_contents
from nixdock.checks.model import StaticKind
from nixdock.checks.verdict import CheckResult
from nixdock.errors import NixdockError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nixdock.checks.files.entry import LayerEntry
    from nixdock.checks.model import Check, Suite
    from nixdock.checks.subject import Subject
    from nixdock.checks.verdict import ContentJudge
    from nixdock.outcome import Capture


def judge_static(checks: Iterable[Check], subject: Subject) -> tuple[CheckResult, ...]:
    """Judge static checks.

    Args:
        checks: Checks whose `is_static` is true, in their order.
        subject: The image.

    Returns:
        Their results, in the same order; an image that cannot be read makes them errors.
    """
    results: list[CheckResult] = []
    for kind in (check.what for check in checks if isinstance(check.what, StaticKind)):
        began = time.monotonic()
        try:
            result = kind.judge(subject)
        except NixdockError as error:
            result = CheckResult.of_error(error)
        result.seconds = time.monotonic() - began
        results.append(result)
    _judge_contents(results, subject)
    return tuple(results)


def skip_dynamic(suite: Suite) -> Suite:
    """Return what of a suite holds of an image that is not run: its other checks are skipped."""
    checks = tuple(
        check if check.is_static or check.skip else replace(check, skip="it needs an engine (--static)")
        for check in suite.checks
    )
    return replace(suite, checks=checks, service=None, ready=None)


def _judge_contents(results: Iterable[CheckResult], subject: Subject) -> None:
    by_entry: dict[LayerEntry, list[tuple[ContentJudge, CheckResult]]] = {}
    for result in results:
        for entry, judge in result.wanted:
            by_entry.setdefault(entry, []).append((judge, result))

    def take(entry: LayerEntry, content: Capture) -> None:
        for judge, result in by_entry[entry]:
            began = time.monotonic()
            result.findings += judge(content.output)
            result.seconds += time.monotonic() - began

    try:
        read_contents(subject.layers, by_entry, take)
    except NixdockError as error:
        for result in results:
            if result.wanted:
                result.give_up(error.message, error.details)
