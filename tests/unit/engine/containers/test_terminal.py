"""The keys that leave a container's terminal, and the terminal's state afterwards."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixdock.engine.containers.terminal import DetachKeys, parse_detach_keys, raw_mode, read_size

KEYS = b"\x10\x11"


@pytest.mark.parametrize(
    ("text", "keys"),
    [("ctrl-p,ctrl-q", KEYS), ("ctrl-a,d", b"\x01d"), ("ctrl-@", b"\0"), ("ctrl-[,x", b"\x1bx"), ("q", b"q")],
)
def test_keys_as_docker_writes_them(text: str, keys: bytes) -> None:
    assert parse_detach_keys(text) == keys


@pytest.mark.parametrize("text", ["", "ctrl-", "ctrl-pp", "ab", "ctrl-p,", "é"])
def test_keys_that_cannot_be_written(text: str) -> None:
    with pytest.raises(ValueError, match="invalid detach keys"):
        parse_detach_keys(text)


def test_the_sequence_leaves_and_is_not_passed_on() -> None:
    assert DetachKeys(KEYS).feed(b"ls\n\x10\x11rest") == (b"ls\n", True)


def test_the_sequence_may_come_key_by_key() -> None:
    keys = DetachKeys(KEYS)
    assert keys.feed(b"\x10") == (b"", False)
    assert keys.feed(b"\x11") == (b"", True)


def test_a_first_key_that_begins_nothing_is_passed_on() -> None:
    keys = DetachKeys(KEYS)
    assert keys.feed(b"\x10") == (b"", False)
    assert keys.feed(b"x") == (b"\x10x", False)
    assert keys.feed(b"\x10\x10\x11") == (b"\x10", True)


@given(st.lists(st.binary(max_size=5)).filter(lambda pieces: b"\x10\x11" not in b"".join(pieces)))
def test_nothing_else_is_lost_or_changed(pieces: list[bytes]) -> None:
    keys = DetachKeys(KEYS)
    passed = b"".join(keys.feed(piece)[0] for piece in pieces)
    typed = b"".join(pieces)
    assert passed == (typed.removesuffix(b"\x10") if typed.endswith(b"\x10") else typed)


def test_the_terminal_is_put_back_whatever_happens() -> None:
    controller, terminal = pty.openpty()
    before = termios.tcgetattr(terminal)

    def use() -> None:
        with raw_mode(terminal):
            assert not termios.tcgetattr(terminal)[3] & (termios.ICANON | termios.ECHO | termios.ISIG)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        use()

    assert termios.tcgetattr(terminal) == before
    os.close(controller)
    os.close(terminal)


def test_the_size_of_a_terminal() -> None:
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
    assert read_size(terminal) == (33, 99)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 0, 0, 0, 0))
    assert read_size(terminal) is None
    os.close(controller)
    os.close(terminal)
    with open(os.devnull) as file:  # noqa: PTH123
        assert read_size(file.fileno()) is None
