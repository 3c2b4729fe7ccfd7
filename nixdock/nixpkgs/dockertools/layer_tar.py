"""The tar of a layer made of store paths, byte for byte as nixpkgs' streamLayeredImage makes it.

The layer's diff ID follows from these bytes alone, so that every tool that keeps the rules agrees on
it. They are those of Python's `tarfile` (3.9 or later) writing a stream in the pax format:

- First `/nix/` and `/nix/store/`, directories of mode 0755, in every layer.
- Then each path of the layer in the given order, followed by what is below it, sorted name by name:
  a directory, then its first child with all that is below that, then the next. Links are not followed.
- Names are absolute; a directory's ends in a slash. A name or link target of more than 100 characters or
  outside of ASCII stands in a pax header before the entry's own, which has it cut to 100.
- Permissions are the file's; owner, group and time are the layer's, the same for all entries.
- A hard link is written as one more file.
- Two empty blocks end the tar, which is filled up to a multiple of 10240 bytes.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from . import tar_header
from .tar_header import MemberHeader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PIECE: Final = 1 << 18
"""Bytes of a file that are read at once."""

GATHERED: Final = 1 << 18
"""Bytes that `joined` waits for: enough to make hashing and sending cheap, little enough to hold."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What all entries of a layer have in common.

    Args:
        mtime: Seconds since 1970.
        uid: Owner.
        gid: Group.
        uname: Owner's name.
        gname: Group's name.
    """

    mtime: int = 1
    uid: int = 0
    gid: int = 0
    uname: str = "root"
    gname: str = "root"


class ChangedFileError(OSError):
    """A file became shorter while it was read: its store path is being removed."""


def members(paths: Iterable[str], stamp: Stamp) -> Iterator[tuple[MemberHeader, str]]:
    """Yield each member of a layer's tar, with the file that has its content.

    Args:
        paths: Absolute store paths, in the layer's order.
        stamp: What all entries have in common.

    Raises:
        OSError: A path is not there, or cannot be read.
    """
    for name in ("/nix/", "/nix/store/"):
        yield _stamped(name, tar_header.DIRECTORY, 0o755, stamp), name
    for top in paths:
        for path, info in _walk(top):
            kind = tar_header.KINDS.get(stat.S_IFMT(info.st_mode))
            if kind is None:
                continue  # a socket, which no archive can hold
            name = f"{path}/" if kind == tar_header.DIRECTORY else path
            size = info.st_size if kind == tar_header.FILE else 0
            link = os.readlink(path) if kind == tar_header.SYMLINK else ""  # noqa: PTH115 - one for each file
            yield _stamped(name, kind, info.st_mode, stamp, size=size, link=link), path


def size(paths: Iterable[str], stamp: Stamp) -> int:
    """Return how many bytes the tar has, by what the file system says of the files.

    Raises:
        OSError: A path is not there.
    """
    total = 0
    for member, _ in members(paths, stamp):
        total += len(tar_header.header(member, "posix")) + member.size + tar_header.padding(member.size)
    return total + len(tar_header.ending(total))


def digest(paths: Iterable[str], stamp: Stamp) -> str:
    """Return the tar's sha256 in hexadecimal: the layer's diff ID."""
    computed = hashlib.sha256()
    for chunk in chunks(paths, stamp):
        computed.update(chunk)
    return computed.hexdigest()


def chunks(paths: Iterable[str], stamp: Stamp) -> Iterator[bytes]:
    """Yield the tar's bytes.

    Raises:
        OSError: A path is not there, or cannot be read, or changes under our hands.
    """
    return joined(_pieces(paths, stamp))


def content(path: str, size: int) -> Iterator[bytes]:
    """Yield a file's bytes, and what fills them up to whole blocks.

    Args:
        path: The file.
        size: Its bytes, as the header says.

    Raises:
        ChangedFileError: It has fewer.
    """
    left = size
    # Unbuffered and by name: the fastest way through many small files.
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123
        while left:
            piece = file.read(min(left, PIECE))
            if not piece:
                raise ChangedFileError(f"{path} became shorter while it was read")
            left -= len(piece)
            yield piece
    if padding := tar_header.padding(size):
        yield bytes(padding)


def joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in fewer pieces: small ones are put together, large ones pass as they are."""
    waiting: list[bytes] = []
    length = 0
    for piece in pieces:
        if length + len(piece) > GATHERED and waiting:
            yield b"".join(waiting)
            waiting.clear()
            length = 0
        if len(piece) >= GATHERED:
            yield piece
        else:
            waiting.append(piece)
            length += len(piece)
    if waiting:
        yield b"".join(waiting)


def _pieces(paths: Iterable[str], stamp: Stamp) -> Iterator[bytes]:
    written = 0
    for member, path in members(paths, stamp):
        block = tar_header.header(member, "posix")
        yield block
        written += len(block)
        if member.size:
            yield from content(path, member.size)
            written += member.size + tar_header.padding(member.size)
    yield tar_header.ending(written)


def _stamped(
    name: str, kind: bytes, mode: int, stamp: Stamp, *, size: int = 0, link: str = ""
) -> MemberHeader:
    owner = (stamp.mtime, stamp.uid, stamp.gid, stamp.uname, stamp.gname)
    return MemberHeader(name, kind, stat.S_IMODE(mode), size, *owner, link=link)


def _walk(path: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield a path and all that is below it, each directory before what is in it."""
    info = os.lstat(path)
    yield path, info
    if not stat.S_ISDIR(info.st_mode):
        return
    # A stack of listings instead of recursion: a store path may be nested as deep as it likes.
    stack = [_listing(path)]
    while stack:
        entry = next(stack[-1], None)
        if entry is None:
            stack.pop()
            continue
        info = entry.stat(follow_symlinks=False)
        yield entry.path, info
        if stat.S_ISDIR(info.st_mode):
            stack.append(_listing(entry.path))


def _listing(directory: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(directory) as entries:
        # Python compares text by code points, as the original does.
        return iter(sorted(entries, key=lambda entry: entry.name))
