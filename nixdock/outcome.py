"""What a command or a container did, as a value to judge: exit status, output, time.

Output can be a gigabyte and must not be held in memory, so it is a `bytes` while it is small and a
read-only `mmap` of an unlinked temporary file when it is large. Both have `len`, slices and `find`,
which is all that a matcher needs, and RE2 searches both without copying.
"""

from __future__ import annotations

import mmap
import tempfile
import threading
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Self

from nixdock.text import split_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

Output = bytes | mmap.mmap

IN_MEMORY = 1 << 20
"""Bytes of one stream that are kept in memory; a longer one goes to a temporary file."""


class Capture:
    """Collects a stream of any length in bounded memory.

    Write to it as the output arrives; `output` is what has arrived so far. The temporary file has
    no name, so nothing is left behind even when the process is killed.
    """

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._limit = in_memory
        self._small = bytearray()
        self._file: IO[bytes] | None = None
        self._size = 0

    def write(self, data: bytes) -> int:
        """Append a piece of the stream and return its length, as a file does."""
        self._size += len(data)
        if self._file is None:
            if self._size <= self._limit:
                self._small += data
                return len(data)
            self._file = tempfile.TemporaryFile(prefix="nixdock-output-")  # noqa: SIM115 - closed by close()
            self._file.write(self._small)
            self._small.clear()
        self._file.write(data)
        return len(data)

    def __len__(self) -> int:
        return self._size

    @property
    def output(self) -> Output:
        """All that was written; it stays valid after `close`."""
        if self._file is None:
            return bytes(self._small)
        self._file.flush()
        return mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)

    def close(self) -> None:
        """Let go of the temporary file; values of `output` keep what they need of it."""
        if self._file is not None:
            self._file.close()
            self._file = None
            self._small.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Recorder:
    """Keeps a stream to be judged while it is still being written.

    Args:
        onward: Gets every piece first; None where nobody else wants it.
    """

    def __init__(self, onward: Callable[[bytes], object] | None = None) -> None:
        self._onward = onward
        self._capture = Capture()
        self._lock = threading.Lock()
        self.first_at: float | None = None

    def __call__(self, piece: bytes) -> None:
        """Take a piece.

        Raises:
            OSError: The reader behind does not take it; it is kept all the same.
        """
        with self._lock:
            if self.first_at is None:
                self.first_at = time.monotonic()
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
        with self._lock:
            self._capture.close()


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a command ended and what it wrote.

    Args:
        exit_code: Its exit status; with `timed_out`, whatever the killing gave.
        stdout: All of its standard output.
        stderr: All of its standard error; empty when a terminal merged the two.
        timed_out: Whether it was killed because its time was up; the output is then partial.
        seconds: How long it ran.
    """

    exit_code: int
    stdout: Output = b""
    stderr: Output = b""
    timed_out: bool = False
    seconds: float = 0.0


def text_of(output: Output, limit: int = 1 << 16) -> str:
    """Return the beginning of an output as text, invalid UTF-8 replaced.

    Args:
        output: The bytes.
        limit: How many of them at most.
    """
    return output[:limit].decode(errors="replace")


def tail_of(output: Output, lines: int = 20, limit: int = 1 << 14) -> str:
    """Return the last lines of an output as text, invalid UTF-8 replaced.

    Args:
        output: The bytes.
        lines: How many lines at most.
        limit: How many bytes at most.
    """
    start = max(0, len(output) - limit)
    text = output[start:].decode(errors="replace")
    return "\n".join(split_lines(text)[-lines:])
