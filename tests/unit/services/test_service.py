"""A service as a program has it: what it waits for, while it runs and once it has ended."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from nixdock.engine.containers.attendance import ContainerEnd
from nixdock.errors import DeadlineError
from nixdock.services.readiness import NotReadyError
from nixdock.services.service import Service


def _service(written: bytes, *, ended: bool) -> Service:
    engine = SimpleNamespace(find_container=lambda _container: None)
    container = SimpleNamespace(id="x", name="web", engine=engine)

    def until(ready: Callable[[], bool]) -> ContainerEnd | None:
        if ended:
            return ContainerEnd(4, 1.0)
        while not ready():
            pass
        return None

    recorder = SimpleNamespace(output=written)
    attendance = SimpleNamespace(until=until)
    return Service(container, attendance, recorder, SimpleNamespace(output=b""))  # type: ignore[arg-type]


def test_what_it_wrote_counts_once_it_has_ended() -> None:
    _service(b"early\n", ended=True).wait_for_log("early")


def test_its_end_is_said_where_nothing_else_can_come() -> None:
    with pytest.raises(NotReadyError, match=r"^web ended before it was ready \(exit status 4\)$"):
        _service(b"early\n", ended=True).wait_for_log("late", within=60)


def test_its_time_is_up_while_it_runs() -> None:
    with pytest.raises(DeadlineError, match=r"^web was not ready within 0\.05 s$"):
        _service(b"early\n", ended=False).wait_for_log("late", within=0.05)
