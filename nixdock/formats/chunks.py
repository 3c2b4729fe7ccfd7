"""A stream over bytes that come in pieces, without putting them together or cutting them twice."""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator


def open_chunks(chunks: Iterator[bytes]) -> IO[bytes]:
    """Return a stream of these pieces; a read gives at most what one piece holds."""
    return cast("IO[bytes]", _ChunkStream(chunks))


class _ChunkStream(io.RawIOBase):
    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            return b"".join([bytes(self._rest), *self._chunks])
        if not self._rest:
            piece = self._next()
            if len(piece) <= size:
                return piece
            self._rest = memoryview(piece)
        taken, self._rest = self._rest[:size], self._rest[size:]
        return bytes(taken)

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed's Buffer
        if not self._rest:
            self._rest = memoryview(self._next())
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def _next(self) -> bytes:
        # An empty piece in between is not the end.
        return next(filter(None, self._chunks), b"")

    def close(self) -> None:
        if not self.closed:
            stop = getattr(self._chunks, "close", None)
            if stop is not None:
                stop()
        super().close()
