"""Reading the tar of a layer: every header once, contents only where they are asked for.

A layer can have a hundred thousand members, so this reads headers by hand rather than through
`tarfile`, and keeps of each what checks ask for. Formats: v7, ustar, GNU (long names, base-256
numbers) and POSIX (pax), which is what docker, nixpkgs, nix2container and buildah write.
"""

from __future__ import annotations

import io
import posixpath
import struct
from typing import IO, TYPE_CHECKING, Protocol

from nixdock.checks.files.entry import LayerEntry
from nixdock.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 512
_ZEROS = bytes(BLOCK)
_PIECE = 1 << 20
_EXTENSION_LIMIT = 1 << 20
MEMBER_LIMIT = 2_000_000
"""Members that an image's layers may have: of each some 600 bytes are held."""
NAMES_LIMIT = 256 << 20
"""Characters that their paths and the targets of links may have together."""


_HEADER = struct.Struct("100s 8s 8s 8s 12s 12s 8s c 100s 8s 32s 32s 8s 8s 155s 12x")

_KINDS = {
    b"0": "file",
    b"\0": "file",
    b"7": "file",
    b"1": "hardlink",
    b"2": "symlink",
    b"3": "character",
    b"4": "block",
    b"5": "directory",
    b"6": "fifo",
}


class Inspector(Protocol):
    """Looks at the contents of files while a layer is read."""

    def begin(self, entry: LayerEntry) -> None:
        """Hear that the content of a file follows."""

    def feed(self, data: bytes) -> None:
        """Take the next piece of it."""

    def end(self) -> None:
        """Hear that it is complete."""


def read_entries(stream: IO[bytes], name: str, inspector: Inspector | None = None) -> Iterator[LayerEntry]:
    """Yield the members of a layer's tar.

    Without an inspector contents are skipped, by seeking where the stream can.

    Args:
        stream: The uncompressed tar, at its beginning.
        name: What messages call it.
        inspector: Shown the content of every file.

    Raises:
        LoadError: It is not a tar, or it is cut short.
    """
    return iter(_Reader(stream, name, inspector))


def clean_path(name: str) -> str:
    """Return a member's name as a path from the root; `..` cannot lead out of it."""
    return posixpath.normpath("/" + name.rstrip("/")).lstrip("/")


class Room:
    """What may be held of layers at once.

    Args:
        name: What messages call them.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._members = MEMBER_LIMIT
        self._characters = NAMES_LIMIT

    def take(self, members: int, characters: int) -> None:
        """Take note of so many more.

        Raises:
            LoadError: They are too many.
        """
        self._members -= members
        self._characters -= characters
        if self._members < 0:
            raise LoadError(f"{self._name} has more than {MEMBER_LIMIT} members")
        if self._characters < 0:
            raise LoadError(f"{self._name} has names of more than {NAMES_LIMIT} characters")


class _Reader:
    def __init__(self, stream: IO[bytes], name: str, inspector: Inspector | None) -> None:
        self._stream = stream
        self._name = name
        self._inspector = inspector
        self._position = 0
        self._seekable = stream.seekable()

    def __iter__(self) -> Iterator[LayerEntry]:
        room = Room(self._name)
        for entry in iter(self._next, None):
            room.take(1, len(entry.path) + len(entry.target))
            yield entry
            padding = -entry.size % BLOCK
            if entry.offset < 0:
                continue
            if self._inspector is not None and entry.kind == "file":
                self._show(entry)
                self._skip(padding)
            else:
                self._skip(entry.size + padding)

    def _next(self) -> LayerEntry | None:
        long_name = long_target = ""
        extended: dict[str, str] = {}
        while True:
            block = self._read(BLOCK)
            if block == _ZEROS or not block:
                return None
            fields = _HEADER.unpack(block)
            if sum(block) - sum(block[148:156]) + 256 != self._number(fields[6]):
                raise LoadError(
                    f"{self._name} is damaged: what stands at byte {self._position - BLOCK} is no tar header"
                )
            size = self._number(fields[4])
            match fields[7]:
                case b"L":
                    long_name = _text(self._extension(size).rstrip(b"\0"))
                case b"K":
                    long_target = _text(self._extension(size).rstrip(b"\0"))
                case b"x":
                    extended = self._records(self._extension(size))
                case b"g":
                    self._extension(size)
                case _:
                    return self._entry(fields, size, extended, long_name, long_target)

    def _entry(
        self,
        fields: tuple[bytes, ...],
        size: int,
        extended: dict[str, str],
        long_name: str,
        long_target: str,
    ) -> LayerEntry:
        name = extended.get("path") or long_name or _name(fields)
        kind = _KINDS.get(fields[7])
        if kind is None or "GNU.sparse.major" in extended or "GNU.sparse.map" in extended:
            raise LoadError(f"{self._name} has a member of a kind that no image has: {name!r}")
        if kind == "file" and name.endswith("/"):
            kind = "directory"  # as v7 wrote them
        if kind == "character" and self._number(fields[12]) == self._number(fields[13]) == 0:
            kind = "whiteout"  # to the kernel's overlay file system, on which all engines put it
        if "size" in extended:
            size = self._decimal(extended["size"])
        if size < 0:
            raise LoadError(f"{self._name} is damaged: a tar header has the size {size}")
        has_data = kind == "file"
        target = ""
        if kind in {"symlink", "hardlink"}:
            target = extended.get("linkpath") or long_target or _string(fields[8])
            if kind == "hardlink":
                target = clean_path(target)
        return LayerEntry(
            path=clean_path(name),
            kind=kind,
            # Linux gives every symbolic link this mode (symlink(7)).
            mode=0o777 if kind == "symlink" else self._number(fields[1]) & 0o7777,
            uid=self._decimal(extended["uid"]) if "uid" in extended else self._number(fields[2]),
            gid=self._decimal(extended["gid"]) if "gid" in extended else self._number(fields[3]),
            size=size if has_data else 0,
            offset=self._position if has_data else -1,
            target=target,
            mtime=self._seconds(extended, fields[5]),
        )

    def _show(self, entry: LayerEntry) -> None:
        inspector = self._inspector
        if inspector is None:
            return
        inspector.begin(entry)
        left = entry.size
        while left:
            data = self._stream.read(min(left, _PIECE))
            if not data:
                raise self._truncated()
            self._position += len(data)
            left -= len(data)
            inspector.feed(data)
        inspector.end()

    def _read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._position += len(data)
        if data and len(data) < size:
            raise self._truncated()
        return data

    def _skip(self, size: int) -> None:
        self._position += size
        if self._seekable:
            self._stream.seek(size, io.SEEK_CUR)
            return
        while size:
            data = self._stream.read(min(size, _PIECE))
            if not data:
                raise self._truncated()
            size -= len(data)

    def _extension(self, size: int) -> bytes:
        if size > _EXTENSION_LIMIT:
            raise LoadError(f"{self._name} is damaged: one of its headers claims {size} bytes")
        data = self._read(size) if size else b""
        self._skip(-size % BLOCK)
        return data

    def _records(self, data: bytes) -> dict[str, str]:
        r"""Read pax records: `<length> <key>=<value>\n`, the length counting all of it."""
        records: dict[str, str] = {}
        position = 0
        while position < len(data) and data[position]:
            length_text, _, _ = data[position : position + 20].partition(b" ")
            length = int(length_text) if length_text.isdigit() else 0
            if not 0 < length <= len(data) - position:
                raise LoadError(f"{self._name} is damaged: an extended tar header cannot be read")
            key, _, value = data[position + len(length_text) + 1 : position + length - 1].partition(b"=")
            records[_text(key)] = _text(value)
            position += length
        return records

    def _number(self, field: bytes) -> int:
        if field[0] & 0x80:
            # GNU's base-256: a two's complement number (tar/src/create.c, to_base256).
            number = int.from_bytes(field, "big", signed=True)
            return number & ((1 << (len(field) * 8 - 1)) - 1) if field[0] != 0xFF else number
        text = field.rstrip(b" \0").lstrip(b" ")
        try:
            return int(text, 8) if text else 0
        except ValueError:
            raise LoadError(f"{self._name} is damaged: a tar header has a number {field!r}") from None

    def _decimal(self, text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise LoadError(f"{self._name} is damaged: a tar header has a number {text!r}") from None

    def _seconds(self, extended: dict[str, str], field: bytes) -> int:
        if "mtime" not in extended:
            return self._number(field)
        return self._decimal(extended["mtime"].partition(".")[0] or "0")

    def _truncated(self) -> LoadError:
        return LoadError(
            f"{self._name} is truncated: it ends after about {self._position} bytes, inside of a member",
            hint="build or download it again",
        )


def _name(fields: tuple[bytes, ...]) -> str:
    # Only POSIX headers ("ustar\0") have a prefix; GNU's ("ustar  \0") keep times there.
    prefix = _string(fields[14]) if fields[9][:6] == b"ustar\0" else ""
    return f"{prefix}/{_string(fields[0])}" if prefix else _string(fields[0])


def _string(field: bytes) -> str:
    return _text(field.partition(b"\0")[0])


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
