"""What people are shown while work goes on: events as bars, as plain lines, as JSON lines, or warnings alone.

Plain lines are made for logs that are read later: nothing while work goes on, except where it takes
long, and one line for many small builds and fetches. rich is imported for bars alone.
"""

from __future__ import annotations

import os
import sys
from typing import IO, TYPE_CHECKING, Literal, Protocol

from nixdock.progress.narration import JsonConsole, Narration, PlainConsole, QuietConsole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nixdock.events import Event

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
