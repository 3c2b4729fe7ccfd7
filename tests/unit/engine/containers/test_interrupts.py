"""What each further signal asks for."""

from __future__ import annotations

import os
import signal
import threading
from queue import SimpleQueue

import pytest

from nixdock.engine.containers.terminal import Escalation, SignalAction, await_item, caught

INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


@pytest.mark.parametrize(
    ("signals", "actions", "ended_by"),
    [
        ([INT], [SignalAction.FORWARD], None),
        ([INT, INT], [SignalAction.FORWARD, SignalAction.STOP], INT),
        (
            [INT, INT, INT, INT],
            [SignalAction.FORWARD, SignalAction.STOP, SignalAction.KILL, SignalAction.KILL],
            INT,
        ),
        ([TERM], [SignalAction.STOP], TERM),
        ([TERM, TERM], [SignalAction.STOP, SignalAction.KILL], TERM),
        ([HUP, INT], [SignalAction.STOP, SignalAction.KILL], HUP),
        ([INT, TERM], [SignalAction.FORWARD, SignalAction.STOP], TERM),
        ([INT, TERM, INT], [SignalAction.FORWARD, SignalAction.STOP, SignalAction.KILL], TERM),
        ([signal.SIGUSR1, INT], [SignalAction.FORWARD, SignalAction.FORWARD], None),
    ],
)
def test_signals_escalate(signals: list[int], actions: list[SignalAction], ended_by: int | None) -> None:
    escalation = Escalation()
    assert [escalation.react(number) for number in signals] == actions
    assert escalation.ended_by == ended_by


def test_signals_are_told_and_handlers_put_back() -> None:
    before = signal.getsignal(TERM)
    told: list[int] = []
    with caught(told.append):
        os.kill(os.getpid(), TERM)
        os.kill(os.getpid(), INT)
    assert told == [TERM, INT]
    assert signal.getsignal(TERM) == before


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(HUP, signal.SIG_IGN)
    told: list[int] = []
    try:
        with caught(told.append):
            assert signal.getsignal(HUP) is signal.SIG_IGN
            os.kill(os.getpid(), HUP)
    finally:
        signal.signal(HUP, before)
    assert told == []


def test_another_thread_leaves_signals_alone() -> None:
    seen: list[object] = []

    def work() -> None:
        with caught(lambda _number: None):
            seen.append(signal.getsignal(TERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(TERM)]


def test_a_signal_that_does_not_interrupt_the_waiting_is_told_all_the_same() -> None:
    """One that another thread gets is as one that comes just before the waiting begins."""
    told: SimpleQueue[int] = SimpleQueue()

    def get_it() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)

    with caught(told.put):
        thread = threading.Timer(0.2, get_it)
        thread.start()
        assert await_item(told) == signal.SIGUSR1
        thread.join()


def test_nothing_in_time_is_none() -> None:
    assert await_item(SimpleQueue[int](), 0.01) is None
