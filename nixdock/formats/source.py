"""Where an artefact's bytes come from: something that can be read again from any place.

A file is opened anew for every stream. Standard input that is a file is read through its own
descriptor. A pipe, which nobody can read twice, is first copied to a temporary file that has no
name, so that nothing is left behind however nixdock ends.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import sys
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Protocol, cast

from nixdock.errors import LoadError
from nixdock.events import Meter, Work
from nixdock.image.extent import Extent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nixdock.events import Listener

BUFFER: Final = 256 * 1024
"""Bytes read at once: large enough to keep system calls cheap, small enough to stay in the cache."""

_REST: Final = 1 << 62
"""A size that means: up to the end."""


class Bytes(Protocol):
    """A sequence of bytes of which any section can be read, again and again."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def section(self, offset: int = 0, size: int | None = None) -> IO[bytes]:
        """Open a stream of `size` bytes from `offset`, or of all that follow; the caller closes it."""


class FileSection(io.RawIOBase):
    """A part of an open file, read by its own position; closing it closes the descriptor.

    Args:
        descriptor: Of the file; it is this stream's own.
        name: What messages call the file.
        offset: Where the part begins.
        size: Bytes of it; all that follow when None.
    """

    def __init__(self, descriptor: int, name: str, offset: int, size: int | None) -> None:
        super().__init__()
        self._name = name
        self._descriptor = descriptor
        self._start = offset
        self._size = _REST if size is None else size
        self._position = 0
        self._is_open = True

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be read from anywhere."""
        return True

    def tell(self) -> int:
        """Return the position in the section."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position in the section."""
        match whence:
            case os.SEEK_SET:
                base = 0
            case os.SEEK_CUR:
                base = self._position
            case _:
                base = min(self._size, os.fstat(self._descriptor).st_size - self._start)
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed's Buffer
        """Fill the buffer as far as the section goes."""
        wanted = min(len(buffer), max(0, self._size - self._position))
        if wanted == 0:
            return 0
        try:
            count = os.preadv(self._descriptor, [memoryview(buffer)[:wanted]], self._start + self._position)
        except OSError as error:
            raise explain_os_error(error, self._name) from error
        self._position += count
        return count

    def take(self, size: int) -> Extent:
        """Pass over the next bytes, at most so many, and return where they are; empty at the end."""
        left = min(self._size, os.fstat(self._descriptor).st_size - self._start) - self._position
        extent = Extent(self._descriptor, self._start + self._position, max(0, min(size, left)), self._name)
        self._position += len(extent)
        return extent

    def close(self) -> None:
        """Close the descriptor."""
        if self._is_open:
            self._is_open = False
            os.close(self._descriptor)
        super().close()


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """What a file was when it was first looked at: what is remembered of it holds for no other."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileIdentity:
        """Take it from what the file system says."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    def is_unchanged(self, now: os.stat_result) -> bool:
        """Whether a file still has the same content, as far as its size and time tell.

        The inode and its own time do not count: Nix links files of its store to others of the same content.
        """
        return (self.size, self.modified) == (now.st_size, now.st_mtime_ns)

    def __str__(self) -> str:
        return f"{self.device}:{self.inode}:{self.size}:{self.modified}:{self.changed}"


class FileBytes:
    """A regular file by its path.

    Raises:
        LoadError: There is none, or it is something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)
        status = _stat(path)
        if not stat.S_ISREG(status.st_mode):
            what = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
            raise LoadError(f"{path} is {what}")
        self.identity = FileIdentity.of(status)
        self.size = status.st_size

    def section(self, offset: int = 0, size: int | None = None) -> IO[bytes]:
        """Open a stream of a part of the file.

        Raises:
            LoadError: It cannot be opened, or is no longer the file that was first looked at.
        """
        try:
            # Were it a pipe by now, opening it must not wait for a writer.
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise explain_os_error(error, self.name) from error
        if not self.identity.is_unchanged(os.fstat(descriptor)):
            os.close(descriptor)
            raise LoadError(f"{self.name} changed while it was read", hint="try again when it is complete")
        return io.BufferedReader(FileSection(descriptor, self.name, offset, size), BUFFER)


class OpenFileBytes:
    """A regular file that is already open, by a descriptor of our own.

    Args:
        descriptor: It is duplicated.
        name: What messages call it.
        lasting: Whether the file will be there the next time, so that remembering it makes sense.
    """

    def __init__(self, descriptor: int, name: str, *, lasting: bool = True) -> None:
        self.name = name
        self._descriptor = os.dup(descriptor)
        weakref.finalize(self, os.close, self._descriptor)
        status = os.fstat(self._descriptor)
        self.identity = FileIdentity.of(status) if lasting else None
        self.size = status.st_size

    def section(self, offset: int = 0, size: int | None = None) -> IO[bytes]:
        """Open a stream of a part of the file."""
        # A descriptor of its own keeps the stream alive beyond this object.
        descriptor = os.dup(self._descriptor)
        return io.BufferedReader(FileSection(descriptor, self.name, offset, size), BUFFER)


File = FileBytes | OpenFileBytes


def open_stream(stream: IO[bytes], listener: Listener) -> OpenFileBytes:
    """Make what a stream still holds readable again and again.

    Args:
        stream: Standard input or another binary stream; it is read to its end if it is no file.
        listener: Told how far the copying is.

    Raises:
        LoadError: There is nothing to read, or no room for a copy.
    """
    name = "standard input" if _is_standard_input(stream) else str(getattr(stream, "name", "the stream"))
    try:
        descriptor = stream.fileno()
        if stat.S_ISREG(os.fstat(descriptor).st_mode) and stream.tell() == 0:
            return OpenFileBytes(descriptor, name)
    except (OSError, io.UnsupportedOperation):
        pass  # no file behind it: copy it
    return _spool(stream, name, listener)


def _is_standard_input(stream: IO[bytes]) -> bool:
    return stream is getattr(sys.stdin, "buffer", None)


def _spool(stream: IO[bytes], name: str, listener: Listener) -> OpenFileBytes:
    directory = _spool_directory()
    try:
        with (
            tempfile.TemporaryFile(dir=directory, buffering=0) as copy,
            Meter(listener, Work.READ, name) as meter,
        ):
            while chunk := stream.read(BUFFER):
                view = memoryview(chunk)
                while view:
                    view = view[copy.write(view) :]
                meter.advance(len(chunk))
            return OpenFileBytes(copy.fileno(), name, lasting=False)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise LoadError(
                f"there is no room in {directory} for a copy of {name}",
                hint="free some space, set TMPDIR to another folder, or give the archive as a file",
            ) from error
        raise explain_os_error(error, name) from error


def _spool_directory() -> str:
    # /tmp is often kept in memory; large temporary files belong in /var/tmp (file-hierarchy(7)).
    if "TMPDIR" not in os.environ and os.access("/var/tmp", os.W_OK):  # noqa: S108
        return "/var/tmp"  # noqa: S108
    return tempfile.gettempdir()


def _stat(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise explain_os_error(error, str(path)) from error


def explain_os_error(error: OSError, name: str) -> LoadError:
    """Say in one sentence why a file could not be read."""
    match error.errno:
        case errno.ENOENT:
            return LoadError(f"{name} does not exist", hint=_missing_hint(name))
        case errno.EACCES | errno.EPERM:
            return LoadError(f"{name} may not be read: permission denied")
        case errno.EISDIR:
            return LoadError(f"{name} is a folder")
        case _:
            return LoadError(f"{name} cannot be read: {error.strerror or error}")


def _missing_hint(name: str) -> str | None:
    """A store path that is gone was garbage-collected: it can be built again."""
    if Path(name).is_symlink():
        return "the link points to nothing: build it again"
    if "/store/" in name:
        return "the garbage collector removed it: build it again"
    return None


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
