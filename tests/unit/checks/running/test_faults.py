"""A fault of nixdock's own, wherever it happens, reaches the one that runs the checks: it is no verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from nixdock.checks.kinds.exec import ExecCheck
from nixdock.checks.kinds.logs import LogsCheck
from nixdock.checks.kinds.writes import WritesCheck
from nixdock.checks.matchers.text import Contains
from nixdock.checks.model import Check, Command, ContainerSettings, Suite
from nixdock.checks.running import memory, service_group
from nixdock.checks.running.bench import Bench
from nixdock.checks.running.idle import Idle
from nixdock.checks.running.idle_group import IdleGroup
from nixdock.checks.running.live import LiveService
from nixdock.checks.running.memory import MemoryWatch
from nixdock.checks.running.runner import SuiteRun
from nixdock.engine.containers.attendance import Attendance
from nixdock.engine.containers.container import Container, Streams
from nixdock.engine.containers.options.request import CreateRequest
from nixdock.services import readiness
from nixdock.services.reaching import execute
from nixdock.services.readiness import HealthCheck, HealthWatch

SERVICE_CHECK = Check("logs", LogsCheck(Contains(b"x")))
WRITES_CHECK = Check("writes", WritesCheck(()))
EXEC_CHECK = Check("exec", ExecCheck(Command(("true",))))


class _OurFaultError(Exception):
    """What nobody foresaw."""


def _fail(*_args: object, **_options: object) -> Any:
    raise _OurFaultError


def _run(*checks: Check, service: bool) -> None:
    suite = Suite("a test", checks, service=ContainerSettings() if service else None)
    patience = SimpleNamespace(limit=lambda _seconds: None, apart=nullcontext, cleaning=nullcontext)
    engine = SimpleNamespace(address=None, containers=lambda **_: (), patience=patience)
    bench = Bench(engine, "it", "it", SimpleNamespace(), SimpleNamespace(run="r"))  # type: ignore[arg-type]
    SuiteRun(suite, "it", None, bench).run()


@contextmanager
def _started(*_args: object) -> Iterator[Any]:
    yield LiveService(SimpleNamespace(), "c", "it", lambda: b"", ready_seconds=0.0)  # type: ignore[arg-type]


STEPS: dict[str, tuple[object, str, Check]] = {
    "a check of the service": (LogsCheck, "ask", SERVICE_CHECK),
    "a late check of the service": (WritesCheck, "ask", WRITES_CHECK),
    "the plan": (service_group, "plan_service", SERVICE_CHECK),
    "the start": (service_group, "started_service", SERVICE_CHECK),
    "the note that it is ready": (service_group, "CheckResult", SERVICE_CHECK),
}


@pytest.mark.parametrize(("place", "name", "check"), STEPS.values(), ids=STEPS)
def test_a_fault_beside_a_service_is_raised(
    monkeypatch: pytest.MonkeyPatch, place: object, name: str, check: Check
) -> None:
    plan = SimpleNamespace(notes=(), watches_memory=False, reproduce=None)
    monkeypatch.setattr(service_group, "plan_service", lambda *_: plan)
    monkeypatch.setattr(service_group, "started_service", _started)
    monkeypatch.setattr(place, name, _fail)

    with pytest.raises(_OurFaultError):
        _run(check, service=True)


def test_a_fault_beside_a_command_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IdleGroup, "attempt", _fail)

    with pytest.raises(_OurFaultError):
        _run(EXEC_CHECK, service=False)


class _Wire:
    """A connection to a container of which this is read."""

    def __init__(self, *pieces: bytes, reading: Callable[[], object] = lambda: None) -> None:
        self._pieces = pieces
        self.reading = reading
        self.closed = Event()

    def read(self) -> Iterator[tuple[int, bytes]]:
        for piece in self._pieces:
            yield 1, piece
        self.reading()

    pieces = read

    def write(self, _data: bytes) -> None:
        _fail()

    def close_input(self) -> None:
        """Nothing is there to be closed."""

    def close(self) -> None:
        self.closed.set()


def test_a_fault_amid_an_exec_is_raised() -> None:
    engine = SimpleNamespace(create_exec=lambda *_: "e", start_exec=lambda _: _Wire(b"x", reading=_fail))

    with pytest.raises(_OurFaultError):
        execute(engine, "c", ("true",), 5)  # type: ignore[arg-type]


def test_a_fault_amid_the_input_of_an_exec_is_raised() -> None:
    wire = _Wire()
    wire.reading = wire.closed.wait
    engine = SimpleNamespace(create_exec=lambda *_: "e", start_exec=lambda _: wire)

    with pytest.raises(_OurFaultError):
        execute(engine, "c", ("cat",), 5, stdin=b"x")  # type: ignore[arg-type]


def _again_and_again(ask: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        ask()


def test_a_fault_amid_the_measuring_of_memory_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([{"memory_stats": None, "broken": True}])
    monkeypatch.setattr(memory, "_PAUSE", 0.001)
    monkeypatch.setattr(memory, "used_memory", lambda stats: _fail() if "broken" in stats else 5)
    measured: list[object] = []

    def stats(_container: str) -> dict[str, Any]:
        measured.append(1)
        return next(answers, {})

    watch = MemoryWatch(SimpleNamespace(stats=stats), "c")  # type: ignore[arg-type]
    while not measured:
        pass

    with pytest.raises(_OurFaultError):
        _again_and_again(watch.peak)


def test_a_fault_amid_a_health_probe_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "probe", _fail)
    details = SimpleNamespace(id="c", is_running=True, health="starting", last_probe="")
    engine = SimpleNamespace(find_container=lambda _: details)
    watch = HealthWatch(engine, details, HealthCheck(("true",), 1, 1))  # type: ignore[arg-type]

    with pytest.raises(_OurFaultError):
        _again_and_again(watch.ask)


def test_a_fault_amid_a_containers_output_is_raised() -> None:
    wire = _Wire(b"x")
    engine = SimpleNamespace(
        attach=lambda *_args, **_options: wire,
        wait_container=lambda *_args, **_options: lambda: 0,
        start_container=lambda _: None,
    )
    container = Container("c", CreateRequest({}), SimpleNamespace(image=SimpleNamespace(engine=engine)))  # type: ignore[arg-type]
    container.start(Streams(_fail, _fail))

    with pytest.raises(_OurFaultError):
        Attendance(container).until_ended()


@pytest.mark.parametrize("wire", [_Wire(reading=_fail), _Wire(b"\0" * 8 + b"\x0c\0\0\0nixdock2\0\0\0\0")])
def test_a_fault_amid_an_idle_container_is_raised(wire: _Wire) -> None:
    engine = SimpleNamespace(
        attach=lambda *_args, **_options: wire,
        wait_container=lambda *_args, **_options: Event().wait,
        start_container=lambda _: None,
    )
    idle = Idle(SimpleNamespace(engine=engine, id="c", subject=None))  # type: ignore[arg-type]

    def use() -> None:
        idle.start()
        idle.run(Command(("true",)), 5)

    with pytest.raises(_OurFaultError):
        use()
