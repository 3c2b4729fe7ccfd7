"""Which replacements of a service were cut short, and what is done about them."""

from __future__ import annotations

import fcntl
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from nixdock.engine.connection.address import Address
from nixdock.engine.connection.responses import ContainerDetails, ContainerSummary
from nixdock.engine.containers.owner import REPLACES, RUN, TARGET, Owner, find_ourselves
from nixdock.engine.containers.unfinished import (
    TakenPlace,
    find_unfinished,
    label_place,
    lock_file,
    undo_unfinished,
)

if TYPE_CHECKING:
    from pathlib import Path


class Engine:
    """Containers by their IDs, each with its name and whether it runs; and what was asked for."""

    address = Address("unix:///x", "a test")

    def __init__(self, *theirs: str) -> None:
        self.names: dict[str, list[Any]] = {"old": ["web.old-1", False], "new": ["web", True]}
        self.asked: list[tuple[str, ...]] = []
        self.theirs = theirs

    def find_container(self, ident: str) -> ContainerDetails | None:
        if ident not in self.names:
            return None
        name, runs = self.names[ident]
        mark = "" if ident in self.theirs else "nixdock:r:1"
        raw = {
            "Id": ident,
            "Name": f"/{name}",
            "State": {"Status": "running" if runs else "exited"},
            "HostConfig": {"ContainerIDFile": mark},
        }
        return ContainerDetails.from_json(raw)

    def remove_container(self, ident: str) -> None:
        self.asked.append(("remove", ident))
        del self.names[ident]

    def rename_container(self, ident: str, name: str) -> None:
        self.asked.append(("rename", ident, name))
        self.names[ident][0] = name

    def stop_container(self, ident: str, *, grace: int) -> None:
        self.asked.append(("stop", ident, str(grace)))
        self.names[ident][1] = False

    def start_container(self, ident: str) -> None:
        self.asked.append(("start", ident))
        self.names[ident][1] = True


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIXDOCK_STATE_DIR", str(tmp_path))


def summary(ident: str, called: str = "web", **labels: str) -> ContainerSummary:
    common = {RUN: "r", TARGET: "/web.nix"}
    return ContainerSummary(ident, called, "i", "i", "running", {**common, **labels}, {})


def dead_place(name: str = "web", old: str = "old") -> dict[str, str]:
    """Return the label of a replacement to which a dead process of this machine saw."""
    (label,) = label_place(name, old).values()
    words = label.split(" ")
    # The start of a process that had our number before us.
    words[3] = "1"
    return {REPLACES: " ".join(words)}


def pair(**labels: str) -> list[ContainerSummary]:
    return [summary("old"), summary("new", **(labels or dead_place()))]


def test_a_label_says_whose_place_is_taken_by_whom() -> None:
    place = TakenPlace.of(summary("new", **label_place("web", "old")))
    assert place is not None
    assert (place.name, place.old) == ("web", "old")
    assert place.process["io.nixdock.pid"] == str(os.getpid())


@pytest.mark.parametrize("label", ["", "web", "web old", "web old 1 2 3", "web old 1 2 3 4 5 6", " " * 6])
def test_a_label_that_says_nothing_takes_no_place(label: str) -> None:
    assert list(find_unfinished(pair(**{REPLACES: label}))) == []


CASES: dict[str, tuple[list[ContainerSummary], bool]] = {
    "whoever saw to it is dead": (pair(), True),
    "whoever sees to it lives": (pair(**label_place("web", "old")), False),
    "the old one is gone, so the new one was proven": ([summary("new", **dead_place())], False),
    "the old one is another target's": ([summary("old", **{TARGET: "/a.nix"}), pair()[1]], False),
    "it has the name by now": ([summary("old", "web.old-1"), summary("new", "web", **dead_place())], True),
    "it has not the name yet": ([summary("old"), summary("new", "web.new-1", **dead_place())], True),
    "it is kept for a look": ([summary("old"), summary("new", "web.failed-1", **dead_place())], False),
    "somebody named it otherwise": ([summary("old"), summary("new", "mine", **dead_place())], False),
    "the new one is proven": ([summary("old", "web.replaced-1"), pair()[1]], False),
    "the old one is being removed": ([replace(summary("old"), state="removing"), pair()[1]], False),
    "it would be its own": ([summary("new", **dead_place(old="new"))], False),
}


@pytest.mark.parametrize("case", CASES)
def test_what_was_cut_short(case: str) -> None:
    containers, is_cut_short = CASES[case]
    assert bool(list(find_unfinished(containers))) is is_cut_short


def test_the_old_one_gets_its_name_and_runs() -> None:
    engine = Engine()
    assert undo_unfinished(engine, pair()) == ("new", "old")  # type: ignore[arg-type]
    assert engine.asked == [("remove", "new"), ("rename", "old", "web"), ("start", "old")]


def test_one_that_was_asked_to_end_is_seen_to_its_end_first() -> None:
    engine = Engine()
    engine.names = {"old": ["web", True], "new": ["web.new-1", False]}
    undo_unfinished(engine, pair())  # type: ignore[arg-type]
    assert engine.asked == [("remove", "new"), ("stop", "old", "10"), ("start", "old")]


def test_the_old_one_of_somebody_who_is_dead_goes_too() -> None:
    engine = Engine()
    dead = Owner("r", replace(find_ourselves(), started="1")).labels()
    undo_unfinished(engine, [summary("old", **{**dead, TARGET: "/web.nix"}), pair()[1]])  # type: ignore[arg-type]
    assert engine.asked == [("remove", "new"), ("remove", "old")]


@pytest.mark.parametrize("theirs", ["old", "new"])
def test_labels_alone_make_nothing_ours(theirs: str) -> None:
    engine = Engine(theirs)
    undo_unfinished(engine, pair())  # type: ignore[arg-type]
    assert engine.asked == []


def test_what_another_nixdock_works_on_is_left_to_it() -> None:
    engine = Engine()
    file = lock_file(engine, "/web.nix", "web")  # type: ignore[arg-type]
    file.parent.mkdir()
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert undo_unfinished(engine, pair()) == ("new", "old")  # type: ignore[arg-type]
    assert engine.asked == []
    assert undo_unfinished(engine, pair()) == ("new", "old")  # type: ignore[arg-type]
    assert engine.asked


def test_a_state_that_cannot_be_written_is_no_hindrance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIXDOCK_STATE_DIR", "/proc/nowhere")
    engine = Engine()
    undo_unfinished(engine, pair())  # type: ignore[arg-type]
    assert ("start", "old") in engine.asked
