"""What happens while nixdock works, as values.

The parts that do the work tell a listener; they never print. The command line turns events into
progress bars, plain lines or JSON, and a test collects them in a list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


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
