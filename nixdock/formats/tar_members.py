"""Walk through the members of a tar of unknown origin.

Python's `tarfile` trusts what it reads: one extended header may claim gigabytes and is read whole
into memory, and a member list grows without bound. This walker reads one header at a time, keeps
nothing, bounds whatever a header may ask for, and never writes a file. It reads what tools write:
v7, ustar, GNU (long names, base-256 numbers) and POSIX (pax) headers. Sparse members, which no image
archive has, are refused.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from typing import IO, TYPE_CHECKING, Final

from nixdock.errors import LoadError
from nixdock.formats.compression import skip

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK: Final = 512

EXTENSION_LIMIT: Final = 1024 * 1024
"""Bytes that a pax header may have, or a long name."""

NAMES_LIMIT: Final = 16 * 1024 * 1024
"""Characters that all names and link targets may have together; Linux allows a path of 4096."""

EXTENSIONS_IN_A_ROW: Final = 16
"""Headers that may extend one member; tools write at most three."""

MEMBER_LIMIT: Final = 50_000
"""Members that an image archive may have: 125 layers of three files each are the usual most."""

_ZEROS: Final = bytes(BLOCK)


class MemberKind(Enum):
    """What a member is, as far as an image archive cares."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    HARDLINK = "hardlink"
    OTHER = "other"


_KINDS: Final = {
    b"0": MemberKind.FILE,
    b"\0": MemberKind.FILE,
    b"7": MemberKind.FILE,
    b"1": MemberKind.HARDLINK,
    b"2": MemberKind.SYMLINK,
    b"5": MemberKind.DIRECTORY,
}


@dataclass(frozen=True, slots=True)
class TarMember:
    """One member of a tar.

    Args:
        name: As written, not made safe.
        kind: What it is.
        size: Bytes of its data; 0 for links and folders.
        offset: Where its data begins in the tar.
        target: What a link points to, as written; empty otherwise.
    """

    name: str
    kind: MemberKind
    size: int
    offset: int
    target: str = ""


def is_header(block: bytes) -> bool:
    """Whether a block of 512 bytes is the header of a tar member."""
    if len(block) < BLOCK or block[:BLOCK] == _ZEROS:
        return False
    stated = _octal(block[148:156])
    return stated is not None and _has_sum(block[:BLOCK], stated)


class TarWalk:
    """The members of a tar, in order, once.

    While a member is the current one, `read` gives its data; what is not read is skipped.

    Args:
        stream: The uncompressed tar, at its beginning.
        name: What messages call it.
    """

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self._stream = stream
        self._name = name
        self._position = 0
        self._left = 0
        self._padding = 0

    def __iter__(self) -> Iterator[TarMember]:
        count = length = 0
        while (member := self._next()) is not None:
            count += 1
            length += len(member.name) + len(member.target)
            if length > NAMES_LIMIT:
                raise LoadError(f"{self._name} has names of {length} characters: it is no image archive")
            if count > MEMBER_LIMIT:
                raise LoadError(f"{self._name} has more than {MEMBER_LIMIT} members: it is no image archive")
            yield member

    @property
    def position(self) -> int:
        """How many bytes of the tar have been gone through."""
        return self._position

    def read(self, size: int) -> bytes:
        """Read at most so many bytes of the current member's data; empty at its end."""
        wanted = min(size, self._left)
        if wanted == 0:
            return b""
        data = self._stream.read(wanted)
        self._position += len(data)
        self._left -= len(data)
        if len(data) < wanted:
            raise self._truncated()
        return data

    def finish(self) -> None:
        """Skip what is left of the current member."""
        count, self._left, self._padding = self._left + self._padding, 0, 0
        if count:
            skip(self._stream, count, self._name)
            self._position += count

    def _next(self) -> TarMember | None:
        long_name = long_target = None
        extended: dict[str, str] = {}
        for _ in range(EXTENSIONS_IN_A_ROW):
            self.finish()
            header = self._read_header()
            if header is None:
                return None
            size = self._number(header[124:136], "size")
            kind = header[156:157]
            match kind:
                case b"L":
                    long_name = _text(self._extension(size).rstrip(b"\0"))
                case b"K":
                    long_target = _text(self._extension(size).rstrip(b"\0"))
                case b"x":
                    extended = self._read_extended(size)
                case b"g":
                    self._extension(size)
                case b"S":
                    raise self._sparse(_name(header))
                case _:
                    return self._member(header, size, extended, long_name, long_target)
        raise self._malformed("too many extensions")

    def _member(
        self,
        header: bytes,
        size: int,
        extended: dict[str, str],
        long_name: str | None,
        long_target: str | None,
    ) -> TarMember:
        name = extended.get("path") or long_name or _name(header)
        if any(key.startswith("GNU.sparse.") for key in extended):
            raise self._sparse(name)
        kind = _KINDS.get(header[156:157], MemberKind.OTHER)
        if kind is MemberKind.FILE and name.endswith("/"):
            kind = MemberKind.DIRECTORY  # as v7 wrote them
        if "size" in extended:
            size = self._decimal(extended["size"])
        if kind in {MemberKind.SYMLINK, MemberKind.HARDLINK, MemberKind.DIRECTORY}:
            # Some writers state the size of what a link points to; no data follows (as Go's reader).
            size = 0
        target = ""
        if kind in {MemberKind.SYMLINK, MemberKind.HARDLINK}:
            target = extended.get("linkpath") or long_target or _text(header[157:257].split(b"\0", 1)[0])
        self._left = size
        self._padding = -size % BLOCK
        return TarMember(name, kind, size, self._position, target)

    def _read_header(self) -> bytes | None:
        block = self._stream.read(BLOCK)
        self._position += len(block)
        if not block or block == _ZEROS:
            return None  # two zero blocks end a tar; like GNU tar, be content with one, or with none
        if len(block) < BLOCK:
            raise self._truncated()
        if not is_header(block):
            raise LoadError(
                f"{self._name} is damaged: what stands at byte {self._position - BLOCK} is no tar header",
                hint="build or download it again",
            )
        return block

    def _extension(self, size: int) -> bytes:
        if size > EXTENSION_LIMIT:
            raise LoadError(f"{self._name} is no image archive: one of its headers claims {size} bytes")
        data = self._stream.read(size)
        self._position += len(data)
        if len(data) < size:
            raise self._truncated()
        self._padding = -size % BLOCK
        return data

    def _read_extended(self, size: int) -> dict[str, str]:
        """Read pax records: length, space, `key=value`, newline; the length counts all of it."""
        data = self._extension(size)
        records: dict[str, str] = {}
        position = 0
        while position < len(data) and data[position] != 0:
            space = data.find(b" ", position, position + 20)
            length = data[position:space] if space > 0 else b""
            if not length.isdigit() or not 0 < int(length) <= len(data) - position:
                raise self._malformed("an extended header")
            record = data[space + 1 : position + int(length)]
            key, equals, value = record.partition(b"=")
            if not equals or not value.endswith(b"\n"):
                raise self._malformed("an extended header")
            text = _text(key)
            if text in {"path", "linkpath", "size"} or text.startswith("GNU.sparse."):
                records[text] = _text(value[:-1])
            position += int(length)
        return records

    def _number(self, field: bytes, what: str) -> int:
        if field[0] & 0x80:
            # GNU's base-256: a two's complement number, whose sign is the second highest bit.
            if field[0] & 0x40:
                raise self._malformed(f"a negative {what}")
            number = int.from_bytes(bytes([field[0] & 0x3F]) + field[1:], "big")
            if number >= 1 << 60:
                raise self._malformed(f"a {what} of {number}")
            return number
        number_or_none = _octal(field)
        if number_or_none is None:
            raise self._malformed(f"a {what} that is no number")
        return number_or_none

    def _decimal(self, text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise self._malformed(f"a size of {text[:40]!r}")
        return int(text)

    def _malformed(self, what: str) -> LoadError:
        return LoadError(f"{self._name} is damaged: the tar header before byte {self._position} has {what}")

    def _sparse(self, member: str) -> LoadError:
        return LoadError(f"{self._name} has a sparse member, {member!r}: no image archive has one")

    def _truncated(self) -> LoadError:
        return LoadError(
            f"{self._name} is truncated: it ends after {self._position} bytes, inside of a member",
            hint="build or download it again",
        )


def _name(header: bytes) -> str:
    name = header[:100].split(b"\0", 1)[0]
    # Only POSIX headers ("ustar\0") have a prefix; GNU's ("ustar  \0") keep times there.
    prefix = header[345:500].split(b"\0", 1)[0] if header[257:263] == b"ustar\0" else b""
    return _text(prefix + b"/" + name if prefix else name)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _octal(field: bytes) -> int | None:
    text = field.strip(b" \0")
    # Some writers leave rubbish behind the number's end.
    text = text.split(b"\0", 1)[0].split(b" ", 1)[0]
    if not text:
        return 0
    return int(text, 8) if all(0x30 <= byte <= 0x37 for byte in text) else None


def _has_sum(block: bytes, stated: int) -> bool:
    """Whether this is the sum of a header's bytes, its own field taken as spaces."""
    others = block[:148] + block[156:]
    if 8 * 0x20 + sum(others) == stated:
        return True
    # Some old programs summed signed characters.
    return bool(8 * 0x20 + sum(struct.unpack("504b", others)) == stated)
