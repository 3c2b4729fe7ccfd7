"""Headers of tar members as Go's `archive/tar` writes them, byte for byte.

What nix2container's layers are made of. Go prefers ustar, splitting long names between its prefix and
name fields, and goes over to pax for what does not fit; its pax headers differ from Python's in their
name, and device numbers are zeros instead of nothing.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Final

BLOCK: Final = 512
NAME_SIZE: Final = 100
PREFIX_SIZE: Final = 155
_SHORT_NUMBER: Final = 8**7
_LONG_NUMBER: Final = 8**11
_USER_SIZE: Final = 32

FILE: Final = b"0"
SYMLINK: Final = b"2"
DIRECTORY: Final = b"5"
_EXTENDED: Final = b"x"


@dataclass(frozen=True, slots=True)
class GoHeader:
    """What a header says.

    Args:
        name: In UTF-8, absolute; without a slash at its end, whatever it is.
        kind: The type flag.
        mode: Permission bits.
        uid: Owner.
        gid: Group.
        uname: Owner's name.
        gname: Group's name.
        size: Bytes that follow.
        link: The target of a symbolic link, in UTF-8.
        mtime: Seconds since 1970.
    """

    name: bytes
    kind: bytes
    mode: int
    uid: int
    gid: int
    uname: bytes
    gname: bytes
    size: int = 0
    link: bytes = b""
    mtime: int = 1


def write_header(header: GoHeader) -> bytes:
    """Return all blocks of a header, its pax header first where it needs one."""
    records, fits_ustar = _survey(header)
    if fits_ustar:
        prefix, name = _split(header.name) or (b"", header.name)
        return _main_block(header, name, prefix)
    directory, _, base = header.name.rpartition(b"/")
    pax_name = posixpath.join(directory + b"/", b"PaxHeaders.0", base)
    # Go's path.Join cleans what it joins.
    content = b"".join(_record(key, value) for key, value in sorted(records.items()))
    before = _pax_block(posixpath.normpath(pax_name), len(content)) + content + bytes(-len(content) % BLOCK)
    return before + _main_block(header, header.name, b"")


def _survey(header: GoHeader) -> tuple[dict[bytes, bytes], bool]:
    """Return the records that pax would need, and whether ustar does without."""
    records: dict[bytes, bytes] = {}
    fits = True
    for key, value, limit in (
        (b"path", header.name, NAME_SIZE),
        (b"linkpath", header.link, NAME_SIZE),
        (b"uname", header.uname, _USER_SIZE),
        (b"gname", header.gname, _USER_SIZE),
    ):
        if len(value) > limit or not value.isascii():
            records[key] = value
            fits = fits and key == b"path" and _split(value) is not None
    for key, number, bound in (
        (b"uid", header.uid, _SHORT_NUMBER),
        (b"gid", header.gid, _SHORT_NUMBER),
        (b"size", header.size, _LONG_NUMBER),
    ):
        if number >= bound:
            records[key] = b"%d" % number
            fits = False
    return records, fits


def _split(name: bytes) -> tuple[bytes, bytes] | None:
    """Split a long name for ustar's two fields; None where it is short, or cannot be split."""
    if len(name) <= NAME_SIZE or not name.isascii():
        return None
    length = min(len(name), PREFIX_SIZE + 1)
    if length == len(name) and name.endswith(b"/"):
        length -= 1
    cut = name.rfind(b"/", 0, length)
    if cut <= 0 or not 0 < len(name) - cut - 1 <= NAME_SIZE:
        return None
    return name[:cut], name[cut + 1 :]


def _record(key: bytes, value: bytes) -> bytes:
    """Return a pax record: its length in decimal, itself included, then the rest."""
    rest = b" %s=%s\n" % (key, value)
    length = len(rest)
    while len(b"%d" % length) + len(rest) != length:
        length = len(b"%d" % length) + len(rest)
    return b"%d" % length + rest


def _pax_block(name: bytes, size: int) -> bytes:
    short = _ascii(name)[:NAME_SIZE].rstrip(b"/")
    numbers = b"0000000\0" * 3 + b"%011o\0" % size + b"%011o\0" % 0
    return _summed(short.ljust(NAME_SIZE, b"\0") + numbers, _EXTENDED.ljust(101, b"\0") + b"ustar\x0000")


def _main_block(header: GoHeader, name: bytes, prefix: bytes) -> bytes:
    before = b"".join(
        (
            _field(name),
            b"%07o\0" % header.mode,
            b"%07o\0" % (header.uid if header.uid < _SHORT_NUMBER else 0),
            b"%07o\0" % (header.gid if header.gid < _SHORT_NUMBER else 0),
            b"%011o\0" % (header.size if header.size < _LONG_NUMBER else 0),
            b"%011o\0" % header.mtime,
        )
    )
    after = b"".join(
        (
            header.kind,
            _field(header.link),
            b"ustar\x0000",
            _ascii(header.uname)[:_USER_SIZE].ljust(_USER_SIZE, b"\0"),
            _ascii(header.gname)[:_USER_SIZE].ljust(_USER_SIZE, b"\0"),
            b"0000000\0" * 2,
            prefix.ljust(PREFIX_SIZE, b"\0"),
        )
    )
    return _summed(before, after)


def _field(text: bytes) -> bytes:
    """Fit a name or a target into its field, so that a cut one does not look like a directory."""
    short = _ascii(text)
    if len(short) > NAME_SIZE:
        short = short[:NAME_SIZE].rstrip(b"/")
    return short.ljust(NAME_SIZE, b"\0")


def _ascii(text: bytes) -> bytes:
    return text if text.isascii() else bytes(byte for byte in text if byte < 0x80)


def _summed(before: bytes, after: bytes) -> bytes:
    """Put a block together; its checksum takes its own field for eight spaces."""
    after = after.ljust(BLOCK - len(before) - 8, b"\0")
    return before + b"%06o\0 " % (sum(before) + sum(after) + 8 * 0x20) + after
