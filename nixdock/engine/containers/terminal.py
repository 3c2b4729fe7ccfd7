"""The user at the terminal while a container runs: raw keys, its size, the keys that leave, and signals.

What Ctrl-C and SIGTERM ask for, and their way to the main loop, stands here too.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import select
import signal
import termios
import threading
import time
import tty
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from queue import Empty
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from queue import SimpleQueue

_Item = TypeVar("_Item")

FORWARDED: Final = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGQUIT)
"""Signals that are the container's business alone."""

ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

LONGEST_WAIT: Final = 0.5
"""Seconds after which a caught signal is told at the latest."""

DEFAULT_DETACH_KEYS: Final = "ctrl-p,ctrl-q"
_CONTROL: Final = re.compile(r"ctrl-([a-z@\[\\\]^_])")


@contextmanager
def raw_mode(descriptor: int) -> Iterator[None]:
    """Pass every key on as it is pressed, Ctrl-C too; whatever happens the terminal is put back."""
    before = termios.tcgetattr(descriptor)
    try:
        tty.setraw(descriptor, termios.TCSANOW)
        yield
    finally:
        # Not TCSAFLUSH: what the user has typed ahead is for the shell.
        with contextlib.suppress(termios.error, OSError):
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


@contextmanager
def keys_told(descriptor: int, tell: Callable[[str], None]) -> Iterator[None]:
    """Have keys told as they are pressed, unseen, while Ctrl-C and Ctrl-Z keep their meaning.

    Whatever happens the terminal is put back. In the background of a shell it is not ours: then no key is
    read, and a process that was stopped takes it again once it goes on in front.

    Args:
        descriptor: The terminal.
        tell: Called with each key, from a thread.
    """
    before = termios.tcgetattr(descriptor)
    ended = threading.Event()

    def take(*_signal: object) -> None:
        with contextlib.suppress(termios.error, OSError):
            if _is_in_front(descriptor):
                mode = termios.tcgetattr(descriptor)
                mode[3] &= ~(termios.ICANON | termios.ECHO)
                termios.tcsetattr(descriptor, termios.TCSANOW, mode)

    with contextlib.ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            stack.callback(signal.signal, signal.SIGCONT, signal.signal(signal.SIGCONT, take))
        take()
        threading.Thread(target=_read_keys, args=(descriptor, tell, take, ended), daemon=True).start()
        try:
            yield
        finally:
            ended.set()
            with contextlib.suppress(termios.error, OSError):
                if _is_in_front(descriptor):
                    termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _read_keys(
    descriptor: int, tell: Callable[[str], None], take: Callable[[], None], ended: threading.Event
) -> None:
    """Read keys until it is ended; the terminal is taken whenever it has become ours again."""
    was_in_front = True
    with contextlib.suppress(OSError):
        while not ended.is_set():
            is_in_front = _is_in_front(descriptor)
            if is_in_front and not was_in_front:
                take()
            was_in_front = is_in_front
            if not is_in_front:
                # Reading would stop us: what is typed is somebody else's.
                ended.wait(LONGEST_WAIT)
            elif not select.select([descriptor], [], [], LONGEST_WAIT)[0] or not _is_in_front(descriptor):
                continue
            elif ended.is_set() or not (typed := os.read(descriptor, 1)):
                return
            else:
                tell(typed.decode("latin-1"))


def _is_in_front(terminal: int) -> bool:
    """Whether a terminal is ours by now, and not our shell's or another program's."""
    return os.tcgetpgrp(terminal) == os.getpgrp()


def read_size(descriptor: int) -> tuple[int, int] | None:
    """Return a terminal's rows and columns; None where it is no terminal, or has no size."""
    try:
        size = os.get_terminal_size(descriptor)
    except OSError:
        return None
    return (size.lines, size.columns) if size.lines and size.columns else None


def parse_detach_keys(text: str) -> bytes:
    """Read keys as docker writes them: letters and `ctrl-` keys, separated by commas.

    Raises:
        ValueError: A key that cannot be written so.
    """
    keys = bytearray()
    for name in text.split(","):
        control = _CONTROL.fullmatch(name.lower())
        if control:
            keys.append(ord(control[1].upper()) & 0x1F)
        elif len(name) == 1 and name.isascii():
            keys.append(ord(name))
        else:
            raise ValueError(f"invalid detach keys ({text}): unknown character: '{name}'")
    return bytes(keys)


class DetachKeys:
    """Finds a sequence of keys in what is typed; keys that may begin it wait for the next one.

    Args:
        keys: The sequence.
    """

    def __init__(self, keys: bytes) -> None:
        self._keys = keys
        self._held = b""

    def feed(self, typed: bytes) -> tuple[bytes, bool]:
        """Return what of the typed bytes goes to the container, and whether the user leaves it."""
        passed = bytearray()
        for number in typed:
            self._held += bytes((number,))
            while self._held and not self._keys.startswith(self._held):
                # Not the sequence after all: its first key passes, the rest may still begin one.
                passed.append(self._held[0])
                self._held = self._held[1:]
            if self._held == self._keys:
                self._held = b""
                return bytes(passed), True
        return bytes(passed), False


class SignalAction(Enum):
    """What to do with the container."""

    FORWARD = auto()
    """Send it the signal."""
    STOP = auto()
    """Ask it to end, and kill it when it does not."""
    KILL = auto()


@dataclass(slots=True)
class Escalation:
    """Each further signal is more insistent: forward, stop, kill. SIGTERM begins at the second step."""

    step: int = 0
    ended_by: int | None = None
    """The signal for which the container is stopped, once it is not only forwarded."""

    def react(self, number: int) -> SignalAction:
        """Say what to do about a signal."""
        if number in FORWARDED:
            return SignalAction.FORWARD
        first = 1 if number == signal.SIGINT else 2
        self.step = max(self.step + 1, first)
        if self.step == 1:
            return SignalAction.FORWARD
        if self.ended_by is None:
            self.ended_by = number
        return SignalAction.STOP if self.step == 2 else SignalAction.KILL


@contextmanager
def caught(tell: Callable[[int], None], *, also: tuple[int, ...] = ()) -> Iterator[None]:
    """Have signals told instead of ending the process.

    Only the main thread can do that: elsewhere (a test's worker, somebody's own program) signals keep
    their meaning.

    Args:
        tell: Called with each signal's number; it must only note it down.
        also: Further signals to tell.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {}
    try:
        for number in (*ENDING, *FORWARDED, *also):
            # One that is ignored from the start (nohup, a shell's background job) stays so.
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, lambda caught, _frame: tell(caught))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def await_item(queue: SimpleQueue[_Item], timeout: float | None = None) -> _Item | None:
    """Return what comes next in a queue that the signals are told to; None when nothing does in time.

    A signal that comes just before the waiting begins, or to another thread, does not end the waiting, and
    its handler runs only when that ends: so no waiting is longer than `LONGEST_WAIT`.

    Args:
        queue: The queue.
        timeout: Seconds; None is for ever.
    """
    end = math.inf if timeout is None else time.monotonic() + timeout
    while True:
        left = end - time.monotonic()
        try:
            return queue.get(timeout=max(0.0, min(left, LONGEST_WAIT)))
        except Empty:
            if left <= LONGEST_WAIT:
                return None
