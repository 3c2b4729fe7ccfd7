"""What asks for another round of `watch`: keys, and something that was read and is another by now."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from nixdock.engine.containers.terminal import await_item
from nixdock.nix.read_state import Aspect, Change, observe_state
from nixdock.settings import here
from nixdock.watching import FileWatch, Places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from nixdock.engine.containers.container import Container
    from nixdock.nix.read_set import ReadSet
    from nixdock.nix.read_state import ReadState

_TICK: Final = 20_000_000
"""Nanoseconds by which the time of a file may be before that of its writing."""

_GRACE: Final = 0.3
"""Seconds that a file may be gone: an editor may be about to write it anew."""

_MOST: Final = 3
"""How many changes are named."""


@dataclass(frozen=True, slots=True)
class ReadChanged:
    """Something that was read is another by now.

    Args:
        what: What became of what, as a sentence.
    """

    what: str


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """A key was pressed."""

    key: str


Wish = ReadChanged | KeyPressed


class Desk:
    """Where wishes come in, from other threads: what the user types, and what has changed.

    Attributes:
        quits: Whether the user wants to quit.
        attended: The container that is attended to by now: whoever does that is woken by a wish.
    """

    def __init__(self) -> None:
        self.quits = False
        self.attended: Container | None = None
        self._wishes: SimpleQueue[Wish] = SimpleQueue()
        self._begins_anew = threading.Event()

    def put(self, wish: Wish) -> None:
        """Take a wish."""
        if wish == KeyPressed("q"):
            self.quits = True
            # Wherever the main thread is, as Ctrl-C does: a signal to the process could go to another thread.
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            return
        if isinstance(wish, ReadChanged) or wish.key == "r":
            self._begins_anew.set()
        self._wishes.put(wish)
        container = self.attended
        if container is not None:
            container.happenings.put(None)

    def calls_off(self) -> bool:
        """Whether there is a wish that begins another round."""
        return self._begins_anew.is_set()

    def is_waited_for(self) -> bool:
        """Whether there is any wish."""
        return not self._wishes.empty()

    def take(self) -> Wish:
        """Wait for a wish and return it."""
        while (wish := await_item(self._wishes)) is None:
            pass
        return wish

    def clear(self) -> None:
        """Forget what there is: it is about a round that is over."""
        self._begins_anew.clear()
        with suppress(Empty):
            while True:
                self._wishes.get_nowait()


class Readings:
    """Tells once, from a thread, when something that was read is another by now.

    Args:
        tell: Told what has changed, as one sentence.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._began = 0
        self._round = 0
        self._places = Places()
        self._states: list[ReadState] = []
        self._seen: dict[tuple[Aspect, Path], str] = {}
        self._told = False
        self._files = FileWatch(self._look)

    @property
    def count(self) -> int:
        """How many paths are watched."""
        return len(self._places)

    @property
    def fault(self) -> str | None:
        """Why the kernel does not tell of all of them, where it does not."""
        return self._files.fault

    def begin(self) -> None:
        """Begin anew: what is read from now on may change from now on; what was read before is let go."""
        with self._lock:
            self._began = time.time_ns()
            self._round += 1
            self._places, self._states, self._told = Places(), [], False

    def add(self, read: ReadSet) -> None:
        """Add what an evaluation read."""
        places = Places(
            _texts(read.files | read.indexes | read.present | read.absences),
            _texts(read.directories),
            _texts(read.trees | read.work_trees),
        )
        self._add(places, read.observe())

    def add_files(self, files: Iterable[Path]) -> None:
        """Add files, whether they are there or not."""
        absolute = [here() / file for file in files]
        self._add(Places(_texts(absolute)), observe_state([(Aspect.CONTENT, file) for file in absolute]))

    def close(self) -> None:
        """Watch no more."""
        self._files.close()

    def _add(self, places: Places, state: ReadState) -> None:
        with self._lock:
            self._places |= places
            self._states.append(state)
        self._tell_missed(state)
        # That leads to a look: what has changed since it was read is found now.
        self._files.watch(self._places)

    def _tell_missed(self, state: ReadState) -> None:
        """Tell what may have been written after it was read, and before it was looked at."""
        observations = state.observations.items()
        # What is as it was seen last, before it was read, was read so: as what is written anew each time.
        missed = {
            path
            for (aspect, path), seen in observations
            if aspect is not Aspect.KIND
            and seen.written >= self._began - _TICK
            and seen.value != self._seen.get((aspect, path))
        }
        self._seen |= {key: seen.value for key, seen in observations}
        if missed:
            changes = [Change(str(path), "has changed", path) for path in sorted(missed)]
            self._tell_once(changes, self._round)

    def _look(self) -> None:
        with self._lock:
            states, told, current = [*self._states], self._told, self._round
        if told:
            return
        changes = _differences(states)
        if any(change.how == "is gone" for change in changes):
            time.sleep(_GRACE)
            changes = _differences(states)
        if changes:
            self._tell_once(changes, current)

    def _tell_once(self, changes: list[Change], seen_in: int) -> None:
        with self._lock:
            # Where another round has begun meanwhile, that reads anew.
            if self._told or seen_in != self._round:
                return
            self._told = True
        self._tell(describe_changes(changes, here()))


def describe_changes(changes: list[Change], start: Path) -> str:
    """Return changes as one sentence.

    Args:
        changes: At least one.
        start: The directory from which files are named.
    """
    named = []
    for change in changes[:_MOST]:
        what = change.what
        if change.path is not None:
            with suppress(ValueError):
                what = str(change.path.relative_to(start))
        named.append(f"{what} {change.how}")
    more = len(changes) - _MOST
    return ", ".join(named) + (f", and {more} more" if more > 0 else "")


def _differences(states: list[ReadState]) -> list[Change]:
    return list(dict.fromkeys(change for state in states for change in state.differences()))


def _texts(paths: Iterable[Path]) -> frozenset[str]:
    return frozenset(map(str, paths))
