"""What asks for another round: what was read and is another by now, and keys."""

from __future__ import annotations

import os
import signal
import time
from contextlib import closing
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import pytest

from nixdock.nix.read_set import ReadSet
from nixdock.nix.read_state import Change
from nixdock.usecases.wishes import Desk, KeyPressed, ReadChanged, Readings, describe_changes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAST = time.time() - 3600


class Told:
    """Readings, and what they told."""

    def __init__(self) -> None:
        self._told: SimpleQueue[str] = SimpleQueue()
        self.readings = Readings(self._told.put)

    def next(self) -> str:
        return self._told.get(timeout=30)

    def nothing(self) -> bool:
        """Whether nothing is told, though it is looked now."""
        self.readings._look()
        try:
            self._told.get_nowait()
        except Empty:
            return True
        return False


@pytest.fixture
def told() -> Iterator[Told]:
    found = Told()
    with closing(found.readings):
        yield found


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "app.py"
    file.write_text("1")
    os.utime(file, (PAST, PAST))
    # Its inode was written just now, too: what that says is not what is tested here.
    monkeypatch.setattr("nixdock.usecases.wishes._TICK", -(10**12))
    return file


def read(told: Told, read_set: ReadSet) -> None:
    told.readings.begin()
    told.readings.add(read_set)


def test_a_file_that_was_read_and_has_changed_is_named_from_here(told: Told, app: Path) -> None:
    read(told, ReadSet(files=frozenset([app])))
    app.write_text("2")
    assert told.next() == "app.py has changed"
    # Once is enough, until something is read anew.
    app.write_text("3")
    assert told.nothing()
    read(told, ReadSet(files=frozenset([app])))
    app.write_text("4")
    assert told.next() == "app.py has changed"


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(os.utime, id="touched"),
        pytest.param(lambda app: app.chmod(0o600), id="mode"),
        pytest.param(lambda app: app.write_text("1"), id="same bytes"),
        pytest.param(lambda app: app.with_name(".app.py.swp").write_text("2"), id="an editor's file"),
        pytest.param(
            lambda app: (app.with_name("4913").write_text("1"), app.with_name("4913").replace(app)),
            id="renamed",
        ),
    ],
)
def test_what_leaves_the_bytes_is_no_change(told: Told, app: Path, act: Callable[[Path], object]) -> None:
    read(told, ReadSet(files=frozenset([app])))
    act(app)
    assert told.nothing()


def test_of_a_source_it_counts_whether_it_can_be_executed(told: Told, app: Path) -> None:
    read(told, ReadSet(trees=frozenset([app])))
    app.chmod(0o755)
    assert told.next() == "app.py has changed"


def test_what_was_not_there_has_come(told: Told, app: Path) -> None:
    read(told, ReadSet(absences=frozenset([app.with_name("more.nix")])))
    app.with_name("more.nix").write_text("{ }")
    assert told.next() == "more.nix is new"


def test_a_file_that_is_gone_for_a_moment_is_none(
    told: Told, app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def come_again(_seconds: float) -> None:
        app.write_text("1")

    read(told, ReadSet(files=frozenset([app])))
    monkeypatch.setattr("nixdock.usecases.wishes.time.sleep", come_again)
    app.unlink()
    assert told.nothing()


def test_a_file_that_stays_gone_is_told(told: Told, app: Path) -> None:
    read(told, ReadSet(files=frozenset([app])))
    app.unlink()
    assert told.next() == "app.py is gone"


def test_a_change_before_it_was_looked_at_is_not_lost(
    told: Told, app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nixdock.usecases.wishes._TICK", 0)
    told.readings.begin()
    # Nix has read it, and nobody has looked at it yet.
    time.sleep(0.02)
    app.write_text("2")
    told.readings.add(ReadSet(files=frozenset([app])))
    assert told.next() == "app.py has changed"
    # Nor is the next one.
    told.readings.begin()
    time.sleep(0.02)
    app.write_text("3")
    told.readings.add(ReadSet(files=frozenset([app])))
    assert told.next() == "app.py has changed"
    # What is written anew all the time does not lead from one round to the next for ever.
    told.readings.begin()
    time.sleep(0.02)
    app.write_text("3")
    told.readings.add(ReadSet(files=frozenset([app])))
    assert told.nothing()


def test_of_many_changes_some_are_named() -> None:
    here = Path("/home/me")
    changes = [Change(str(here / name), "is new", here / name) for name in "abcde"]
    assert describe_changes(changes[:1], here) == "a is new"
    assert describe_changes(changes, here) == "a is new, b is new, c is new, and 2 more"
    other = Change("the environment variable X", "has another value")
    assert describe_changes([other, Change("/etc/x", "is gone", Path("/etc/x"))], here) == (
        "the environment variable X has another value, /etc/x is gone"
    )


def test_a_change_and_the_key_for_it_call_a_round_off() -> None:
    for wish in (ReadChanged("x"), KeyPressed("r")):
        desk = Desk()
        desk.put(wish)
        assert desk.calls_off()
        assert desk.take() == wish
        desk.clear()
        assert not desk.calls_off()
    desk = Desk()
    desk.put(KeyPressed("l"))
    assert (desk.calls_off(), desk.is_waited_for()) == (False, True)


def test_the_key_that_quits_is_as_ctrl_c() -> None:
    desk = Desk()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            # Within the call at the latest: it is this thread's own signal.
            desk.put(KeyPressed("q"))
    finally:
        signal.signal(signal.SIGINT, before)
    assert desk.quits
