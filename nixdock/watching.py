"""Being told when files change: by the kernel, and by looking again where it says nothing.

What the kernel tells only wakes us. Whether something has changed is for whoever knows what it was before
to say: so a file that was merely touched, an editor's own files, and a save by rename need no rules of their
own. The folder is watched in which a name stands, never the file: one that is replaced, or deleted and made
again, keeps nothing but its name.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from nixdock.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

log = get_logger(__name__)

QUIET: Final = 0.02
"""Seconds without any event after which what was saved is taken for complete."""

LONGEST: Final = 1.0
"""Seconds that events are waited out at most, where they never stop."""

_MODIFIED: Final = 2
"""How watchfiles calls the event of something that stays; other events are of what comes and goes."""

_STEP: Final = 10
"""Milliseconds between two looks at what the kernel has told."""

_LOOK_AGAIN: Final = 2.0
"""Seconds after which we look ourselves: network file systems tell of nothing that others do."""

_SHARE: Final = 50
"""How many times as long as a look takes is waited at least before the next: many files are not free."""

_MOST_LINKS: Final = 40


@dataclass(frozen=True, slots=True)
class Places:
    """Where something may change.

    Args:
        files: Whose content counts, or whether they are there: what is not there yet may come.
        directories: Whose listing counts.
        trees: Directories of which everything below counts.
    """

    files: frozenset[str] = frozenset()
    directories: frozenset[str] = frozenset()
    trees: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.files) + len(self.directories) + len(self.trees)

    def __or__(self, other: Places) -> Places:
        return Places(
            self.files | other.files, self.directories | other.directories, self.trees | other.trees
        )


def follow_names(path: str) -> Iterator[str]:
    """Yield the names on the way to a path whose change leads it elsewhere.

    These are links, the first name that is not there, the path itself and the directory that it is in: all as
    they are called once links are followed.

    Args:
        path: Absolute.
    """
    current, left = "/", [part for part in path.split("/") if part]
    links = 0
    while left:
        name = left.pop(0)
        if name in {".", ".."}:
            current = os.path.dirname(current) if name == ".." else current  # noqa: PTH120  # many names, often
            continue
        entry = f"{current.rstrip('/')}/{name}"
        try:
            mode = os.lstat(entry).st_mode
        except OSError:
            yield entry
            return
        if stat.S_ISLNK(mode) and links < _MOST_LINKS:
            links += 1
            yield entry
            target = os.readlink(entry)  # noqa: PTH115
            left = [part for part in target.split("/") if part] + left
            current = "/" if target.startswith("/") else current
            continue
        if len(left) <= 1:
            yield entry
        current = entry


class Coverage:
    """What must be watched for some places, and which events there matter.

    Attributes:
        folders: The directories whose entries are watched, with what tells one from its successor.
        trees: The same of those that are watched with all below them.
    """

    def __init__(self, places: Places) -> None:
        self._names: set[str] = set()
        self._listed: set[str] = set()
        self.folders: dict[str, int] = {}
        self.trees: dict[str, int] = {}
        for path in places.files | places.directories | places.trees:
            self._names.update(follow_names(path))
        for name in self._names:
            _add(self.folders, os.path.dirname(name))  # noqa: PTH120
        for path in places.directories:
            real = os.path.realpath(path)
            self._listed.add(real)
            _add(self.folders, real)
        for path in places.trees:
            _add(self.trees, os.path.realpath(path))

    def concerns(self, path: str) -> bool:
        """Whether an event at a path may change one of the places."""
        if path in self._names or path in self._listed:
            return True
        above = os.path.dirname(path)  # noqa: PTH120
        if above in self._listed:
            return True
        return bool(self.trees) and any(
            path == tree or path.startswith(f"{tree.rstrip('/')}/") for tree in self.trees
        )


def _add(found: dict[str, int], directory: str) -> None:
    try:
        status = os.stat(directory)  # noqa: PTH116
    except OSError:
        return
    # Of one that may not be listed the kernel tells nothing.
    if stat.S_ISDIR(status.st_mode) and os.access(directory, os.R_OK):
        found[directory] = status.st_ino


def settle(events: SimpleQueue[None], clock: Callable[[], float] = time.monotonic) -> None:
    """Return once no event has come for a moment; at the latest after `LONGEST`.

    Args:
        events: Gets each event, or a None for it.
        clock: What tells the seconds.
    """
    end = clock() + LONGEST
    while (left := end - clock()) > 0:
        try:
            events.get(timeout=min(QUIET, left))
        except Empty:
            return


class FileWatch:
    """Calls for a look when something may have changed, from a thread of its own.

    Args:
        look: Called once what was going on is over, or enough time has passed. Calls never overlap.
    """

    def __init__(self, look: Callable[[], object]) -> None:
        self.fault: str | None = None
        self._look = look
        self._events: SimpleQueue[None] = SimpleQueue()
        self._places = Places()
        self._coverage = self._watched = Coverage(self._places)
        self._gone = False
        self._kernel: list[_KernelWatch] = []
        self._lock = threading.Lock()
        self._closed = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def watch(self, places: Places) -> None:
        """Watch these places from now on, in place of those before; a look follows soon."""
        with self._lock:
            self._places = places
            self._renew()
        self._events.put(None)

    def close(self) -> None:
        """Watch no more."""
        self._closed.set()
        self._events.put(None)
        with self._lock:
            self._stop()

    def _run(self) -> None:
        pause = _LOOK_AGAIN
        while not self._closed.is_set():
            try:
                self._events.get(timeout=pause)
                settle(self._events)
            except Empty:
                pass
            if self._closed.is_set():
                return
            began = time.monotonic()
            with self._lock:
                self._renew()
            self._look()
            pause = max(_LOOK_AGAIN, _SHARE * (time.monotonic() - began))

    def _renew(self) -> None:
        """Have the kernel tell of the directories that there are now: others may have taken their names."""
        self._coverage = new = Coverage(self._places)
        watched = self._watched
        if (
            not self._gone
            and new.folders.items() <= watched.folders.items()
            and new.trees.items() <= watched.trees.items()
        ):
            # More than is needed does no harm.
            return
        self._gone = False
        self._watched = new
        # The new ones first, so that nothing is missed between them.
        old, self._kernel = self._kernel, []
        self.fault = None
        for paths, recursive in ((new.folders, False), (new.trees, True)):
            if paths and not self._closed.is_set():
                try:
                    self._kernel.append(_KernelWatch(paths, recursive=recursive, tell=self._hear))
                except (OSError, RuntimeError) as error:
                    # The kernel grants so many watches and no more: we look ourselves.
                    self.fault = str(error)
                    # One that has gone just now is no reason to do without for good.
                    self._gone = isinstance(error, FileNotFoundError)
                    log.warning("watch.failed", error=self.fault)
        for one in old:
            one.stop()

    def _stop(self) -> None:
        for one in self._kernel:
            one.stop()
        self._kernel = []

    def _hear(self, events: Collection[tuple[int, str]]) -> None:
        watched = self._watched
        if any(
            kind != _MODIFIED and (path in watched.folders or path in watched.trees) for kind, path in events
        ):
            # What has this name next may even have the same number; the kernel has forgotten it.
            self._gone = True
        coverage = self._coverage
        if any(coverage.concerns(path) for _, path in events):
            self._events.put(None)


class _KernelWatch:
    """The kernel's own telling of some directories, until it is stopped."""

    def __init__(
        self,
        directories: Mapping[str, int],
        *,
        recursive: bool,
        tell: Callable[[Collection[tuple[int, str]]], None],
    ) -> None:
        # Few commands watch.
        from watchfiles._rust_notify import RustNotify  # noqa: PLC0415  # its documented lower door

        self._tell = tell
        self._stopped = threading.Event()
        self._notify = RustNotify(
            sorted(directories),
            False,  # debug
            False,  # force_polling
            0,
            recursive,
            # ignore_permission_denied: it would hide every error, that there are no more watches, too
            False,
        )
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        with self._notify as notify:
            while not self._stopped.is_set():
                told = notify.watch(_STEP, _STEP, 0, self._stopped)
                if not isinstance(told, set):
                    return
                self._tell(told)
