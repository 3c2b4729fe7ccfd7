"""Images judged side by side: which may be, and in what order their verdicts are told."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from threading import Barrier
from typing import Any

import pytest

from nixdock.checks.format.suite import suite_from_value
from nixdock.checks.model import ContainerSettings
from nixdock.checks.running.runner import SuiteResult
from nixdock.checks.verdict import CheckResult, Report, Verdict
from nixdock.errors import LoadError
from nixdock.usecases.check_set import judge_side_by_side, may_stand_side_by_side

Tell = Callable[[Verdict], None]


def verdict(name: str) -> Verdict:
    return CheckResult().verdict(name, "run")


def judge(name: str, *, before: Callable[[], object] = lambda: None) -> Any:
    """Return what judges an image by two checks."""

    def judging(tell: Tell, _signals: list[int]) -> Iterator[SuiteResult]:
        verdicts = (verdict(f"{name} 1"), verdict(f"{name} 2"))
        before()
        for one in verdicts:
            tell(one)
        yield SuiteResult(Report(verdicts))

    return judging


def test_images_are_judged_at_one_time_and_told_in_their_order() -> None:
    meeting = Barrier(3, timeout=10)
    told: list[str] = []

    def come_late() -> None:
        meeting.wait()
        time.sleep(0.1)

    judges = [
        judge("a", before=come_late),
        judge("b", before=meeting.wait),
        judge("c", before=meeting.wait),
    ]
    result = judge_side_by_side(judges, lambda one: told.append(one.name), 3, None)
    names = ["a 1", "a 2", "b 1", "b 2", "c 1", "c 2"]
    assert told == names
    assert [one.name for one in result.report.verdicts] == names
    assert result.exit_code == 0


def test_an_image_that_cannot_be_judged_keeps_none_from_being_told() -> None:
    def broken() -> None:
        raise LoadError("it is damaged")

    told: list[str] = []
    with pytest.raises(LoadError, match="damaged"):
        judge_side_by_side(
            [judge("a", before=broken), judge("b")], lambda one: told.append(one.name), 2, None
        )
    assert told == ["b 1", "b 2"]


def test_a_signal_stops_them_all() -> None:
    def wait(tell: Tell, signals: list[int]) -> Iterator[SuiteResult]:
        os.kill(os.getpid(), signal.SIGINT)
        end = time.monotonic() + 10
        while not signals and time.monotonic() < end:
            time.sleep(0.01)
        tell(verdict("stopped"))
        yield SuiteResult(Report(()), signals[0])

    result = judge_side_by_side([wait, judge("b"), judge("c")], lambda _: None, 1, None)
    assert (result.stopped_by, result.exit_code) == (signal.SIGINT, 130)
    assert result.report.verdicts == ()


@pytest.mark.parametrize(
    ("suite", "is_sound"),
    [
        ({"checks": {"a": {"run": ["x"]}, "b": {"http": "/"}}, "ready": {"tcp": 80}}, True),
        ({"checks": {"a": {"file": "/x"}}, "service": {"tmpfs": ["/tmp"], "environment": {"A": "b"}}}, True),
        ({"checks": {"a": {"http": "/"}}, "service": {"ports": ["8080:80"]}}, False),
        ({"checks": {"a": {"http": "/"}}, "service": {"volumes": ["data:/data"]}}, False),
        ({"checks": {"a": {"run": ["x"], "options": {"network_mode": "host"}}}}, False),
        ({"checks": {"a": {"budget": {"start": "1s"}}}}, False),
    ],
)
def test_what_meets_something_of_another_or_is_measured_is_judged_alone(
    suite: dict[str, Any], is_sound: bool
) -> None:
    suites = [suite_from_value({"checks": {}}, "first"), suite_from_value(suite, "second")]
    assert may_stand_side_by_side(suites, ContainerSettings()) == is_sound


def test_a_name_on_the_command_line_can_be_that_of_one_only() -> None:
    suites = [suite_from_value({"checks": {}}, "first")] * 2
    assert not may_stand_side_by_side(suites, ContainerSettings((("name", "web"),)))
