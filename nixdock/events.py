"""What happens while nixdock works, as values.

The parts that do the work tell a listener; they never print. The command line turns events into
progress bars, plain lines or JSON, and a test collects them in a list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


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
    """

    key: str
    kind: Work
    label: str
    total: int | None = None


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
