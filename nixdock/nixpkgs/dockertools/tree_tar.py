"""The tar of a file tree that is to be laid over `/`: `./` names, in GNU tar's own format.

Byte for byte what GNU tar makes with `--sort=name --numeric-owner --hard-dereference` and a fixed time,
so a customisation layer has the same identity whoever packs it. Owners are what `lstat` says (under
fakeroot: what was asked for), unless one is given for all.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from . import layer_tar, tar_header
from .tar_header import EPOCH, MemberHeader

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


def members(
    root: str,
    *,
    owner: tuple[int, int] | None = None,
    mtime: int = EPOCH,
    without: Collection[str] = (),
) -> Iterator[tuple[MemberHeader, str]]:
    """Yield each member of the tree, with the file that has its content; sockets are left out.

    Args:
        root: The directory that is to be `./`.
        owner: User and group of everything, or None for those that the files have.
        mtime: The time of everything, in seconds since 1970.
        without: Names such as `./proc` to leave out, with what is below them.
    """
    excluded = frozenset(without)
    for name, path, info in _walk(".", root, os.lstat(root), excluded):
        kind = tar_header.KINDS.get(stat.S_IFMT(info.st_mode))
        if kind is None:
            continue
        uid, gid = owner if owner is not None else (info.st_uid, info.st_gid)
        is_device = kind in {tar_header.CHARACTER_DEVICE, tar_header.BLOCK_DEVICE}
        member = MemberHeader(
            name + "/" if kind == tar_header.DIRECTORY else name,
            kind,
            stat.S_IMODE(info.st_mode),
            info.st_size if kind == tar_header.FILE else 0,
            mtime,
            uid,
            gid,
            link=os.readlink(path) if kind == tar_header.SYMLINK else "",  # noqa: PTH115 - one for each file
            device=(os.major(info.st_rdev), os.minor(info.st_rdev)) if is_device else (0, 0),
        )
        yield member, path


def chunks(
    root: str,
    *,
    owner: tuple[int, int] | None = None,
    mtime: int = EPOCH,
    without: Collection[str] = (),
) -> Iterator[bytes]:
    """Yield the archive's bytes; the arguments are those of `members`."""
    return layer_tar.joined(_pieces(members(root, owner=owner, mtime=mtime, without=without)))


def _pieces(found: Iterator[tuple[MemberHeader, str]]) -> Iterator[bytes]:
    written = 0
    for member, path in found:
        block = tar_header.header(member, "gnu")
        yield block
        written += len(block)
        if member.size:
            yield from layer_tar.content(path, member.size)
            written += member.size + tar_header.padding(member.size)
    yield tar_header.ending(written)


def _walk(
    name: str,
    path: str,
    info: os.stat_result,
    excluded: frozenset[str],
) -> Iterator[tuple[str, str, os.stat_result]]:
    yield name, path, info
    if not stat.S_ISDIR(info.st_mode):
        return
    # GNU tar sorts by bytes.
    with os.scandir(path) as entries:
        children = sorted(entries, key=lambda entry: os.fsencode(entry.name))
    for child in children:
        below = f"{name}/{child.name}"
        if below not in excluded:
            yield from _walk(below, child.path, child.stat(follow_symlinks=False), excluded)
