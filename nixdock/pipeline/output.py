"""Where a container's output goes: on to the reader, and into captures where it will be judged."""

from __future__ import annotations

import os
import select
import threading
from typing import TYPE_CHECKING

from nixdock.checks.outcome import Capture
from nixdock.checks.verdict import Status
from nixdock.events import Judged
from nixdock.text import split_lines

if TYPE_CHECKING:
    from nixdock.checks.outcome import Output
    from nixdock.checks.verdict import Verdict
    from nixdock.engine.container import Sink
    from nixdock.events import Listener


def tell_verdict(verdict: Verdict, listener: Listener) -> None:
    """Tell a verdict with why it is so, and how to see it by hand where it is not a good one."""
    lines = [verdict.reason] if verdict.reason else []
    for finding in verdict.findings:
        lines += [*split_lines(str(finding)), *split_lines(finding.details or "")]
    if verdict.reproduce and verdict.status in {Status.FAIL, Status.ERROR}:
        lines.append(f"by hand: {verdict.reproduce}")
    listener(Judged(verdict.name, verdict.status.value, verdict.seconds, tuple(lines)))


class DescriptorSink:
    """Writes every byte to a file descriptor as it is.

    Args:
        descriptor: The file descriptor, such as 1.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __call__(self, piece: bytes) -> None:
        """Write a piece.

        Raises:
            BrokenPipeError: Nobody reads it any more.
            OSError: It cannot be written, for want of space perhaps.
        """
        rest = memoryview(piece)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                # Whoever started us left the descriptor in this mode, which is shared with them.
                select.select([], [self._descriptor], [])


class Recorder:
    """Keeps a stream to be judged while it is still being written.

    Args:
        onward: Gets every piece first; None where nobody else wants it.
    """

    def __init__(self, onward: Sink | None = None) -> None:
        self._onward = onward
        self._capture = Capture()
        self._lock = threading.Lock()

    def __call__(self, piece: bytes) -> None:
        """Take a piece.

        Raises:
            OSError: The reader behind does not take it; it is kept all the same.
        """
        with self._lock:
            self._capture.write(piece)
        if self._onward is not None:
            self._onward(piece)

    @property
    def output(self) -> Output:
        """All that has come so far."""
        with self._lock:
            return self._capture.output

    def close(self) -> None:
        """Let go of what was kept."""
        self._capture.close()


def discard(_piece: bytes) -> None:
    """Take a piece that nobody wants."""
