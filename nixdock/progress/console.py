"""The narration on stderr: events as bars, as plain lines, as JSON lines, or nothing but warnings.

Plain lines are made for logs that are read later: nothing while work goes on, except where it takes
long, and one line for many small builds and fetches. rich is imported for bars alone.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Literal, Protocol

from nixdock.events import Event, Judged, Warned, WorkAdvanced
from nixdock.out import tell, tell_json
from nixdock.progress.narration import Narration, word

if TYPE_CHECKING:
    from collections.abc import Mapping

Form = Literal["auto", "plain", "json", "quiet"]


class Console(Protocol):
    """Shows events to the user."""

    def tell(self, event: Event) -> None:
        """Show one event."""

    def close(self) -> None:
        """Show what was held back, and leave the terminal as it was."""


def open_console(
    form: Form,
    *,
    verbose: bool = False,
    stream: IO[str] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Console:
    """Open the narration in the form that the user asked for.

    Args:
        form: `auto` is bars where the stream is a terminal that can show them, plain lines elsewhere.
        verbose: Whether builders' output and each start are told too.
        stream: Where to write; stderr when None.
        environ: The environment, for TERM and CI.
    """
    out = stream or sys.stderr
    if form == "json":
        return JsonConsole(out)
    if form == "quiet":
        return QuietConsole(out)
    if form == "auto" and _shows_bars(out, environ):
        from nixdock.progress.bars import BarConsole  # noqa: PLC0415  # rich is slow to import

        return BarConsole(out, Narration(verbose=verbose))
    return PlainConsole(out, Narration(verbose=verbose))


def _shows_bars(out: IO[str], environ: Mapping[str, str]) -> bool:
    return out.isatty() and environ.get("TERM", "dumb") != "dumb" and not environ.get("CI")


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
