"""What is said about the work, as lines: which events become a line, how it reads, and how it is written.

Builds and fetches are many and mostly short: those that take no time worth a line of their own are
counted, and told together, `built 14, fetched 52 (8.2 MB) in 12.3 s`, before anything else is told.
"""

from __future__ import annotations

import dataclasses
import math
import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final

from nixdock.events import (
    Event,
    Judged,
    Notice,
    OutputLine,
    Warned,
    Work,
    WorkAdvanced,
    WorkFinished,
    WorkStarted,
)
from nixdock.out import tell, tell_json
from nixdock.text import format_bytes, split_lines

if TYPE_CHECKING:
    from collections.abc import Callable

_WARNING: Final = "nixdock: warning: "

_WORDS: Final = {
    Work.EVALUATE: ("evaluating", "evaluated"),
    Work.BUILD: ("building", "built"),
    Work.FETCH: ("fetching", "fetched"),
    Work.READ: ("reading", "read"),
    Work.SEND: ("sending", "sent"),
    Work.WAIT: ("waiting for", "waited for"),
}
_COUNTED: Final = (Work.BUILD, Work.FETCH)
_OWN_LINE: Final = 3.0
"""Seconds after which a build, a fetch or a mere reading is worth a line of its own."""
_STILL: Final = 10.0
"""Seconds after which it is told that a piece of work goes on, and again after each such time."""


@dataclass(slots=True)
class _Going:
    """A piece of work that goes on."""

    start: WorkStarted
    since: float
    reminded: float
    done: int = 0


@dataclass(slots=True)
class _Tally:
    """Short builds and fetches that no line has told yet."""

    count: dict[Work, int] = field(default_factory=dict)
    bytes_fetched: int = 0
    since: float = math.inf
    until: float = 0.0

    def add(self, going: _Going, now: float) -> None:
        """Count a piece of work that has ended; it may have begun before the last line was told."""
        kind = going.start.kind
        self.count[kind] = self.count.get(kind, 0) + 1
        self.bytes_fetched += going.done if kind is Work.FETCH else 0
        self.since = min(self.since, going.since)
        self.until = now


@dataclass(slots=True)
class Narration:
    """Turns events into lines, remembering what goes on.

    Args:
        verbose: Whether builders' output and each start and end have lines too.
        clock: Seconds that only grow.
    """

    verbose: bool = False
    clock: Callable[[], float] = time.monotonic
    _going: dict[str, _Going] = field(default_factory=dict)
    _tally: _Tally = field(default_factory=_Tally)

    def narrate(self, event: Event) -> list[str]:
        """Return the lines that an event is worth; often none."""
        match event:
            case Notice() | Warned() | Judged():
                return [*self._told_together(), *word(event)]
            case OutputLine():
                return [f"{event.source}> {event.text}"] if self.verbose else []
            case WorkStarted():
                return self._start(event)
            case WorkFinished() if event.key in self._going:
                return self._end(self._going.pop(event.key), event)
            case WorkAdvanced() if event.key in self._going:
                self._going[event.key].done = event.done
            case _:
                pass
        return []

    def remind(self, event: WorkAdvanced) -> str | None:
        """Return the line that says that work goes on, if it is time for it."""
        going = self._going.get(event.key)
        now = self.clock()
        if going is None or now - going.reminded < _STILL:
            return None
        going.reminded = now
        total = event.total or going.start.total
        done = format_bytes(event.done) + (f" of {format_bytes(total)}" if total else "")
        return f"{name_work(going.start)}: {done}"

    def finish(self) -> list[str]:
        """Return the lines that were held back."""
        self._going.clear()
        return self._told_together()

    def _start(self, event: WorkStarted) -> list[str]:
        now = self.clock()
        self._going[event.key] = _Going(event, now - event.for_seconds, now)
        lines = [] if event.kind in _COUNTED else self._told_together()
        return [*lines, name_work(event)] if self.verbose else lines

    def _end(self, going: _Going, event: WorkFinished) -> list[str]:
        now = self.clock()
        seconds = now - going.since
        kind = going.start.kind
        if event.ok and kind in _COUNTED and seconds < _OWN_LINE and not self.verbose:
            self._tally.add(going, now)
            return []
        if kind is Work.READ and event.ok and not event.summary and seconds < _OWN_LINE and not self.verbose:
            return []
        facts = [event.summary] if event.summary else []
        if seconds >= 0.05:
            facts.append(f"{seconds:.1f} s")
        verb = _WORDS[kind][1] if event.ok else f"failed {_WORDS[kind][0]}"
        line = f"{verb} {going.start.label}" + (f" ({', '.join(facts)})" if facts else "")
        return [line] if kind in _COUNTED else [*self._told_together(), line]

    def _told_together(self) -> list[str]:
        tally, self._tally = self._tally, _Tally()
        if not tally.count:
            return []
        parts = [f"{_WORDS[kind][1]} {tally.count[kind]}" for kind in _COUNTED if kind in tally.count]
        size = f" ({format_bytes(tally.bytes_fetched)})" if tally.bytes_fetched else ""
        return [f"{', '.join(parts)}{size} in {tally.until - tally.since:.1f} s"]


def word(event: Notice | Warned | Judged) -> list[str]:
    """Return the lines of what the user should read, whatever the form."""
    match event:
        case Notice():
            return _hang(event.text)
        case Warned():
            return _hang(_WARNING + event.text)
        case Judged():
            return _word_verdict(event)


def _word_verdict(event: Judged) -> list[str]:
    why = (part for line in event.lines for part in split_lines(line))
    return [f"{event.verdict} {event.name} ({event.seconds:.1f} s)", *(f"  {line}" for line in why)]


def _hang(text: str) -> list[str]:
    """Return a sentence's lines; only the first can be taken for one of ours."""
    first, *rest = split_lines(text) or [""]
    return [first, *(f"  {line}" for line in rest)]


def name_work(start: WorkStarted) -> str:
    """Return what a piece of work is while it goes on: `building hello-2.10`."""
    return f"{_WORDS[start.kind][0]} {start.label}"


@dataclass(frozen=True, slots=True)
class QuietConsole:
    """Shows warnings alone, and verdicts that are not good."""

    out: IO[str]

    def tell(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, Warned) or (isinstance(event, Judged) and event.verdict in {"FAIL", "ERROR"}):
            for line in word(event):
                tell(line, stream=self.out)

    def close(self) -> None:
        """Do nothing: nothing was held back."""


@dataclass(frozen=True, slots=True)
class JsonConsole:
    """Shows every event as one JSON object a line: `event`, its class, then its fields."""

    out: IO[str]

    def tell(self, event: Event) -> None:
        """Show one event."""
        fields = {item.name: getattr(event, item.name) for item in dataclasses.fields(event)}
        tell_json({"event": type(event).__name__, **fields}, stream=self.out)

    def close(self) -> None:
        """Do nothing: nothing was held back."""


@dataclass(frozen=True, slots=True)
class PlainConsole:
    """Shows the narration's lines."""

    out: IO[str]
    narration: Narration = field(default_factory=Narration)

    def tell(self, event: Event) -> None:
        """Show one event."""
        for line in self.narration.narrate(event):
            tell(line, stream=self.out)
        if isinstance(event, WorkAdvanced):
            reminder = self.narration.remind(event)
            if reminder:
                tell(reminder, stream=self.out)

    def close(self) -> None:
        """Show what was held back."""
        for line in self.narration.finish():
            tell(line, stream=self.out)
