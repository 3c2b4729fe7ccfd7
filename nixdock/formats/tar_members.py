"""The one reader of tar headers: of image archives, and of the layers in them, of unknown origin.

Python's `tarfile` trusts what it reads: one extended header may claim gigabytes and is read whole
into memory, and a member list grows without bound. This walker reads one header at a time, keeps
nothing, bounds whatever a header may ask for, and never writes a file; a layer may have a hundred
thousand members, so it is also several times faster. It reads what tools write: v7, ustar, GNU (long
names, base-256 numbers) and POSIX (pax) headers. Sparse members, which no image has, are refused.
"""

from __future__ import annotations

import io
import struct
import zlib
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Final, Literal, NamedTuple

from nixdock.errors import DamagedError, LoadError
from nixdock.formats.compression import skip

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK: Final = 512

EXTENSION_LIMIT: Final = 1024 * 1024
"""Bytes that a pax header may have, or a long name."""

NAMES_LIMIT: Final = 16 * 1024 * 1024
"""Characters that all names and link targets of an archive may have; Linux allows a path of 4096."""

EXTENSIONS_IN_A_ROW: Final = 16
"""Headers that may extend one member; tools write at most three."""

MEMBER_LIMIT: Final = 50_000
"""Members that an image archive may have: 125 layers of three files each are the usual most."""

_SIZE_LIMIT: Final = 1 << 60
_ZEROS: Final = bytes(BLOCK)
_HEADER: Final = struct.Struct("100s 8s 8s 8s 12s 12s 8s c 100s 8s 32s 32s 8s 8s 155s 12x")
_SUM: Final = slice(148, 156)

MemberKind = Literal[
    "file", "hardlink", "symlink", "character", "block", "directory", "fifo", "sparse", "other"
]

_KINDS: Final[dict[bytes, MemberKind]] = {
    b"0": "file",
    b"\0": "file",
    b"7": "file",
    b"1": "hardlink",
    b"2": "symlink",
    b"3": "character",
    b"4": "block",
    b"5": "directory",
    b"6": "fifo",
    b"S": "sparse",
}


class TarMember(NamedTuple):
    """One member of a tar.

    Args:
        name: As written, not made safe.
        kind: What it is.
        size: Bytes of its data; 0 for links, directories and devices.
        offset: Where its data begins in the tar.
        target: What a link points to, as written; empty otherwise.
        mode: Permission bits, set-id and sticky bits among them.
        uid: Of the owner.
        gid: Of the group.
        mtime: Seconds since 1970.
        device: Major and minor number of a device.
    """

    name: str
    kind: MemberKind
    size: int
    offset: int
    target: str
    mode: int
    uid: int
    gid: int
    mtime: int
    device: tuple[int, int]


class MemberAllowance:
    """What may be held of tars at once: their members, and the names of those.

    Args:
        name: What messages call them.
        members: How many.
        characters: Of their names and of what links point to, together.
    """

    def __init__(self, name: str, members: int = MEMBER_LIMIT, characters: int = NAMES_LIMIT) -> None:
        self._name = name
        self._members = self._members_left = members
        self._characters = self._characters_left = characters

    def take(self, members: int, characters: int) -> None:
        """Take note of so many more.

        Raises:
            LoadError: They are too many.
        """
        self._members_left -= members
        self._characters_left -= characters
        if self._members_left < 0:
            raise LoadError(f"{self._name} has more than {self._members} members")
        if self._characters_left < 0:
            raise LoadError(f"{self._name} has names of more than {self._characters} characters")


def is_header(block: bytes) -> bool:
    """Whether a block of 512 bytes is the header of a tar member."""
    return len(block) >= BLOCK and block[:BLOCK] != _ZEROS and _has_sum(block[:BLOCK])


class TarWalk:
    """The members of a tar, in order, once.

    While a member is the current one, `read` gives its data; what is not read is skipped, by seeking
    where the stream can.

    Args:
        stream: The uncompressed tar, at its beginning.
        name: What messages call it.
        room: What may be held of it; that of an image archive when None.
    """

    def __init__(self, stream: IO[bytes], name: str, room: MemberAllowance | None = None) -> None:
        self._stream = stream
        self._seekable = stream.seekable()
        self._name = name
        self._room = room or MemberAllowance(name)
        self._position = 0
        self._left = 0
        self._padding = 0

    def __iter__(self) -> Iterator[TarMember]:
        while True:
            try:
                member = self._next()
            except _MalformedError as error:
                raise DamagedError(
                    f"{self._name} is damaged: the tar header before byte {self._position} has {error}"
                ) from None
            if member is None:
                return
            self._room.take(1, len(member.name) + len(member.target))
            yield member

    @property
    def position(self) -> int:
        """How many bytes of the tar have been gone through."""
        return self._position

    def read(self, size: int) -> bytes:
        """Read at most so many bytes of the current member's data; empty at its end."""
        wanted = min(size, self._left)
        self._left -= wanted
        return self._read(wanted) if wanted else b""

    def _next(self) -> TarMember | None:
        long_name = long_target = ""
        extended: dict[str, str] = {}
        for _ in range(EXTENSIONS_IN_A_ROW):
            block = self._read_block()
            if not block or block == _ZEROS:
                return None  # two zero blocks end a tar; like GNU tar, be content with one, or with none
            fields = _HEADER.unpack(block)
            if not _has_sum(block):
                raise DamagedError(
                    f"{self._name} is damaged: what stands at byte {self._position - BLOCK} is no tar header"
                )
            size = _number(fields[4], "size")
            if not 0 <= size < _SIZE_LIMIT:
                raise _MalformedError("a negative size" if size < 0 else f"a size of {size}")
            match fields[7]:
                case b"L":
                    long_name = _text(self._extension(size).rstrip(b"\0"))
                case b"K":
                    long_target = _text(self._extension(size).rstrip(b"\0"))
                case b"x":
                    extended = _parse_extended(self._extension(size))
                case b"g":
                    self._extension(size)
                case _:
                    return self._member(fields, size, extended, long_name, long_target)
        raise _MalformedError("too many extensions")

    def _member(
        self, fields: tuple[bytes, ...], size: int, extended: dict[str, str], long_name: str, long_target: str
    ) -> TarMember:
        name = extended.get("path") or long_name or _name(fields)
        kind = _KINDS.get(fields[7], "other")
        if kind == "sparse" or (extended and any(key.startswith("GNU.sparse.") for key in extended)):
            raise LoadError(f"{self._name} has a sparse member, {name!r}: no image archive has one")
        if kind == "file" and name.endswith("/"):
            kind = "directory"  # as v7 wrote them
        target = ""
        if kind in {"symlink", "hardlink"}:
            target = extended.get("linkpath") or long_target or _string(fields[8])
        device = (0, 0)
        if kind in {"character", "block"}:
            device = (_number(fields[12], "device"), _number(fields[13], "device"))
        mode = _number(fields[1], "mode") & 0o7777
        uid = _number(fields[2], "uid")
        gid = _number(fields[3], "gid")
        mtime = _number(fields[5], "mtime")
        if extended:
            size = _decimal(extended, "size", size)
            uid = _decimal(extended, "uid", uid)
            gid = _decimal(extended, "gid", gid)
            mtime = _decimal(extended, "mtime", mtime)
        # Some writers state the size of what a link points to; no data follows (as Go's reader).
        size = size if kind in {"file", "other"} else 0
        self._left, self._padding = size, -size % BLOCK
        return TarMember(name, kind, size, self._position, target, mode, uid, gid, mtime, device)

    def _read_block(self) -> bytes:
        """Skip what is left of the current member, and read the block behind it; empty at the tar's end."""
        count, self._left, self._padding = self._left + self._padding, 0, 0
        if count and self._seekable:
            # One can seek beyond the end: the last byte, read with the block, tells whether it is there.
            self._stream.seek(count - 1, io.SEEK_CUR)
            self._position += count - 1
            return self._read(BLOCK + 1, least=1)[1:]
        if count:
            skip(self._stream, count, self._name)
            self._position += count
        return self._read(BLOCK, least=0)

    def _read(self, size: int, *, least: int | None = None) -> bytes:
        """Read so many bytes; `least` where the tar may also end after them."""
        data = self._stream.read(size)
        self._position += len(data)
        if len(data) not in {size, least}:
            end = self._stream.seek(0, io.SEEK_END) if self._seekable else self._position
            raise DamagedError(f"{self._name} is truncated: it ends after {end} bytes, inside of a member")
        return data

    def _extension(self, size: int) -> bytes:
        if size > EXTENSION_LIMIT:
            raise DamagedError(f"{self._name} is damaged: one of its headers claims {size} bytes")
        self._padding = -size % BLOCK
        return self._read(size)


class _MalformedError(ValueError):
    """That a header has what none may have."""


def _parse_extended(data: bytes) -> dict[str, str]:
    """Return pax records: length, space, `key=value`, newline; the length counts all of it."""
    records: dict[str, str] = {}
    position = 0
    while position < len(data) and data[position] != 0:
        space = data.find(b" ", position, position + 20)
        length = data[position:space] if space > 0 else b""
        if not length.isdigit() or not 0 < int(length) <= len(data) - position:
            raise _MalformedError("an extended header")
        key, equals, value = data[space + 1 : position + int(length)].partition(b"=")
        if not equals or not value.endswith(b"\n"):
            raise _MalformedError("an extended header")
        records[_text(key)] = _text(value[:-1])
        position += int(length)
    return records


def _decimal(extended: dict[str, str], key: str, otherwise: int) -> int:
    """Return a number of a pax header, or what stands for it where that has none."""
    text = extended.get(key)
    if text is None:
        return otherwise
    if key == "mtime":
        text = text.partition(".")[0] or "0"  # it may have fractions
    # A time may be before 1970, and some writers have owners below zero (nobody is -2); no size is.
    digits = text if key == "size" else text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise _MalformedError(f"a {key} of {text[:40]!r}")
    return -int(digits) if text.startswith("-") else int(digits)


def _name(fields: tuple[bytes, ...]) -> str:
    # Only POSIX headers ("ustar\0") have a prefix; GNU's ("ustar  \0") keep times there.
    prefix = _string(fields[14]) if fields[9][:6] == b"ustar\0" else ""
    return f"{prefix}/{_string(fields[0])}" if prefix else _string(fields[0])


def _string(field: bytes) -> str:
    return _text(field.partition(b"\0")[0])


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


@lru_cache(maxsize=1024)  # of a layer's members most have the same mode, owner and time
def _number(field: bytes, what: str) -> int:
    if field[0] & 0x80:
        # GNU's base-256: a two's complement number whose highest bit only marks it (tar's to_base256).
        number = int.from_bytes(field, "big", signed=True)
        return number if field[0] & 0x40 else number & ((1 << (len(field) * 8 - 1)) - 1)
    number_or_none = _octal(field)
    if number_or_none is None:
        raise _MalformedError(f"a {what} that is no number")
    return number_or_none


def _octal(field: bytes) -> int | None:
    # Some writers leave rubbish behind the number's end.
    text = field.strip(b" \0").partition(b"\0")[0].partition(b" ")[0]
    if not text:
        return 0
    try:
        return int(text, 8) if text.isdigit() else None
    except ValueError:
        return None


def _has_sum(block: bytes) -> bool:
    """Whether a header states the sum of its bytes, with that field taken as spaces."""
    own = block[_SUM]
    stated = _octal(own)
    # Adler's lower half is one more than the sum of the bytes, as long as that is below 65521.
    halves = (zlib.adler32(block[:256]) & 0xFFFF) + (zlib.adler32(block[256:]) & 0xFFFF) - 2
    if halves - sum(own) + 8 * 0x20 == stated:
        return True
    # Some old programs summed signed characters.
    others = block[: _SUM.start] + block[_SUM.stop :]
    return bool(8 * 0x20 + sum(struct.unpack("504b", others)) == stated)
