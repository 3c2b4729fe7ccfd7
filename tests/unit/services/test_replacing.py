"""In which order a container takes another one's place, and how it is undone."""

from __future__ import annotations

import os
import signal
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from nixdock import process
from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.engine.connection.responses import ContainerDetails, ContainerSummary
from nixdock.engine.containers.container import Happening, SignalCaught
from nixdock.engine.containers.owner import Owner, find_ourselves, is_detached, remember_detached
from nixdock.engine.containers.unfinished import TakenPlace
from nixdock.events import Notice, Warned
from nixdock.services.differences import Given
from nixdock.services.identity import StandingService, WantedService
from nixdock.services.replacing import Replacement

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from nixdock.events import Event

SERVICE = WantedService("/web.nix", "web", "a-b", Given("web:1", "sha256:a", (), {}, {}))


class Engine:
    """One that has the old container, and notes what is asked of it."""

    def __init__(self, *, host: dict[str, Any] | None = None, refuses: str = "") -> None:
        self.asked: list[tuple[str, ...]] = []
        self.status, self.name = "running", "web"
        self.host, self.refuses = host or {}, refuses

    @property
    def patience(self) -> Engine:
        return self

    def apart(self) -> AbstractContextManager[None]:
        return nullcontext()

    cleaning = apart

    def renew(self) -> None:
        pass

    def find_container(self, ident: str) -> ContainerDetails | None:
        assert ident == "old"
        if not self.name:
            return None
        state = {"Status": self.status}
        raw = {"Id": ident, "Name": f"/{self.name}", "State": state, "HostConfig": self.host}
        return ContainerDetails.from_json(raw)

    def stop_container(self, ident: str, *, grace: int) -> None:
        self._note("stop", ident, str(grace))
        self.status = "exited"

    def rename_container(self, ident: str, name: str) -> None:
        self._note("rename", ident, name.partition("-")[0])
        self.name = name if ident == "old" else self.name

    def start_container(self, ident: str) -> None:
        self._note("start", ident)
        self.status = "running"

    def remove_container(self, ident: str) -> None:
        self._note("remove", ident)
        self.name = ""

    def kill_container(self, ident: str) -> None:
        self._note("kill", ident)

    def _note(self, *what: str) -> None:
        self.asked.append(what)
        if self.refuses == what[0]:
            raise EngineRefusedError(f"no {self.refuses}", status=500)


class New:
    """The new container, and the signals that have come by now."""

    id = "new"
    started = True

    def __init__(self, *signals: int) -> None:
        self.happened: list[Happening] = [SignalCaught(number) for number in signals]
        self.killed = False

    def next(self, _timeout: float) -> Happening | None:
        return self.happened.pop(0) if self.happened else None

    def kill(self) -> None:
        self.killed = True


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIXDOCK_STATE_DIR", str(tmp_path))


def begin(engine: Engine, *, labels: dict[str, str] | None = None, state: str = "running") -> Any:
    """Return a replacement, and the list of what it tells."""
    engine.status = state
    summary = ContainerSummary("old", "web", "web:1", "sha256:a", state, labels or {}, {})
    details = engine.find_container("old")
    assert details is not None
    told: list[Event] = []
    found = StandingService(summary, details, "-m 1g is new")
    return Replacement(engine, SERVICE, found, told.append, grace=3), told  # type: ignore[arg-type]


STOPPED = [("stop", "old", "3"), ("rename", "old", "web.old"), ("rename", "new", "web")]
REPLACING = Notice("replacing web: -m 1g is new")
AGAIN = Notice("web: the one before runs again")


def test_where_there_is_nothing_it_has_its_name_at_once() -> None:
    engine = Engine()
    alone = Replacement(engine, SERVICE, None, lambda _event: None)  # type: ignore[arg-type]
    assert (alone.name, alone.labels) == ("web", SERVICE.labels)
    assert alone.take_place(New()) is None  # type: ignore[arg-type]
    alone.finish()
    alone.close()
    assert engine.asked == []


def test_the_old_one_goes_when_the_new_one_is_proven() -> None:
    engine = Engine()
    replacement, told = begin(engine)
    assert replacement.name.startswith("web.new-")
    made = ContainerSummary("new", replacement.name, "", "", "created", replacement.labels, {})
    place = TakenPlace.of(made)
    assert place is not None
    assert (place.name, place.old) == ("web", "old")
    assert engine.asked == []
    assert replacement.take_place(New()) is None
    assert engine.asked == STOPPED
    replacement.finish()
    replacement.close()
    assert engine.asked == [*STOPPED, ("remove", "old")]
    assert told == [REPLACING]


def test_the_old_one_runs_again_when_it_is_not() -> None:
    engine = Engine()
    replacement, told = begin(engine)
    replacement.take_place(New())
    replacement.close()
    replacement.close()
    assert engine.asked == [*STOPPED, ("rename", "old", "web"), ("start", "old")]
    assert told == [REPLACING, AGAIN]


def test_what_was_not_created_changes_nothing() -> None:
    engine = Engine()
    replacement, told = begin(engine)
    replacement.close()
    assert engine.asked == []
    assert told == [REPLACING, Notice("web: the one before runs on")]


def test_a_signal_before_it_begins_changes_nothing() -> None:
    engine = Engine()
    replacement, told = begin(engine)
    assert replacement.take_place(New(signal.SIGUSR1, signal.SIGTERM)) == signal.SIGTERM
    replacement.close()
    assert engine.asked == []
    assert told[-1] == Notice("web: the one before runs on")


def test_a_refusal_on_the_way_is_undone() -> None:
    engine = Engine(refuses="rename")
    replacement, told = begin(engine)
    with pytest.raises(EngineRefusedError):
        replacement.take_place(New())
    replacement.close()
    assert engine.asked[-1] == ("start", "old")
    assert told[-1] == AGAIN


def test_one_that_cannot_be_started_again_is_told_of() -> None:
    engine = Engine(refuses="start")
    replacement, told = begin(engine)
    replacement.take_place(New())
    replacement.close()
    assert told[-1] == Warned("web: the one before could not be started again: no start")


def parent() -> Owner:
    """Return the owner of what the process above this one made."""
    pid = os.getppid()
    return Owner("r", replace(find_ourselves(), pid=pid, started=process.find_start(str(pid)) or ""))


LOST: dict[str, tuple[Any, Any, str]] = {
    "--rm": ({"host": {"AutoRemove": True}}, {}, "it was to be removed at its end (--rm)"),
    "another terminal": (
        {},
        {"labels": parent().labels()},
        "it belonged to a nixdock in another terminal, which removed it",
    ),
}


@pytest.mark.parametrize("case", LOST)
def test_one_that_is_gone_with_its_end_cannot_be_had_back(case: str) -> None:
    of_engine, of_container, why = LOST[case]
    engine = Engine(**of_engine)
    replacement, told = begin(engine, **of_container)
    replacement.take_place(New())
    assert engine.asked == [("stop", "old", "3"), ("remove", "old"), ("rename", "new", "web")]
    replacement.close()
    assert told[-1] == Notice(f"web: the one before cannot be started again: {why}")


def test_one_that_had_ended_is_nothing_to_go_back_to() -> None:
    engine = Engine()
    replacement, told = begin(engine, state="exited")
    replacement.take_place(New())
    replacement.close()
    assert engine.asked == [("remove", "old"), ("rename", "new", "web")]
    assert told == [REPLACING]


def test_one_that_is_not_removed_is_called_so_that_the_new_one_is_not_taken_for_unproven() -> None:
    engine = Engine(refuses="remove")
    replacement, told = begin(engine)
    replacement.take_place(New())
    replacement.finish()
    replacement.close()
    assert engine.asked == [*STOPPED, ("remove", "old"), ("rename", "old", "web.replaced")]
    assert told == [REPLACING, Warned(f"the container before, {engine.name}, is not removed: no remove")]


def test_one_that_is_paused_goes_where_the_engine_stops_none() -> None:
    engine = Engine(refuses="stop")
    replacement, told = begin(engine, state="paused")
    replacement.take_place(New())
    assert engine.asked == [("stop", "old", "3"), ("remove", "old"), ("rename", "new", "web")]
    replacement.close()
    assert told[-1] == Notice("web: the one before cannot be started again: it was paused")


def test_one_that_cannot_be_stopped_stays() -> None:
    engine = Engine(refuses="stop")
    replacement, _ = begin(engine)
    with pytest.raises(EngineRefusedError):
        replacement.take_place(New())
    assert engine.asked == [("stop", "old", "3")]


def test_with_the_old_one_goes_the_note_that_it_was_left_running() -> None:
    remember_detached("old")
    replacement, _ = begin(Engine())
    replacement.take_place(New())
    replacement.finish()
    assert not is_detached("old")


@pytest.mark.parametrize("kept", [False, True])
def test_what_is_kept_for_a_look_makes_room(kept: bool) -> None:
    engine = Engine()
    replacement, _ = begin(engine)
    new = New()
    replacement.take_place(new)
    replacement.give_up(new, kept=kept)
    assert new.killed is kept
    assert engine.asked[len(STOPPED) :] == ([("rename", "new", "web.failed")] if kept else [])
