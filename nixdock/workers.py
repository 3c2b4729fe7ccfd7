"""Threads: one whose fault is kept for who waits for it, and several things done at a time."""

from __future__ import annotations

import os
from threading import Event, Thread
from typing import TYPE_CHECKING, Final, TypeVar

from nixdock.errors import NixdockError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Result = TypeVar("Result")

_LOOK: Final = 0.2
_ORDERLY_SECONDS: Final = 2.0


class Worker(Thread):
    """A thread whose fault is kept for the one that waits for it.

    Args:
        work: What it does.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        # A daemon: what an engine that hangs never answers must not keep us from ending.
        super().__init__(daemon=True)
        self._work = work
        self._fault: BaseException | None = None

    def run(self) -> None:
        """Do the work."""
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - raised again by the one that waits
            self._fault = error

    def finish(self, seconds: float | None = None) -> None:
        """Wait for its end, or some seconds, and raise what it raised."""
        self.join(seconds)
        if self._fault is not None:
            raise self._fault


def processors() -> int:
    """Return how many processors we may use."""
    return len(os.sched_getaffinity(0))


def do_together(
    jobs: Sequence[Callable[[], Result]], at_most: int, stopped: Event | None = None
) -> list[Result | NixdockError]:
    """Do several things at a time, and return what came of each, in their order.

    Args:
        jobs: What is to be done; a NixdockError of one ends no other.
        at_most: How many are done at a time.
        stopped: Set when they are to end soon: we are interrupted, or one has a fault of ours.
    """
    results: dict[int, Result | NixdockError] = {}
    # Each thread takes the next by itself: a step of an iterator is never done by two.
    pending = iter(list(enumerate(jobs)))
    is_over = stopped or Event()

    def work() -> None:
        for number, job in pending:
            if is_over.is_set():
                return
            try:
                results[number] = job()
            except NixdockError as error:
                results[number] = error

    workers = [Worker(work) for _ in range(min(at_most, len(jobs)))]
    for worker in workers:
        worker.start()
    try:
        _await(workers)
    except BaseException:
        is_over.set()
        for worker in workers:
            worker.join(_ORDERLY_SECONDS / len(workers))
        raise
    return [results[number] for number in range(len(jobs))]


def _await(workers: Sequence[Worker]) -> None:
    """Wait until all have ended, or one has raised."""
    while any(worker.is_alive() for worker in workers):
        for worker in workers:
            worker.finish(_LOOK)
    for worker in workers:
        worker.finish()
