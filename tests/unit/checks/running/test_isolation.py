"""Commands that must find an image's files as they are: in idle containers, and in ones of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from nixdock.checks.expectations import RunExpectation
from nixdock.checks.kinds import exec as exec_kind
from nixdock.checks.kinds.exec import ExecCheck
from nixdock.checks.model import Check, Command, ContainerSettings
from nixdock.checks.running import bench as benches
from nixdock.checks.running import idle_group
from nixdock.checks.running.bench import Bench, after_steps
from nixdock.checks.running.idle_group import IdleGroup
from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.engine.containers.owner import Owner
from nixdock.errors import CheckError
from nixdock.outcome import RunOutcome


class Engine:
    """Notes what it is asked."""

    def __init__(self) -> None:
        self.version = SimpleNamespace(architecture="amd64")
        self.changed: list[tuple[int, str]] = []
        self.images: list[str] = []

    def changes(self, _ident: str) -> list[tuple[int, str]]:
        return self.changed

    def commit_container(self, ident: str, **_options: Any) -> str:
        self.images.append(f"left-by-{ident}")
        return self.images[-1]

    def remove_image(self, image: str, **_options: Any) -> None:
        self.images.remove(image)


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def bench(engine: Engine) -> Bench:
    return Bench(cast("Any", engine), "web:1", "web:1", cast("Any", None), Owner.make())


class Containers:
    """Counts the idle containers, and those that a command has to itself."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.idle = self.own = 0
        self.error: Exception | None = None
        self.refused: Exception | None = None
        monkeypatch.setattr(idle_group, "idle_container", self._idle)
        monkeypatch.setattr(exec_kind, "fresh_container", self._own)
        monkeypatch.setattr(exec_kind, "run_to_end", lambda _container, *arguments: self._run(*arguments))

    @contextmanager
    def _idle(self, *_arguments: Any) -> Iterator[Any]:
        self.idle += 1
        container = SimpleNamespace(id="c", request=SimpleNamespace(body={}))
        yield SimpleNamespace(
            run=self._run, sweep=lambda: True, notes=(), is_usable=True, container=container
        )

    def _run(self, _command: Command, _timeout: float) -> RunOutcome:
        error, self.error = self.error, None
        if error is not None:
            raise error
        return RunOutcome(0)

    @contextmanager
    def _own(self, *_arguments: Any) -> Iterator[Any]:
        self.own += 1
        if self.refused is not None:
            raise self.refused
        yield SimpleNamespace(id="o")


@pytest.fixture
def containers(monkeypatch: pytest.MonkeyPatch) -> Containers:
    return Containers(monkeypatch)


CHECK = Check("a", ExecCheck(Command(("x",), expected=RunExpectation(starts=True))))


def test_a_container_is_shared_as_long_as_nothing_is_written_in_it(
    bench: Bench, engine: Engine, containers: Containers
) -> None:
    group = IdleGroup(bench, {}, keeps_files=True)
    engine.changed = [(1, "/.nixdock"), (1, "/.nixdock/agent")]
    for _ in range(3):
        assert not group.attempt(CHECK).findings
    assert (containers.idle, containers.own) == (1, 0)


def test_after_a_few_that_were_written_in_each_command_has_its_own(
    bench: Bench, engine: Engine, containers: Containers
) -> None:
    group = IdleGroup(bench, {}, keeps_files=True)
    engine.changed = [(1, "/tmp/x")]
    for _ in range(5):
        assert not group.attempt(CHECK).findings
    assert (containers.idle, containers.own) == (3, 2)


def test_a_command_that_ends_the_container_is_tried_alone(bench: Bench, containers: Containers) -> None:
    containers.error = CheckError("the idle container ended")
    assert not IdleGroup(bench, {}, keeps_files=True).attempt(CHECK).findings
    assert containers.own == 1
    containers.error = CheckError("the idle container ended")
    with pytest.raises(CheckError):
        IdleGroup(bench, {}).attempt(CHECK)


def test_what_the_engine_refuses_fails_who_must_start(bench: Bench, containers: Containers) -> None:
    containers.error = EngineRefusedError("no such user", status=500)
    (finding,) = IdleGroup(bench, {}).attempt(CHECK).findings
    assert "no such user" in finding.message
    containers.error = EngineRefusedError("no such user", status=500)
    with pytest.raises(EngineRefusedError):
        IdleGroup(bench, {}).attempt(Check("b", ExecCheck(Command(("x",)))))


def test_a_refusal_to_make_a_container_is_said_of_what_asks_for_it(
    bench: Bench, containers: Containers
) -> None:
    expected = RunExpectation(starts=True)
    check = Check("a", ExecCheck(Command(("x",), expected=expected), alone=True, made_by="mounts"))
    group = IdleGroup(bench, {})
    containers.refused = EngineRefusedError("no such source", status=400)
    assert [finding.subject for finding in group.attempt(check).findings] == ["mounts"]
    containers.refused, containers.error = None, EngineRefusedError("cannot start", status=500)
    assert [finding.subject for finding in group.attempt(check).findings] == [""]


def test_what_steps_did_before_a_command_no_one_command_does_by_hand(
    bench: Bench, containers: Containers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benches, "fresh_container", containers._own)
    monkeypatch.setattr(benches, "run_to_end", lambda *_arguments: RunOutcome(7))
    plain = ExecCheck(Command(("x",)), alone=True)
    assert IdleGroup(bench, {}).attempt(Check("a", plain)).reproduce is not None
    result = IdleGroup(bench, {}).attempt(Check("a", replace(plain, steps=(Command(("s", "$FOO")),))))
    assert result.reproduce is None
    assert result.notes == ["the setup command s '$FOO' ended with 7, which is not looked at"]


def test_what_a_step_left_is_the_image_of_the_next(
    bench: Bench, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[tuple[str, tuple[tuple[str, str], ...]]] = []

    @contextmanager
    def fresh(bench: Bench, command: Command, settings: ContainerSettings) -> Iterator[Any]:
        used.append((bench.run_as, settings.options))
        yield SimpleNamespace(id=command.words[0])

    monkeypatch.setattr(benches, "fresh_container", fresh)
    monkeypatch.setattr(benches, "run_to_end", lambda _, command, __: RunOutcome(len(command.words) % 2 * 7))
    settings = ContainerSettings((("user", "u"), ("tty", "true")))
    steps = (Command(("s",)), Command(("t", "$FOO")))
    with after_steps(bench, steps, settings, 1.0) as (left, notes):
        assert left.run_as == "left-by-t"
        assert notes == ["the setup command s ended with 7, which is not looked at"]
        assert engine.images == ["left-by-s", "left-by-t"]
    assert used == [("web:1", (("user", "u"),)), ("left-by-s", (("user", "u"),))]
    assert not engine.images
