"""Telling how far a piece of work is, seldom enough to cost nothing."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Final, Self

from nixdock.events import WorkAdvanced, WorkFinished, WorkStarted

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from nixdock.events import Listener, Work

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


def format_bytes(count: int) -> str:
    """Return a number of bytes as people read it, in powers of 1000 as docker shows sizes."""
    size = float(count)
    unit = "B"
    for bigger in ("kB", "MB", "GB"):
        if size < 999.5:
            break
        size /= 1000
        unit = bigger
    return f"{size:.0f} {unit}" if size >= 999.5 else f"{size:.3g} {unit}"
