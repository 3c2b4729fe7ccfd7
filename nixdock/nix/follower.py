"""What a Nix process tells while it runs, passed on as nixdock's events, and kept for when it fails."""

from __future__ import annotations

import itertools
import re
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from nixdock import events
from nixdock.log import get_logger
from nixdock.nix.build_log import (
    Activity,
    Entry,
    Level,
    LogLine,
    Message,
    PhaseSet,
    Progressed,
    Started,
    Stopped,
    parse_line,
)
from nixdock.nix.store import name_of

if TYPE_CHECKING:
    from collections.abc import Callable

log = get_logger(__name__)

TAIL_LINES: Final = 20
"""How many of a builder's last lines are kept; Nix itself shows 10, or 25 since 2.24."""

_LONGEST_LINE: Final = 400
"""Characters of one line that are kept."""

_OF_NO_USE: Final = re.compile(
    r"Nix search path entry '.*' does not exist, ignoring"
    # nixdock makes its own GC roots where they are wanted.
    r"|you did not specify '--add-root'"
    r"|the group '.*' specified in 'build-users-group' does not exist"
    r"|not writing modified lock file of flake"
    # A flake may have no input nixpkgs to be replaced.
    r"|'--override-input nixpkgs .*' does not match any input"
    # What stands in for an input has none of its own.
    r"|has an override for a non-existent input '(?:nixpkgs|nixpkgs-lib|systems)'"
)
_SUBSTITUTER_PARTS: Final = re.compile(r"\.narinfo$|\.nar(\.\w+)?$|/nix-cache-info$|\.ls$")
_INTERVAL: Final = 0.2
"""Seconds between two tellings of how far a fetch is."""

_keys = itertools.count()


@dataclass(slots=True)
class _Work:
    """A piece of work that the listener knows of."""

    key: str
    kind: events.Work
    told: float = 0.0


@dataclass(slots=True)
class Follower:
    """Follows one Nix process by the lines of its standard error.

    Args:
        listener: Whom to tell.
        fetched_uri: What a derivation fetches that does nothing else: it is told as a fetch, not a build.
        clock: Seconds that only grow.
        warned: The warnings that were told already, by the Nix processes before this one.
        hear: Takes what Nix says before anybody else does; whether it was for nobody else.
    """

    listener: events.Listener
    fetched_uri: Callable[[str], str | None] = lambda _derivation: None
    clock: Callable[[], float] = time.monotonic
    warned: set[str] = field(default_factory=set)
    hear: Callable[[str], bool] = lambda _text: False
    errors: list[Message] = field(default_factory=list)
    warnings: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL_LINES))
    _derivations: dict[int, str] = field(default_factory=dict)
    _tails: dict[str, deque[str]] = field(default_factory=dict)
    _work: dict[int, _Work] = field(default_factory=dict)
    _transfers: dict[int, _Work] = field(default_factory=dict)
    _fetches: dict[str, _Work] = field(default_factory=dict)
    _builds: int | None = None
    _counted: tuple[int, int] = (0, 0)
    _running: list[int] = field(default_factory=list)
    _outcomes: dict[int, bool] = field(default_factory=dict)
    _successes: int = 0

    def feed(self, line: bytes) -> None:
        """Take one line."""
        entry = parse_line(line)
        if entry is not None:
            self.take(entry)

    def take(self, entry: Entry) -> None:
        """Take one entry of the log."""
        match entry:
            case Started():
                self._start(entry)
            case Stopped():
                self._stop(entry)
            case LogLine():
                self._keep(entry)
            case PhaseSet():
                log.debug("nix.phase", derivation=self._derivations.get(entry.id), phase=entry.name)
            case Progressed():
                self._progress(entry)
            case Message():
                self._hear(entry)

    def tail(self, derivation: str) -> tuple[str, ...]:
        """Return the last lines that a derivation's builder wrote; none where it did not run."""
        return tuple(self._tails.get(derivation, ()))

    def close(self) -> None:
        """Tell the end of everything that a process left open when it died."""
        for work in self._work.values():
            self.listener(events.WorkFinished(work.key, ok=False))
        self._work.clear()

    def _start(self, entry: Started) -> None:
        match entry.kind:
            case Activity.BUILDS:
                self._builds = entry.id
            case Activity.BUILD:
                derivation = str(entry.fields[0]) if entry.fields else ""
                self._derivations[entry.id] = derivation
                self._running.append(entry.id)
                self._tails.setdefault(derivation, deque(maxlen=TAIL_LINES))
                uri = self.fetched_uri(derivation)
                if uri is None:
                    self._begin(entry.id, events.Work.BUILD, name_of(derivation))
                else:
                    self._fetches[uri] = self._begin(entry.id, events.Work.FETCH, _last_part(uri))
            case Activity.FILE_TRANSFER:
                uri = str(entry.fields[0]) if entry.fields else entry.text
                if uri in self._fetches:
                    self._transfers[entry.id] = self._fetches[uri]
                # What a binary cache sends is told as the path that it becomes.
                elif not _SUBSTITUTER_PARTS.search(uri):
                    self._begin(entry.id, events.Work.FETCH, _last_part(uri))
            case Activity.COPY_PATH:
                self._begin(entry.id, events.Work.FETCH, name_of(str(entry.fields[0])))
            case Activity.FETCH_TREE if entry.text:
                self._begin(entry.id, events.Work.FETCH, entry.text.removeprefix("fetching "))
            case Activity.BUILD_WAITING:
                log.info("nix.waiting", what=entry.text)
            case _:
                pass

    def _begin(self, activity: int, kind: events.Work, label: str) -> _Work:
        work = _Work(f"nix-{next(_keys)}", kind)
        self._work[activity] = work
        self.listener(events.WorkStarted(work.key, kind, label))
        return work

    def _stop(self, entry: Stopped) -> None:
        work = self._work.pop(entry.id, None)
        self._transfers.pop(entry.id, None)
        ok = entry.id not in self._derivations or self._judge(entry.id)
        if work is not None:
            self.listener(events.WorkFinished(work.key, ok=ok))

    def _judge(self, build: int) -> bool:
        """Say whether a build that stops has succeeded; its stop alone does not tell."""
        if build in self._running:
            self._running.remove(build)
        if build in self._outcomes:
            return self._outcomes.pop(build)
        # One of several that ran at a time: what was counted stops before anything else does.
        if self._successes:
            self._successes -= 1
            return True
        return False

    def _count(self, done: int, failed: int) -> None:
        """Take Nix's count of builds: what ends is counted before the next starts, and stops later."""
        news = [True] * (done - self._counted[0]) + [False] * (failed - self._counted[1])
        self._counted = (done, failed)
        for ok in news:
            if len(self._running) == 1:
                self._outcomes[self._running.pop()] = ok
            elif ok:
                self._successes += 1

    def _keep(self, entry: LogLine) -> None:
        derivation = self._derivations.get(entry.id)
        if derivation is None:
            return
        text = entry.text if len(entry.text) <= _LONGEST_LINE else entry.text[:_LONGEST_LINE] + "…"
        self._tails[derivation].append(text)
        self.listener(events.OutputLine(name_of(derivation), entry.text))

    def _progress(self, entry: Progressed) -> None:
        if entry.id == self._builds:
            self._count(entry.done, entry.failed)
            return
        work = self._transfers.get(entry.id) or self._work.get(entry.id)
        if work is None or work.kind is not events.Work.FETCH or not entry.done:
            return
        now = self.clock()
        if entry.done == entry.expected or now - work.told >= _INTERVAL:
            work.told = now
            self.listener(events.WorkAdvanced(work.key, entry.done, entry.expected or None))

    def _hear(self, message: Message) -> None:
        if self.hear(message.text):
            return
        if message.is_error:
            log.debug("nix.error", text=message.text)
            self.errors.append(message)
        elif message.level > Level.NOTICE or _OF_NO_USE.search(message.text):
            log.debug("nix.message", text=message.text)
        elif message.text.startswith(("trace:", "note:")):
            self.listener(events.Notice(message.text))
        else:
            self.warnings.append(message.text)
            if message.text not in self.warned:
                self.warned.add(message.text)
                self.listener(events.Warned(message.text.removeprefix("warning: ").removeprefix("error: ")))


def _last_part(uri: str) -> str:
    return uri.rstrip("/").rpartition("/")[2]
