"""Which lines the work is worth."""

from __future__ import annotations

import pytest

from nixdock.events import (
    Event,
    Notice,
    OutputLine,
    Warned,
    Work,
    WorkAdvanced,
    WorkFinished,
    WorkStarted,
)
from nixdock.progress.narration import Narration
from nixdock.text import format_bytes


class Clock:
    """Shows the time that it was set to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def narrate(*events: Event | float, verbose: bool = False) -> list[str]:
    """Return the lines of events; a number lets so many seconds pass."""
    clock = Clock()
    narration = Narration(verbose=verbose, clock=clock)
    lines: list[str] = []
    for event in events:
        if isinstance(event, float):
            clock.now += event
            continue
        lines += narration.narrate(event)
        if isinstance(event, WorkAdvanced) and (line := narration.remind(event)):
            lines.append(line)
    return lines + narration.finish()


def test_sentences_are_told_as_they_are() -> None:
    assert narrate(Notice("one"), Warned("two")) == ["one", "nixdock: warning: two"]


def test_work_is_told_when_it_ends_with_what_came_of_it() -> None:
    assert narrate(
        WorkStarted("s", Work.SEND, "a:b"), 1.5, WorkFinished("s", summary="2 of 3 layers sent")
    ) == ["sent a:b (2 of 3 layers sent, 1.5 s)"]


def test_what_has_gone_on_before_it_was_told_of_counts() -> None:
    late = WorkStarted("w", Work.WAIT, "web to end", for_seconds=2.0)
    assert narrate(late, 8.0, WorkFinished("w")) == ["waited for web to end (10.0 s)"]


def test_reading_is_told_only_where_it_takes_long_or_brings_something() -> None:
    assert narrate(WorkStarted("r", Work.READ, "a.tar"), 1.0, WorkFinished("r")) == []
    assert narrate(WorkStarted("r", Work.READ, "a.tar"), 9.0, WorkFinished("r")) == ["read a.tar (9.0 s)"]
    assert narrate(WorkStarted("r", Work.READ, "a.tar"), WorkFinished("r", summary="3 layers")) == [
        "read a.tar (3 layers)"
    ]
    assert narrate(WorkStarted("r", Work.READ, "a.tar"), WorkFinished("r", ok=False)) == [
        "failed reading a.tar"
    ]


def test_failed_work_is_told_as_such() -> None:
    assert narrate(WorkStarted("b", Work.BUILD, "hello"), WorkFinished("b", ok=False)) == [
        "failed building hello"
    ]


def test_short_builds_and_fetches_are_told_together() -> None:
    events: list[Event | float] = []
    for number in range(3):
        key = f"f{number}"
        events += [WorkStarted(key, Work.FETCH, key), WorkAdvanced(key, 1_000_000), 0.5, WorkFinished(key)]
    for number in range(2):
        key = f"b{number}"
        events += [WorkStarted(key, Work.BUILD, key), 1.0, WorkFinished(key)]
    assert narrate(*events) == ["built 2, fetched 3 (3 MB) in 3.5 s"]


def test_what_was_counted_is_told_before_the_next_sentence() -> None:
    assert narrate(WorkStarted("b", Work.BUILD, "b"), 1.0, WorkFinished("b"), Notice("done")) == [
        "built 1 in 1.0 s",
        "done",
    ]


@pytest.mark.parametrize("between", [Warned("look out"), Notice("by the way")])
def test_what_begins_before_a_sentence_and_ends_after_it_is_told_with_its_own_time(between: Event) -> None:
    events: list[Event | float] = [
        WorkStarted("a", Work.BUILD, "a"), WorkStarted("b", Work.FETCH, "b"), 1.0, WorkFinished("a"), between,
        1.5, WorkFinished("b"), 40.0,
    ]  # fmt: skip
    assert narrate(*events)[0] == "built 1 in 1.0 s"
    assert narrate(*events)[-1] == "fetched 1 in 2.5 s"


def test_the_time_of_what_is_told_together_ends_with_it() -> None:
    lines = narrate(
        WorkStarted("a", Work.BUILD, "a"), 1.0, WorkFinished("a"),
        WorkStarted("gcc", Work.BUILD, "gcc"), 90.0, WorkFinished("gcc"), Notice("done"),
    )  # fmt: skip
    assert lines == ["built gcc (90.0 s)", "built 1 in 1.0 s", "done"]


def test_a_long_build_has_a_line_of_its_own() -> None:
    assert narrate(WorkStarted("b", Work.BUILD, "gcc-12"), 30.0, WorkFinished("b")) == [
        "built gcc-12 (30.0 s)"
    ]


def test_work_that_takes_long_is_told_now_and_then() -> None:
    lines = narrate(
        WorkStarted("s", Work.SEND, "a:b", 2_000_000_000),
        9.0,
        WorkAdvanced("s", 100),
        2.0,
        WorkAdvanced("s", 1_000_000_000),
        5.0,
        WorkAdvanced("s", 1_200_000_000),
    )
    assert lines == ["sending a:b: 1 GB of 2 GB"]


def test_builders_output_and_starts_are_told_to_the_curious_only() -> None:
    events = (
        WorkStarted("b", Work.BUILD, "hello"),
        OutputLine("hello", "checking for gcc"),
        WorkFinished("b"),
    )
    assert narrate(*events) == ["built 1 in 0.0 s"]
    assert narrate(*events, verbose=True) == ["building hello", "hello> checking for gcc", "built hello"]


def test_the_end_of_unknown_work_is_no_line() -> None:
    assert narrate(WorkFinished("never started"), WorkAdvanced("neither", 5)) == []


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (8_400, "8.4 kB"),
        (99_949, "99.9 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (1_600_000_000, "1.6 GB"),
        (25_000_000_000, "25 GB"),
        (2_500_000_000_000, "2500 GB"),
    ],
)
def test_sizes_read_as_docker_writes_them(count: int, text: str) -> None:
    assert format_bytes(count) == text
