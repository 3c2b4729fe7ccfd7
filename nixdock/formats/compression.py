"""Compressed streams, read with bounded memory.

gzip goes through ISA-L, which inflates twice as fast as zlib; Docker, Nix and GNU tar all write
files of several gzip members or zstd frames, so those are read as one stream.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from typing import IO, TYPE_CHECKING, Any, Final, cast

from nixdock.errors import DamagedError
from nixdock.formats.source import BUFFER, Bytes
from nixdock.image.detect import Codec

if TYPE_CHECKING:
    from collections.abc import Callable

_MEMORY_LIMIT: Final = 96 * 1024 * 1024
"""Bytes that a decompressor may hold: `xz -9` wants 65 MiB, `zstd -22` without --ultra 8 MiB."""

_ZSTD_WINDOW: Final = 64 * 1024 * 1024


def decompress(raw: IO[bytes], codec: Codec, name: str) -> IO[bytes]:
    """Return the decompressed stream; closing it closes the compressed one.

    Args:
        raw: The compressed stream, at its beginning.
        codec: How it is compressed.
        name: What messages call it.
    """
    if codec is Codec.NONE:
        return raw
    return io.BufferedReader(_Inflated(raw, codec, name), BUFFER)


class _Inflated(io.RawIOBase):
    """Decompressed bytes, whose faults are told in the user's words."""

    def __init__(self, raw: IO[bytes], codec: Codec, name: str) -> None:
        super().__init__()
        self._raw = raw
        self._codec = codec
        self._name = name
        self._inner = _OPENERS[codec](raw)
        self._errors = _faults(codec)

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed's Buffer
        """Fill the buffer with decompressed bytes."""
        try:
            return cast("int", self._inner.readinto(buffer))
        except EOFError as error:
            raise DamagedError(f"{self._name} is truncated: its {self._codec} data ends too early") from error
        except self._errors as error:
            raise DamagedError(
                f"{self._name} is damaged: its {self._codec} data cannot be decompressed ({error})"
            ) from error

    def close(self) -> None:
        """Close both streams."""
        if not self.closed:
            self._inner.close()
            self._raw.close()
        super().close()


def _open_gzip(raw: IO[bytes]) -> Any:  # noqa: ANN401  # isal has no types
    from isal import igzip  # noqa: PLC0415  # an archive that is not compressed does without

    opened: Any = igzip.IGzipFile
    return opened(fileobj=raw, mode="rb")


def _faults(codec: Codec) -> tuple[type[Exception], ...]:
    match codec:
        case Codec.GZIP:
            from isal import igzip_lib  # noqa: PLC0415  # as in _open_gzip

            return (gzip.BadGzipFile, zlib.error, cast("type[Exception]", igzip_lib.IsalError))
        case Codec.ZSTD:
            import zstandard  # noqa: PLC0415  # as in _Frames

            return (zstandard.ZstdError,)
        case Codec.XZ:
            return (lzma.LZMAError,)
        case _:
            return (OSError, ValueError)


class _Frames:
    """A zstd stream of any number of frames.

    The reader takes the end of its input for the end of the data, even inside of a frame: a file cut
    short shows in what is read from it (a tar that ends too early, a digest that differs).
    """

    def __init__(self, raw: IO[bytes]) -> None:
        import zstandard  # noqa: PLC0415  # few archives are compressed so

        self._raw = raw
        self._reader: Any = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).stream_reader(
            raw, read_size=BUFFER, read_across_frames=True, closefd=False
        )

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401  # anything that can be filled
        """Fill the buffer."""
        return cast("int", self._reader.readinto(buffer))

    def close(self) -> None:
        """Release the decompressor."""
        self._reader.close()


class _Streams:
    """A sequence of streams for the decompressors of the standard library (lzma, bz2)."""

    def __init__(self, raw: IO[bytes], make: Callable[[], Any]) -> None:
        self._raw = raw
        self._make = make
        self._decompressor = make()

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401  # anything that can be filled
        """Fill the buffer."""
        while True:
            if self._decompressor.eof:
                # Another stream may follow; zero bytes between are padding (xz(1), "Concatenation").
                rest = self._decompressor.unused_data or self._raw.read(BUFFER)
                while rest and not (rest := rest.lstrip(b"\0")):
                    rest = self._raw.read(BUFFER)
                if not rest:
                    return 0
                self._decompressor = self._make()
            elif self._decompressor.needs_input:
                rest = self._raw.read(BUFFER)
                if not rest:
                    raise EOFError
            else:
                rest = b""
            data = self._decompressor.decompress(rest, max_length=len(buffer))
            if data:
                buffer[: len(data)] = data
                return len(data)

    def close(self) -> None:
        """Nothing of its own to close."""


_OPENERS: Final[dict[Codec, Callable[[IO[bytes]], Any]]] = {
    Codec.GZIP: _open_gzip,
    Codec.ZSTD: _Frames,
    Codec.XZ: lambda raw: _Streams(raw, lambda: lzma.LZMADecompressor(memlimit=_MEMORY_LIMIT)),
    Codec.BZIP2: lambda raw: _Streams(raw, bz2.BZ2Decompressor),
}


class DecompressedBytes:
    """What a compressed file holds, of which sections are best read in their order.

    The stream of the last section is kept where it stopped, so that reading all layers in the order
    of their offsets decompresses the file once.
    """

    def __init__(self, compressed: Bytes, codec: Codec) -> None:
        self.name = compressed.name
        self._compressed = compressed
        self._codec = codec
        self._parked: tuple[int, IO[bytes]] | None = None

    def section(self, offset: int = 0, size: int | None = None) -> IO[bytes]:
        """Open a stream of a part; going backwards starts the decompression anew."""
        parked, self._parked = self._parked, None
        if parked is not None and parked[0] > offset:
            parked[1].close()
            parked = None
        if parked is None:
            parked = (0, decompress(self._compressed.section(), self._codec, self.name))
        position, stream = parked
        try:
            skip(stream, offset - position, self.name)
        except BaseException:
            stream.close()
            raise
        return io.BufferedReader(_Part(self, stream, offset, size), BUFFER)

    def park(self, position: int, stream: IO[bytes]) -> None:
        """Keep a stream for whoever reads on from there."""
        previous, self._parked = self._parked, (position, stream)
        if previous is not None:
            previous[1].close()

    def close(self) -> None:
        """Let go of the kept stream."""
        parked, self._parked = self._parked, None
        if parked is not None:
            parked[1].close()


class _Part(io.RawIOBase):
    """A section of a decompressed stream; at its end the stream goes back to its owner."""

    def __init__(self, owner: DecompressedBytes, stream: IO[bytes], offset: int, size: int | None) -> None:
        super().__init__()
        self._owner = owner
        self._stream = stream
        self._position = offset
        self._left = size

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed's Buffer
        """Fill the buffer as far as the section goes."""
        view = memoryview(buffer)
        if self._left is not None:
            view = view[: self._left]
        count = cast("io.BufferedReader", self._stream).readinto(view)
        self._position += count
        if self._left is not None:
            self._left -= count
        return count

    def close(self) -> None:
        """Give the stream back."""
        if not self.closed:
            self._owner.park(self._position, self._stream)
        super().close()


def skip(stream: IO[bytes], count: int, name: str) -> None:
    """Read and forget; seek where that is possible.

    Raises:
        LoadError: The stream ends before.
    """
    if count > 0 and stream.seekable():
        # One can seek beyond the end: the last byte tells whether it is there.
        stream.seek(count - 1, io.SEEK_CUR)
        count = 1
    while count > 0:
        chunk = stream.read(min(count, BUFFER))
        if not chunk:
            raise DamagedError(f"{name} is truncated: it ends inside of a member")
        count -= len(chunk)
