"""How far a piece of work came."""

from __future__ import annotations

from contextlib import suppress

import pytest

from nixdock.events import Event, Meter, Work, WorkFinished


@pytest.mark.parametrize(
    ("total", "steps", "said"),
    [
        (300_000_000, (32_000_000, 32_000_000), "after 64 MB of 300 MB"),
        (None, (64_000_000,), "after 64 MB"),
        (300_000_000, (), None),
    ],
)
def test_work_that_failed_says_what_was_done_of_it(
    total: int | None, steps: tuple[int, ...], said: str | None
) -> None:
    events: list[Event] = []
    meter = Meter(events.append, Work.SEND, "web:1", total)
    with suppress(OSError), meter:
        meter.summary = "5 of 6 layers, 300 MB of 316 MB"
        for step in steps:
            meter.advance(step)
        raise OSError("gone")
    assert events[-1] == WorkFinished(meter.key, ok=False, summary=said)


def test_work_that_is_done_says_what_came_of_it() -> None:
    events: list[Event] = []
    with Meter(events.append, Work.SEND, "web:1", 10) as meter:
        meter.summary = "1 of 1 layers"
        meter.advance(10)
    assert events[-1] == WorkFinished(meter.key, summary="1 of 1 layers")
