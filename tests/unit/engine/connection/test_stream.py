"""The framing of a container's output, however the network cuts it."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixdock.engine.connection.stream import STDERR, STDOUT, Stream, split_frames
from nixdock.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterable

FRAMES = st.lists(st.tuples(st.sampled_from([STDOUT, STDERR]), st.binary(max_size=40)), max_size=12)


class Pieces:
    """Gives bytes in pieces of given sizes."""

    def __init__(self, data: bytes, sizes: Iterable[int]) -> None:
        self.data = data
        self.sizes = iter(sizes)

    def read1(self, size: int, /) -> bytes:
        piece, self.data = _cut(self.data, min(size, next(self.sizes, size)))
        return piece


def _cut(data: bytes, size: int) -> tuple[bytes, bytes]:
    return data[:size], data[size:]


def frame(stream: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(data)) + data


def joined(frames: Iterable[tuple[int, bytes]]) -> dict[int, bytes]:
    streams = {STDOUT: b"", STDERR: b""}
    for stream, data in frames:
        streams[stream] += data
    return streams


@given(FRAMES, st.lists(st.integers(min_value=1, max_value=30)))
def test_any_cut_gives_the_same_streams(frames: list[tuple[int, bytes]], sizes: list[int]) -> None:
    wire = b"".join(frame(stream, data) for stream, data in frames)
    assert joined(split_frames(Pieces(wire, sizes))) == joined(frames)


def test_an_output_that_is_cut_short_ends_there() -> None:
    wire = frame(STDOUT, b"whole") + frame(STDERR, b"half a frame")[:-5]
    assert joined(split_frames(Pieces(wire, []))) == {STDOUT: b"whole", STDERR: b"half a "}
    assert joined(split_frames(Pieces(wire + b"", [3, 2, 1]))) == {STDOUT: b"whole", STDERR: b"half a "}


def test_what_the_engine_has_to_say_is_an_error() -> None:
    # Header, half of the words, the rest: each comes by itself.
    frames = split_frames(Pieces(frame(0, b"in") + frame(3, b"the log is gone\n") + b"more", [10, 8, 7]))
    assert next(frames) == (STDOUT, b"in")
    with pytest.raises(EngineError, match=r"^the engine broke off the output: the log is gone$"):
        next(frames)


def test_what_is_no_output_is_an_error() -> None:
    with pytest.raises(EngineError, match=r"no output of a container \(a frame of stream 23\)"):
        list(split_frames(Pieces(b"\x17\xf4Q\xf5\xec\x94\x97g\x1b", [])))


def test_a_terminal_s_output_is_not_framed() -> None:
    raw = b"\x01\x00\x00\x00\x00\x00\x00\x05hello\r\n"
    stream = Stream(Pieces(raw, [4, 4]), None, tty=True, close=lambda: None)
    assert b"".join(piece for _, piece in stream.read()) == raw


def test_the_input_can_end_while_the_output_goes_on() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        stream = Stream(ours.makefile("rb"), ours, tty=False, close=lambda: None)
        stream.write(b"last words")
        stream.close_input()
        assert theirs.recv(100) == b"last words"
        assert theirs.recv(100) == b""
        theirs.sendall(frame(STDOUT, b"answer"))
        theirs.close()
        assert list(stream.read()) == [(STDOUT, b"answer")]
