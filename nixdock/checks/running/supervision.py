"""Being there while checks run in another thread: signals, the time limit, and the removal of containers."""

from __future__ import annotations

import time
from contextlib import ExitStack, nullcontext, suppress
from threading import Thread
from typing import TYPE_CHECKING, Final

from nixdock.engine.containers.owner import RUN, find_ours
from nixdock.engine.containers.terminal import caught
from nixdock.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from nixdock.checks.running.bench import Bench

_LOOK: Final = 0.1
_END_SECONDS: Final = 8.0
_ORDERLY_SECONDS: Final = 3.0


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


def supervise(
    work: Callable[[], None],
    bench: Bench | None,
    *,
    cancelled: Event,
    is_late: Callable[[], bool],
    look: Callable[[], None],
) -> int | None:
    """Have work done in another thread until it is done, a signal comes or its time is up.

    Called from the main thread it has signals stop the work; whatever ends it, its containers are
    removed.

    Args:
        work: Makes containers by the bench, and ends soon once `cancelled` is set.
        bench: Whose run the containers belong to; None where there can be none.
        cancelled: Set when the work is to be stopped.
        is_late: Whether the time is up.
        look: Called now and then.

    Returns:
        The signal that stopped it, or None.
    """
    signals: list[int] = []
    worker = Worker(work)
    with caught(signals.append), nullcontext() if bench is None else bench.engine.patience.apart():
        worker.start()
        try:
            while worker.is_alive() and not signals and not is_late():
                worker.join(_LOOK)
                look()
        finally:
            if worker.is_alive():
                cancelled.set()
                _stop(worker, bench)
    worker.finish(0)
    return signals[0] if signals else None


def _stop(worker: Thread, bench: Bench | None) -> None:
    """Remove all containers of the run until nobody makes any more."""
    end = time.monotonic() + _END_SECONDS
    with ExitStack() as stack:
        if bench is not None:
            # What is under way comes to its end by that, and then by force.
            bench.engine.patience.limit(_ORDERLY_SECONDS)
            stack.enter_context(bench.engine.patience.cleaning())
        while worker.is_alive() and time.monotonic() < end:
            _remove_containers(bench)
            worker.join(_LOOK)
        _remove_containers(bench)


def _remove_containers(bench: Bench | None) -> None:
    if bench is None:
        return
    with suppress(EngineError):
        for container in find_ours(bench.engine, labels=[f"{RUN}={bench.owner.run}"]):
            with suppress(EngineError):
                bench.engine.remove_container(container.id)
