"""Bytes that stand in a file as they are: the kernel sends them from there, past nixdock."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from nixdock.errors import LoadError

if TYPE_CHECKING:
    import socket


class Extent:
    """A run of bytes of an open file; good until the next piece is asked for.

    Args:
        descriptor: Of the file; it stays its owner's.
        offset: Where the bytes begin.
        size: How many there are.
        name: What messages call the file.
    """

    def __init__(self, descriptor: int, offset: int, size: int, name: str) -> None:
        self._descriptor = descriptor
        self._offset = offset
        self._size = size
        self._name = name

    def __len__(self) -> int:
        return self._size

    def read(self) -> bytes:
        """Read what is left of it.

        Raises:
            LoadError: The file cannot be read, or is shorter than it was.
        """
        try:
            data = os.pread(self._descriptor, self._size, self._offset)
        except OSError as error:
            raise LoadError(f"{self._name} cannot be read: {error.strerror or error}") from error
        if len(data) < self._size:
            raise LoadError(f"{self._name} changed while it was read", hint="try again when it is complete")
        return data

    def send(self, connection: socket.socket) -> None:
        """Send it by sendfile(2), and what that cannot send (not every file system can) by reading it.

        Raises:
            LoadError: The file cannot be read, or is shorter than it was.
            OSError: The connection is broken.
        """
        while self._size:
            try:
                count = os.sendfile(connection.fileno(), self._descriptor, self._offset, self._size)
            except ConnectionError:
                raise
            except OSError:
                count = 0
            if count == 0:
                connection.sendall(self.read())
                return
            self._offset += count
            self._size -= count


Piece = bytes | Extent
"""What archives are sent in."""


@runtime_checkable
class HasExtents(Protocol):
    """A stream whose bytes stand in a file."""

    def take(self, size: int) -> Extent:
        """Pass over the next bytes, at most so many, and return where they are; empty at the end."""


def read_piece(piece: Piece) -> bytes:
    """Return the bytes of a piece."""
    return piece if isinstance(piece, bytes) else piece.read()
