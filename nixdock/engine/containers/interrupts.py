"""Ctrl-C and SIGTERM while a container runs: what each of them asks for, and their way to the main loop."""

from __future__ import annotations

import math
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from queue import Empty
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from queue import SimpleQueue

_Item = TypeVar("_Item")

FORWARDED: Final = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGQUIT)
"""Signals that are the container's business alone."""

ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

LONGEST_WAIT: Final = 0.5
"""Seconds after which a caught signal is told at the latest."""


class Action(Enum):
    """What to do with the container."""

    FORWARD = auto()
    """Send it the signal."""
    STOP = auto()
    """Ask it to end, and kill it when it does not."""
    KILL = auto()


@dataclass(slots=True)
class Escalation:
    """Each further signal is more insistent: forward, stop, kill. SIGTERM begins at the second step."""

    step: int = 0
    ended_by: int | None = None
    """The signal for which the container is stopped, once it is not only forwarded."""

    def answer(self, number: int) -> Action:
        """Say what to do about a signal."""
        if number in FORWARDED:
            return Action.FORWARD
        first = 1 if number == signal.SIGINT else 2
        self.step = max(self.step + 1, first)
        if self.step == 1:
            return Action.FORWARD
        if self.ended_by is None:
            self.ended_by = number
        return Action.STOP if self.step == 2 else Action.KILL


@contextmanager
def caught(tell: Callable[[int], None], *, also: tuple[int, ...] = ()) -> Iterator[None]:
    """Have signals told instead of ending the process.

    Only the main thread can do that: elsewhere (a test's worker, somebody's own program) signals keep
    their meaning.

    Args:
        tell: Called with each signal's number; it must only note it down.
        also: Further signals to tell.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {}
    try:
        for number in (*ENDING, *FORWARDED, *also):
            # One that is ignored from the start (nohup, a shell's background job) stays so.
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, lambda caught, _frame: tell(caught))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def await_item(queue: SimpleQueue[_Item], timeout: float | None = None) -> _Item | None:
    """Return what comes next in a queue that the signals are told to; None when nothing does in time.

    A signal that comes just before the waiting begins, or to another thread, does not end the waiting, and
    its handler runs only when that ends: so no waiting is longer than `LONGEST_WAIT`.

    Args:
        queue: The queue.
        timeout: Seconds; None is for ever.
    """
    end = math.inf if timeout is None else time.monotonic() + timeout
    while True:
        left = end - time.monotonic()
        try:
            return queue.get(timeout=max(0.0, min(left, LONGEST_WAIT)))
        except Empty:
            if left <= LONGEST_WAIT:
                return None
