"""What a file tree was like, and what of it is new: the layer that commands made of it.

Owners and permissions are those that fakeroot tells. A file that was written, moved or changed in any way
is new; folders are new if their owner or permissions are. What is gone is told as layers tell it: by an
empty file `.wh.<name>` in its place.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

WHITEOUT = ".wh."

Signature = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file tree at one moment.

    Args:
        root: Its folder.
        signatures: What tells each file from what it may become, by its place below the folder.
    """

    root: Path
    signatures: dict[str, Signature]

    @classmethod
    def take(cls, root: Path) -> Snapshot:
        """Look at a tree."""
        return cls(root, {place: _signature(info) for place, info in _walk(str(root), "")})

    def move_new(self, target: Path) -> None:
        """Move what has become new since then to another folder of the same file system.

        Folders above something new come with it, as they are now.
        """
        now = dict(_walk(str(self.root), ""))
        new = [place for place, info in now.items() if self.signatures.get(place) != _signature(info)]
        wanted = dict.fromkeys(new)
        for place in [*new, *self._gone(now)]:
            for parent in Path(place).parents:
                wanted[str(parent) if str(parent) != "." else ""] = None
        # Parents first: moving a folder would take along what is not new in it.
        for place in sorted(wanted, key=lambda place: place.split("/")):
            source, goal = self.root / place, target / place
            if not stat.S_ISDIR(now[place].st_mode) if place else False:
                source.rename(goal)
            else:
                _copy_folder(source, goal)
        for place in self._gone(now):
            gone = target / place
            (gone.parent / f"{WHITEOUT}{gone.name}").touch()

    def _gone(self, now: dict[str, os.stat_result]) -> list[str]:
        """Return what is there no longer, but not what was in it."""
        gone = []
        for place in self.signatures:
            parent = place.rpartition("/")[0]
            is_told_by_parent = parent and (parent not in now or not stat.S_ISDIR(now[parent].st_mode))
            if place not in now and not is_told_by_parent:
                gone.append(place)
        return gone


def _copy_folder(source: Path, target: Path) -> None:
    info = source.lstat()
    target.mkdir(exist_ok=True)
    os.chown(target, info.st_uid, info.st_gid)
    target.chmod(stat.S_IMODE(info.st_mode))


def _signature(info: os.stat_result) -> Signature:
    owner = (info.st_mode, info.st_uid, info.st_gid)
    if stat.S_ISDIR(info.st_mode):
        return owner
    return (*owner, info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino, info.st_rdev)


def _walk(root: str, place: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(f"{root}/{place}" if place else root) as entries:
        for entry in entries:
            below = f"{place}/{entry.name}" if place else entry.name
            info = entry.stat(follow_symlinks=False)
            yield below, info
            if stat.S_ISDIR(info.st_mode):
                yield from _walk(root, below)
