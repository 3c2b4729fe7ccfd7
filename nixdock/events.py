"""What happens while nixdock works, as values, and the meter that says how far a piece of work is.

The parts that do the work tell a listener; they never print. The command line turns events into
progress bars, plain lines or JSON, and a test collects them in a list.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Self

from nixdock.text import format_bytes

if TYPE_CHECKING:
    from types import TracebackType


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth telling."""


Listener = Callable[[Event], None]


def ignore(_event: Event) -> None:
    """Tell nobody: the listener of those who do not listen."""


@dataclass(frozen=True, slots=True)
class Notice(Event):
    """A sentence that the user should read, whatever the form of the progress."""

    text: str


@dataclass(frozen=True, slots=True)
class Warned(Event):
    """A sentence about something that is not as it should be, though work goes on."""

    text: str


class Work(StrEnum):
    """The kinds of work that take time."""

    EVALUATE = "evaluate"
    BUILD = "build"
    FETCH = "fetch"
    READ = "read"
    """Reading or hashing an artefact."""
    SEND = "send"
    """Sending an image to the engine, or to a registry."""
    WAIT = "wait"
    """Waiting for something that another program does: a service to be ready, an engine to start."""


@dataclass(frozen=True, slots=True)
class WorkStarted(Event):
    """A piece of work has begun; `WorkFinished` with the same key follows, whatever happens.

    Args:
        key: What its later events are known by; unique among the work that goes on at one time.
        kind: What kind of work it is.
        label: What is worked on, in few words: a package's name, an image's reference.
        total: How many bytes there are to do, where that is known.
        for_seconds: How long it has gone on before it was told of.
    """

    key: str
    kind: Work
    label: str
    total: int | None = None
    for_seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class WorkAdvanced(Event):
    """A piece of work has come so far; told a few times a second at most.

    Args:
        key: The key that it was started with.
        done: Bytes done since the start.
        total: Bytes there are to do, where that is known now.
    """

    key: str
    done: int
    total: int | None = None


@dataclass(frozen=True, slots=True)
class WorkFinished(Event):
    """A piece of work has ended.

    Args:
        key: The key that it was started with.
        ok: Whether it did what it should.
        summary: What is worth telling of it afterwards, such as `2 of 60 layers sent, 8.4 kB`.
    """

    key: str
    ok: bool = True
    summary: str | None = None


@dataclass(frozen=True, slots=True)
class OutputLine(Event):
    """A line that a builder wrote; told to the user with `--verbose`.

    Args:
        source: Who wrote it: the name of the derivation.
        text: The line, without its end.
    """

    source: str
    text: str


@dataclass(frozen=True, slots=True)
class Judged(Event):
    """A verdict was reached on a run or a check.

    Args:
        name: What was judged.
        verdict: `PASS`, `FAIL`, `SKIP` or `ERROR`.
        seconds: How long it ran.
        lines: Why, as lines to show as they are: what was expected, what was found, a diff.
    """

    name: str
    verdict: str
    seconds: float
    lines: tuple[str, ...] = ()


PAUSE: Final = 0.1
"""Seconds between two events of one piece of work."""

_numbers = itertools.count(1)


class Meter:
    """Tells a listener of one piece of work while the `with` block lasts.

    Args:
        listener: Whom to tell.
        kind: What kind of work it is.
        label: What is worked on, in few words.
        total: Bytes in all, where known.
        clock: What tells the seconds.
    """

    def __init__(
        self,
        listener: Listener,
        kind: Work,
        label: str,
        total: int | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.key = f"{kind}-{next(_numbers)}"
        self.done = 0
        self.summary: str | None = None
        self._listener = listener
        self._kind = kind
        self._label = label
        self._total = total
        self._clock = clock
        self._told = 0.0

    def __enter__(self) -> Self:
        self._listener(WorkStarted(self.key, self._kind, self._label, self._total))
        self._told = self._clock()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        summary = self.summary if error is None else self._how_far()
        self._listener(WorkFinished(self.key, ok=error is None, summary=summary))

    def _how_far(self) -> str | None:
        """Say what was done of work that failed: what was to be done is no fact of it."""
        if not self.done:
            return None
        return f"after {format_bytes(self.done)}" + (
            f" of {format_bytes(self._total)}" if self._total else ""
        )

    def advance(self, count: int) -> None:
        """Count bytes that are done."""
        self.reach(self.done + count)

    def reach(self, done: int) -> None:
        """Say how many bytes are done since the start."""
        self.done = done
        now = self._clock()
        if now - self._told >= PAUSE:
            self._told = now
            self._listener(WorkAdvanced(self.key, done, self._total))
