"""The blocks that a tar archive is made of, byte for byte as two programs write them.

"posix" is Python's `tarfile` in its default (pax) format, which the archives of images are in; "gnu" is
GNU tar in its default format, which the layers are in that are not made of store paths alone. A layer's
identity is the hash of its bytes, so every field is pinned down here. Both are plain ustar for nearly all
members; what does not fit (long names, characters beyond ASCII) goes to a member before the real one.
"""

from __future__ import annotations

import stat
import tarfile
from dataclasses import dataclass
from typing import Final, Literal

BLOCK: Final = 512
RECORD: Final = 10240
EPOCH: Final = 315_532_800
"""1980-01-01, the time that Nix's builders give to what they make."""

FILE: Final = b"0"
SYMLINK: Final = b"2"
CHARACTER_DEVICE: Final = b"3"
BLOCK_DEVICE: Final = b"4"
DIRECTORY: Final = b"5"
FIFO: Final = b"6"
KINDS: Final = {
    stat.S_IFREG: FILE,
    stat.S_IFLNK: SYMLINK,
    stat.S_IFCHR: CHARACTER_DEVICE,
    stat.S_IFBLK: BLOCK_DEVICE,
    stat.S_IFDIR: DIRECTORY,
    stat.S_IFIFO: FIFO,
}
"""The type flag of each kind of file that `stat.S_IFMT` knows and a tar can hold."""

Flavour = Literal["posix", "gnu"]
_MAGIC: Final[dict[Flavour, bytes]] = {"posix": b"ustar\x0000", "gnu": b"ustar  \x00"}
_LONG_LINK: Final = b"././@LongLink"


@dataclass(frozen=True, slots=True)
class MemberHeader:
    """What a header says of a member; `name` without a leading or trailing change is what is written.

    Args:
        name: As it is to stand in the archive; a directory's ends in a slash.
        kind: The type flag.
        mode: Permission bits.
        size: Bytes of content that follow.
        mtime: Seconds since 1970.
        uid: Owner.
        gid: Group.
        uname: Owner's name, may be empty.
        gname: Group's name, may be empty.
        link: Target of a symbolic link.
        device: Major and minor number of a device.
    """

    name: str
    kind: bytes = FILE
    mode: int = 0o444
    size: int = 0
    mtime: int = 0
    uid: int = 0
    gid: int = 0
    uname: str = ""
    gname: str = ""
    link: str = ""
    device: tuple[int, int] = (0, 0)


def padding(size: int) -> int:
    """Return the bytes between the end of a content of `size` bytes and the next block."""
    return -size % BLOCK


def ending(size: int) -> bytes:
    """Return what closes an archive that is `size` bytes long so far: two empty blocks, and a full record."""
    return bytes(2 * BLOCK + -(size + 2 * BLOCK) % RECORD)


def header(member: MemberHeader, flavour: Flavour) -> bytes:
    """Return all header blocks of a member, extensions first."""
    return _posix(member) if flavour == "posix" else _gnu(member)


def _posix(member: MemberHeader) -> bytes:
    plain = (
        len(member.name) <= 100
        and len(member.link) <= 100
        and len(member.uname) <= 32
        and len(member.gname) <= 32
        and (member.name + member.link + member.uname + member.gname).isascii()
        and 0 <= member.uid < 8**7
        and 0 <= member.gid < 8**7
        and 0 <= member.mtime < 8**11
        and member.size < 8**11
    )
    if plain and member.kind not in {CHARACTER_DEVICE, BLOCK_DEVICE}:
        return _block(
            member.name.encode("ascii"),
            member,
            member.link.encode("ascii"),
            _MAGIC["posix"],
            devices=bytes(16),
        )
    info = tarfile.TarInfo(member.name.removesuffix("/"))
    info.type = member.kind
    info.mode, info.size, info.mtime = member.mode, member.size, member.mtime
    info.uid, info.gid, info.uname, info.gname = member.uid, member.gid, member.uname, member.gname
    info.linkname = member.link
    info.devmajor, info.devminor = member.device
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _gnu(member: MemberHeader) -> bytes:
    name = member.name.encode("utf-8", "surrogateescape")
    link = member.link.encode("utf-8", "surrogateescape")
    blocks = b""
    # GNU tar writes the target's extension before the name's.
    if len(link) > 100:
        blocks += _gnu_long(link, b"K", member)
    if len(name) > 100:
        blocks += _gnu_long(name, b"L", member)
    is_device = member.kind in {CHARACTER_DEVICE, BLOCK_DEVICE}
    devices = b"%07o\0%07o\0" % member.device if is_device else bytes(16)
    return blocks + _block(name[:100], member, link[:100], _MAGIC["gnu"], devices=devices)


def _gnu_long(text: bytes, kind: bytes, member: MemberHeader) -> bytes:
    content = text + b"\0"
    extension = MemberHeader(
        name="",
        kind=kind,
        mode=0o644,
        size=len(content),
        uname="root" if member.uname else "",
        gname="root" if member.gname else "",
    )
    block = _block(_LONG_LINK, extension, b"", _MAGIC["gnu"], devices=bytes(16))
    return block + content + bytes(padding(len(content)))


def _number(value: int, width: int) -> bytes:
    """Write a number in octal, or in GNU's base 256 where octal has no room."""
    if 0 <= value < 8 ** (width - 1):
        return b"%0*o\0" % (width - 1, value)
    return (b"\x80" if value >= 0 else b"\xff") + value.to_bytes(width - 1, "big", signed=True)


def _block(name: bytes, member: MemberHeader, link: bytes, magic: bytes, *, devices: bytes) -> bytes:
    start = b"".join(
        (
            name.ljust(100, b"\0"),
            b"%07o\0" % (member.mode & 0o7777),
            _number(member.uid, 8),
            _number(member.gid, 8),
            _number(member.size, 12),
            _number(member.mtime, 12),
        ),
    )
    end = b"".join(
        (
            member.kind,
            link.ljust(100, b"\0"),
            magic,
            member.uname.encode()[:32].ljust(32, b"\0"),
            member.gname.encode()[:32].ljust(32, b"\0"),
            devices,
            bytes(167),
        ),
    )
    # The sum takes its own field as eight spaces.
    total = sum(start) + sum(end) + 8 * 0x20
    return start + b"%06o\0 " % total + end
