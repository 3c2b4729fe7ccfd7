"""The user's terminal: raw while a container uses it, its size, and the keys that leave the container."""

from __future__ import annotations

import contextlib
import os
import re
import termios
import tty
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

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
