"""Where a container's output goes: on to the reader, and into captures where it will be judged.

What is passed on stays as it is, byte for byte. GitHub's runner obeys commands in what a step prints, so
there it is told before not to, and afterwards that it may again (`stop-commands`).
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import fcntl
import os
import secrets
import select
import stat
import termios
import threading
import time
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nixdock.checks.verdict import Status
from nixdock.events import Judged
from nixdock.out import STREAMS, is_github
from nixdock.text import split_lines

if TYPE_CHECKING:
    from nixdock.checks.verdict import Verdict
    from nixdock.events import Listener


_READER_SECONDS: Final = 5.0
"""Seconds that the runner has to read what stands in our streams."""
_PAUSE: Final = 0.02


def tell_verdict(verdict: Verdict, listener: Listener) -> None:
    """Tell a verdict with why it is so, and how to see it by hand where it is not a good one."""
    lines = [verdict.reason] if verdict.reason else []
    for finding in verdict.findings:
        lines += [*split_lines(str(finding)), *split_lines(finding.details or "")]
    if verdict.reproduce and verdict.status in {Status.FAIL, Status.ERROR}:
        lines.append(f"by hand: {verdict.reproduce}")
    listener(Judged(verdict.name, verdict.status.value, verdict.seconds, tuple(lines)))


class Passage:
    """Keeps GitHub's runner from obeying what others write to our own standard output and error.

    The runner has one switch for both streams, so both bear the same token. It reads them side by side:
    before it may obey again it must have read what stands in either.
    """

    def __init__(self) -> None:
        self._token = ""
        self._lock = threading.Lock()
        # By the file that a descriptor leads to: both of ours may lead to one.
        self._open: dict[tuple[int, int], _Marked] = {}

    def pass_on(self, descriptor: int, piece: bytes) -> None:
        """Write a piece of others to a descriptor, the mark before it where there is none yet.

        Raises:
            OSError: It cannot be written.
        """
        if not is_github() or not piece:
            _write(descriptor, piece)
            return
        # Under the lock: nothing of a piece may come after the mark that ends it all.
        with self._lock:
            self._begin(descriptor, piece)
            _write(descriptor, piece)

    def end(self) -> None:
        """Write the marks after all that was passed on; nothing where there was nothing."""
        # Whoever holds the lock for long waits for a reader that stalls: then the runner obeys nothing more.
        if not self._lock.acquire(timeout=_READER_SECONDS):
            return
        try:
            marked, self._open = list(self._open.values()), {}
            for one in marked:
                _await_reader(one.descriptor)
            for one in marked:
                with contextlib.suppress(OSError):
                    _write(one.descriptor, one.end_of_line + f"::{self._token}::\n".encode())
        finally:
            self._lock.release()

    def _begin(self, descriptor: int, piece: bytes) -> None:
        status = os.fstat(descriptor)
        key = (status.st_dev, status.st_ino)
        marked = self._open.get(key)
        if marked is None:
            if stat.S_ISREG(status.st_mode) or is_captured(status):
                return
            if not self._open:
                self._token = secrets.token_hex(16)
                atexit.register(self.end)
            _write(descriptor, f"::stop-commands::{self._token}\n".encode())
            marked = self._open[key] = _Marked(descriptor)
        marked.end_of_line = b"" if piece.endswith(b"\n") else b"\n"


@dataclass(slots=True)
class _Marked:
    """A stream of ours that bears the mark."""

    descriptor: int
    end_of_line: bytes = b""


def is_captured(pipe: os.stat_result, proc: Path = Path("/proc")) -> bool:
    """Whether a step's own shell or script reads a pipe, as in `$(nixdock run …)`, and no runner does.

    Args:
        pipe: What the descriptor leads to.
        proc: Where the kernel shows processes.
    """
    parent = str(os.getppid())
    try:
        while parent != "0":
            process = proc / parent
            # The runner itself is outside of the step, and has not what it sets for it.
            if b"GITHUB_ACTIONS=true" not in (process / "environ").read_bytes().split(b"\0"):
                return False
            if any(_reads(process, entry.name, pipe) for entry in (process / "fd").iterdir()):
                return True
            # proc(5): the program's name stands in brackets, the parent is the second field after it.
            parent = (process / "stat").read_bytes().rpartition(b")")[2].split()[1].decode()
    except OSError:
        return False
    return False


def _reads(process: Path, descriptor: str, pipe: os.stat_result) -> bool:
    try:
        status = (process / "fd" / descriptor).stat()
        if (status.st_dev, status.st_ino) != (pipe.st_dev, pipe.st_ino) or not stat.S_ISFIFO(status.st_mode):
            return False
        information = (process / "fdinfo" / descriptor).read_bytes()
    except OSError:
        return False
    flags = next(line for line in information.split(b"\n") if line.startswith(b"flags:"))
    return int(flags.split()[1], 8) & os.O_ACCMODE == os.O_RDONLY


def _await_reader(descriptor: int) -> None:
    """Wait until what stands in a pipe was read, for a while at most."""
    end = time.monotonic() + _READER_SECONDS
    waiting = array("i", [0])
    with contextlib.suppress(OSError):
        while stat.S_ISFIFO(os.fstat(descriptor).st_mode) and time.monotonic() < end:
            fcntl.ioctl(descriptor, termios.FIONREAD, waiting)
            if not waiting[0]:
                break
            time.sleep(_PAUSE)
        # What it has taken from the pipe it still has to look at.
        time.sleep(_PAUSE)


passage = Passage()
"""Of this process: it has one standard output and one standard error."""


class DescriptorSink:
    """Writes every byte to a file descriptor as it is; one that is closed takes them to nowhere.

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
        try:
            passage.pass_on(self._descriptor, piece)
        except OSError as error:
            if error.errno == errno.EBADF:
                # Closed before we were started: nobody wants it, and the exit status tells all the same.
                return
            raise OSError(error.errno, error.strerror, STREAMS.get(self._descriptor)) from error


def _write(descriptor: int, piece: bytes) -> None:
    rest = memoryview(piece)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            # Whoever started us left the descriptor in this mode, which is shared with them.
            select.select([], [descriptor], [])


def discard(_piece: bytes) -> None:
    """Take a piece that nobody wants."""
