"""Whether a run that made something still lives: never too sure, for its container would be removed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nixdock.engine.containers.owner import (
    Owner,
    OwnerProcess,
    find_ourselves,
    forget_detached,
    is_detached,
    is_left_over,
    is_owned_by_living,
    remember_detached,
)

if TYPE_CHECKING:
    from pathlib import Path

OURSELVES = find_ourselves()


def labels_of(process: OwnerProcess, *, deadline: float | None = None) -> dict[str, str]:
    return Owner("run", process, deadline).labels()


def left_over(
    process: OwnerProcess, *, observer: OwnerProcess = OURSELVES, deadline: float | None = None
) -> bool:
    return is_left_over(labels_of(process, deadline=deadline), observer=observer, now=time.monotonic())


def dead_process() -> OwnerProcess:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with open(f"/proc/{child.pid}/stat") as file:  # noqa: PTH123
        started = file.read().rpartition(")")[2].split()[19]
    child.communicate()
    return replace(OURSELVES, pid=child.pid, started=started)


def test_a_living_run_is_left_alone() -> None:
    assert not left_over(OURSELVES)
    assert is_owned_by_living(labels_of(OURSELVES), observer=OURSELVES, now=time.monotonic())


def test_a_dead_run_s_things_are_left_over() -> None:
    assert left_over(dead_process())


def test_a_number_that_is_another_process_by_now_is_dead() -> None:
    assert left_over(replace(OURSELVES, started="1"))


def test_a_zombie_is_dead() -> None:
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    try:
        with open(f"/proc/{child.pid}/stat") as file:  # noqa: PTH123
            started = file.read().rpartition(")")[2].split()[19]
        assert left_over(replace(OURSELVES, pid=child.pid, started=started))
    finally:
        child.wait()


def test_nothing_is_known_of_processes_in_another_name_space() -> None:
    assert not left_over(replace(dead_process(), namespace="pid:[1]"))


def test_nothing_is_known_of_another_machine() -> None:
    elsewhere = replace(dead_process(), boot="another boot", machine="another machine")
    assert not left_over(elsewhere)


def test_another_boot_of_this_machine_has_ended() -> None:
    known = replace(OURSELVES, machine="this machine")
    assert left_over(replace(known, boot="an earlier boot"), observer=known)
    unknown = replace(OURSELVES, machine="")
    assert not left_over(replace(unknown, boot="an earlier boot"), observer=unknown)


def test_a_deadline_holds_whatever_lives() -> None:
    assert left_over(OURSELVES, deadline=time.monotonic() - 5)
    assert not left_over(OURSELVES, deadline=time.monotonic() + 500)
    # Of what runs elsewhere nothing is known, not even what its clock says.
    assert not left_over(replace(OURSELVES, machine="other", boot="other"), deadline=time.monotonic() - 5)


def test_what_stays_by_the_user_s_wish_belongs_to_no_process() -> None:
    labels = Owner.make(seconds=1).labels(stays=True)
    assert not is_left_over(labels, observer=OURSELVES, now=time.monotonic() + 1000)
    assert not is_owned_by_living(labels, observer=OURSELVES, now=time.monotonic())
    assert {name for name, value in labels.items() if value} == {"io.nixdock.run"}
    # Those of an image that was made of a container of ours must not show through.
    assert set(labels) == set(Owner.make(seconds=1).labels())


def test_runs_have_ids_of_their_own() -> None:
    assert Owner.make().run != Owner.make().run


def test_detached_containers_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIXDOCK_STATE_DIR", str(tmp_path / "state"))
    assert not is_detached("abc")
    remember_detached("abc")
    assert is_detached("abc")
    forget_detached("abc")
    forget_detached("abc")
    assert not is_detached("abc")
