"""Commands that each find the image's files, judged in one container: what was written is asked once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from nixdock.checks.agent.protocol import CommandEnded, write_kill
from nixdock.checks.expectations import RunExpectation
from nixdock.checks.kinds import exec as exec_kind
from nixdock.checks.kinds.exec import ExecCheck
from nixdock.checks.matchers.algebra import exactly
from nixdock.checks.model import Check, Command
from nixdock.checks.running import idle, idle_group, in_order
from nixdock.checks.running.bench import Bench
from nixdock.checks.running.idle import FilesInDoubtError, Idle
from nixdock.checks.running.idle_group import IdleGroup
from nixdock.checks.running.in_order import InOrder
from nixdock.checks.running.trials import Trials, VerdictLedger
from nixdock.engine.containers.owner import Owner
from nixdock.errors import EngineError
from nixdock.outcome import RunOutcome


class Machine:
    """An engine whose commands end with the number of files that they find: `write` makes one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.version = SimpleNamespace(architecture="amd64")
        self.files: dict[str, int] = {}
        self.ran: list[str] = []
        self.asked = 0
        self.own = 0
        self.error: EngineError | None = None
        self.fit = True
        monkeypatch.setattr(idle_group, "idle_container", self._idle)
        monkeypatch.setattr(exec_kind, "fresh_container", self._fresh)
        monkeypatch.setattr(
            exec_kind, "run_to_end", lambda container, command, _: self._run(container.id, command)
        )

    def changes(self, ident: str) -> list[tuple[int, str]]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return [(1, "/.nixdock"), *[(1, "/tmp/x")] * self.files[ident]]

    def _run(self, ident: str, command: Command) -> RunOutcome:
        found = self.files[ident]
        self.ran.append(command.argv[0])
        self.files[ident] += command.argv[0].startswith("write")
        return RunOutcome(found)

    def _new(self) -> str:
        ident = f"c{len(self.files)}"
        self.files[ident] = 0
        return ident

    @contextmanager
    def _idle(self, *_arguments: Any) -> Iterator[Any]:
        container = SimpleNamespace(id=self._new(), request=SimpleNamespace(body={}))

        def run(command: Command, _timeout: float) -> RunOutcome:
            if "slow" in command.argv[0] and shared.confirm is not None and not shared.confirm():
                raise FilesInDoubtError
            return self._run(container.id, command)

        shared = SimpleNamespace(
            run=run, sweep=lambda: self.fit, notes=(), is_usable=True, container=container, confirm=None
        )
        yield shared

    @contextmanager
    def _fresh(self, *_arguments: Any) -> Iterator[Any]:
        self.own += 1
        yield SimpleNamespace(id=self._new())


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def judge(machine: Machine, *words: str, fail_fast: bool = False) -> list[str]:
    """Judge commands that each must find no file; return the verdicts' words."""
    expected = RunExpectation(exit=exactly(0), starts=True)
    checks = [
        Check(f"{number} {word}", ExecCheck(Command((word,), expected=expected), alone=word == "alone"))
        for number, word in enumerate(words)
    ]
    bench = Bench(cast("Any", machine), "web:1", "web:1", cast("Any", None), Owner.make())
    ledger = VerdictLedger([check.key for check in checks], fail_fast=fail_fast)
    group = IdleGroup(bench, {}, keeps_files=True)
    checking = InOrder(group, Trials("web:1", ledger), fail_fast=fail_fast)
    for check in checks:
        checking.judge(check)
    checking.settle()
    group.close()
    assert [verdict.name for verdict in ledger.take()] == [check.name for check in checks]
    return [verdict.status.value for verdict in ledger.verdicts()]


def test_where_nothing_is_written_it_is_asked_once(machine: Machine) -> None:
    assert judge(machine, *["look"] * 100) == ["PASS"] * 100
    assert (machine.asked, len(machine.files), len(machine.ran)) == (1, 1, 100)


def test_what_may_have_found_the_files_of_another_is_tried_again(machine: Machine) -> None:
    assert judge(machine, "write-first", "look", "look") == ["PASS"] * 3
    # The first one found the image's files, whoever wrote; the others are asked one by one.
    assert machine.ran == ["write-first", "look", "look", "look", "look"]
    assert (machine.asked, len(machine.files)) == (3, 2)


def test_a_writer_among_others_is_found(machine: Machine) -> None:
    assert judge(machine, "look", "look", "write", "look", "look") == ["PASS"] * 5
    assert len(machine.files) == 3
    assert machine.own == 0


def test_after_a_few_writers_each_command_has_its_own(machine: Machine) -> None:
    assert judge(machine, *["write"] * 6) == ["PASS"] * 6
    assert machine.own == 2
    assert machine.ran.count("write") <= 6 + 5


def test_where_it_cannot_be_asked_no_verdict_is_taken_on_trust(machine: Machine) -> None:
    machine.error = EngineError("gone")
    assert judge(machine, "look", "look", "look") == ["PASS", "ERROR", "ERROR"]


def test_a_slow_command_is_not_waited_for_among_the_files_of_others(machine: Machine) -> None:
    assert judge(machine, "look", "slow-look", "look") == ["PASS"] * 3
    assert (machine.ran, machine.asked) == (["look", "slow-look", "look"], 2)
    machine.ran.clear()
    assert judge(machine, "write", "slow-look", "look") == ["PASS"] * 3
    assert machine.ran == ["write", "slow-look", "look"]


def test_what_a_container_that_is_gone_held_is_asked_before(machine: Machine) -> None:
    machine.fit = False
    assert judge(machine, "write", "look", "look") == ["PASS"] * 3
    assert len(machine.files) == 3


def test_a_failure_is_known_before_the_next_begins(machine: Machine) -> None:
    assert judge(machine, "look", "write", "look", fail_fast=True) == ["PASS", "PASS", "PASS"]
    machine._run = lambda ident, command: RunOutcome(7)  # type: ignore[method-assign]
    machine.ran.clear()
    assert judge(machine, "look", "look", "look", fail_fast=True) == ["FAIL", "SKIP", "SKIP"]


def test_verdicts_come_while_others_are_still_to_be_had(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_order, "_HELD_SECONDS", 0.0)
    assert judge(machine, "look", "look", "look") == ["PASS"] * 3
    assert machine.asked == 3


def test_verdicts_come_while_others_run_in_containers_of_their_own(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_before: list[int] = []
    run = machine._run

    def noted(ident: str, command: Command) -> RunOutcome:
        if command.argv == ("alone",):
            asked_before.append(machine.asked)
            monkeypatch.setattr(in_order, "_HELD_SECONDS", 0.0)
        return run(ident, command)

    monkeypatch.setattr(machine, "_run", noted)
    assert judge(machine, "look", "alone", "alone") == ["PASS"] * 3
    assert (asked_before, machine.own, machine.asked) == ([0, 1], 2, 1)


def test_the_agent_kills_what_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "SLOW_SECONDS", 0.0)
    container = Idle(cast("Any", SimpleNamespace()))
    sent: list[bytes] = []
    asked: list[str] = []

    def send(request: bytes) -> None:
        sent.append(request)
        if len(sent) == 2:
            container._handle(CommandEnded(1, 9))

    def confirm() -> bool:
        asked.append("confirm")
        return False

    container._send = send  # type: ignore[method-assign]
    container.confirm = confirm
    with pytest.raises(FilesInDoubtError):
        container.run(Command(("sleep", "9")), 60.0)
    assert sent[1] == write_kill(1)
    assert asked == ["confirm"]
    assert container.is_usable
