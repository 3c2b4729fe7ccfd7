"""The two-way connection to a container's process: attach and exec.

After the HTTP answer the connection carries raw bytes. Without a terminal each piece of output has a
header of 8 bytes: the stream's number (1 stdout, 2 stderr), three zeros, and the length as a
big-endian 32-bit number (Engine API, "Attach to a container", "Stream format"). Two further numbers
are in docker's own reader (moby, pkg/stdcopy): 0 goes to stdout too, 3 is an error of the engine's.
With a terminal there are no headers, and everything is stdout.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import TYPE_CHECKING, Final, Protocol

from nixdock.errors import EngineError
from nixdock.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = get_logger(__name__)

STDOUT: Final = 1
STDERR: Final = 2
_SINKS: Final = {0: STDOUT, STDOUT: STDOUT, STDERR: STDERR}
_ENGINE_ERROR: Final = 3
_ERROR_LIMIT: Final = 4096
_HEADER: Final = struct.Struct(">BxxxL")
_PIECE: Final = 256 * 1024


class OutputSource(Protocol):
    """Where the output is read from."""

    def read1(self, size: int, /) -> bytes:
        """Return what is there, at most `size` bytes, waiting for the first; empty at the end."""


def split_frames(source: OutputSource) -> Iterator[tuple[int, bytes]]:
    """Read multiplexed output; yield the stream's number and a piece of its bytes.

    A frame may be yielded in several pieces. Empty frames yield nothing. An output that ends within
    a header or a frame ends there: the container's end cuts it.

    Raises:
        EngineError: The engine tells an error instead, or what comes is no such output.
    """
    stream = left = 0
    header = b""
    while piece := source.read1(_PIECE):
        position = 0
        while position < len(piece):
            if left:
                part = piece[position : position + left]
                position += len(part)
                left -= len(part)
                yield stream, part
                continue
            missing = _HEADER.size - len(header)
            header += piece[position : position + missing]
            position += missing
            if len(header) == _HEADER.size:
                number, left = _HEADER.unpack(header)
                header = b""
                if number not in _SINKS:
                    raise _explain(number, _read_on(source, piece[position:], left))
                stream = _SINKS[number]


def _read_on(source: OutputSource, said: bytes, size: int) -> bytes:
    """Return what stands in a frame, of which the beginning was read; no more than an error's text has."""
    size = min(size, _ERROR_LIMIT)
    while len(said) < size and (piece := source.read1(size - len(said))):
        said += piece
    return said[:size]


def _explain(number: int, said: bytes) -> EngineError:
    if number == _ENGINE_ERROR:
        text = said.decode(errors="replace").strip()
        return EngineError("the engine broke off the output" + (f": {text}" if text else ""))
    return EngineError(
        f"what the engine sends is no output of a container (a frame of stream {number})",
        hint="is there something between nixdock and the engine that changes what is sent?",
    )


def _shut_down(connection: socket.socket, how: int) -> None:
    """Close directions of a connection; below TLS, where the method of its own ends the decryption too.

    So does docker (moby, client/hijack.go): what is still to be read comes encrypted.
    """
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, how)


class Stream:
    """A container's output to read, and its input to write.

    Args:
        reader: Reads from the connection.
        connection: The socket below it, or None where only reading is possible.
        tty: Whether the process has a terminal, so that nothing is framed.
        close: Gives back what belongs to the connection.
    """

    def __init__(
        self, reader: OutputSource, connection: socket.socket | None, *, tty: bool, close: Callable[[], None]
    ) -> None:
        self._reader = reader
        self._connection = connection
        self._tty = tty
        self._close = close

    def read(self) -> Iterator[tuple[int, bytes]]:
        """Yield the stream's number and a piece of its bytes until the output ends."""
        if not self._tty:
            yield from split_frames(self._reader)
            return
        while piece := self._reader.read1(_PIECE):
            yield STDOUT, piece

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """Yield what `read` does; where the connection is cut it ends, for somebody else tells why."""
        try:
            yield from self.read()
        except (OSError, ValueError) as error:
            log.debug("stream.cut", error=repr(error))

    def write(self, data: bytes) -> None:
        """Send bytes to the process's standard input.

        Raises:
            OSError: Nobody reads them any more.
        """
        if self._connection is not None:
            self._connection.sendall(data)

    def close_input(self) -> None:
        """Tell the process that its standard input has ended; its output is read on."""
        if self._connection is not None:
            _shut_down(self._connection, socket.SHUT_WR)

    def close(self) -> None:
        """End the connection; a thread that reads from it gets the end of the output."""
        if self._connection is not None:
            _shut_down(self._connection, socket.SHUT_RDWR)
        with contextlib.suppress(OSError, ValueError):
            self._close()
