"""What is said between nixdock and the agent: bytes to values and back. `agent.c` is the other end."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

GREETING: Final = b"nixdock2"
"""What the agent says first: its name and the version of this protocol."""

_RUN, _KILL, _SWEEP = 1, 2, 3
_HELLO, _STDOUT, _STDERR, _EXIT, _FAILED, _SWEPT = range(6)
_HEADER: Final = struct.Struct("<III")
_REQUEST: Final = struct.Struct("<IIIII")
_LONGEST_PIECE: Final = 1 << 20
_LENGTHS: Final = {_HELLO: len(GREETING) + 4, _EXIT: 4, _FAILED: 8, _SWEPT: 4}
"""Of what has one length; the others are pieces of output."""


class ProtocolError(Exception):
    """What came is not from the agent."""


@dataclass(frozen=True, slots=True)
class Greeted:
    """The agent is there.

    Args:
        is_exposed: Whether commands may have rights by which they can reach it: it is not the first
            process of a namespace of its own, or has capabilities that engines do not give by themselves.
    """

    is_exposed: bool = False


@dataclass(frozen=True, slots=True)
class Wrote:
    """A command wrote something."""

    ident: int
    to_stderr: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class CommandEnded:
    """A command ended.

    Args:
        ident: Which one.
        exit_code: Its exit status; 128 and the signal's number when a signal ended it.
    """

    ident: int
    exit_code: int


@dataclass(frozen=True, slots=True)
class NotRun:
    """A command could not be run.

    Args:
        ident: Which one.
        in_directory: Whether it was its working directory that could not be entered.
        error: The number of the kernel's error (errno).
    """

    ident: int
    in_directory: bool
    error: int


@dataclass(frozen=True, slots=True)
class Swept:
    """What commands left was killed.

    Args:
        ident: Of the request.
        is_clean: Whether no process is left, and the agent is as it was at first.
    """

    ident: int
    is_clean: bool


Message = Greeted | Wrote | CommandEnded | NotRun | Swept


def write_run(
    ident: int, argv: Sequence[str], env: Mapping[str, str], workdir: str = "", stdin: bytes = b""
) -> bytes:
    """Return the request to run a command.

    Args:
        ident: A number for it, of which no other running command has the same.
        argv: Its words.
        env: Variables beside the container's own.
        workdir: Where it runs; the container's own directory when empty.
        stdin: What it reads.

    Raises:
        ValueError: A word has a zero byte in it.
    """
    words = [workdir, *argv, *(f"{name}={value}" for name, value in env.items())]
    if any("\0" in word for word in words):
        raise ValueError("a word of a command cannot have a zero byte in it")
    text = b"".join(word.encode("utf-8", "surrogateescape") + b"\0" for word in words)
    body = _REQUEST.pack(ident, _RUN, len(argv), len(env), len(stdin)) + text + stdin
    return struct.pack("<I", len(body)) + body


def write_kill(ident: int) -> bytes:
    """Return the request to kill a command and its process group."""
    return _HEADER.pack(8, ident, _KILL)


def write_sweep(ident: int) -> bytes:
    """Return the request to kill every process but the agent."""
    return _HEADER.pack(8, ident, _SWEEP)


class Parser:
    """Cuts the agent's output into messages."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._greeted = False

    def feed(self, piece: bytes) -> Iterator[Message]:
        """Take a piece of the output, and yield the messages that it completes.

        Raises:
            ProtocolError: It is not the agent's.
        """
        self._data += piece
        while len(self._data) >= _HEADER.size:
            ident, kind, length = _HEADER.unpack_from(self._data)
            if kind > _SWEPT or length > _LONGEST_PIECE or length != _LENGTHS.get(kind, length):
                raise ProtocolError(f"the agent says something unknown: {bytes(self._data[:32])!r}")
            end = _HEADER.size + length
            if len(self._data) < end:
                return
            data = bytes(self._data[_HEADER.size : end])
            del self._data[:end]
            yield self._message(ident, kind, data)

    def _message(self, ident: int, kind: int, data: bytes) -> Message:
        if kind == _HELLO or not self._greeted:
            if self._greeted or kind != _HELLO or ident or not data.startswith(GREETING):
                raise ProtocolError(f"what answers is not nixdock's agent: {data[:32]!r}")
            self._greeted = True
            return Greeted(is_exposed=any(data[len(GREETING) :]))
        if kind in {_STDOUT, _STDERR}:
            return Wrote(ident, kind == _STDERR, data)
        first, *others = (number for (number,) in struct.iter_unpack("<I", data))
        if kind == _SWEPT:
            return Swept(ident, first == 1)
        if kind == _EXIT:
            signal = first & 0x7F
            return CommandEnded(ident, 128 + signal if signal else first >> 8 & 0xFF)
        return NotRun(ident, first == 1, others[0])
