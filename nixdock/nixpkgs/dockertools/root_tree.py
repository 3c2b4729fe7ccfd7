"""What becomes `/` of an image: packages that are copied to it, and what commands change.

As rsync does with `-ak`, or with `-aK` where links to folders are to be kept: contents of several folders
come together, permissions are those of the source, and of two files in the same place the later wins.

What commands make of it is told from what it was: owners and permissions are those that fakeroot tells. A
file that was written, moved or changed in any way is new; folders are new if their owner or permissions are.
What is gone is told as layers tell it: by an empty file `.wh.<name>` in its place.
"""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WHITEOUT = ".wh."

Signature = tuple[int | str, ...]


class RootTreeError(Exception):
    """Something cannot be copied to the root; the text says why in a sentence."""


class RootTree:
    """What becomes `/`.

    Args:
        root: The directory that is filled.
        keep_links: Whether a link to a directory stays one, in the source and in the root.
        tell: Is told of files that take the place of others.
    """

    def __init__(self, root: Path, *, keep_links: bool, tell: Callable[[str], None]) -> None:
        self._root = root
        self._keep_links = keep_links
        self._tell = tell
        self._origins: dict[Path, Path] = {}
        self._modes: dict[Path, int] = {}

    def add(self, source: Path) -> None:
        """Copy the contents of a directory to the root.

        Raises:
            RootTreeError: It is not a directory, or a file and a directory are in each other's way.
        """
        if not source.is_dir():
            raise RootTreeError(
                f"copyToRoot takes folders, whose contents become those of /, but {source} is "
                f"{'a file' if source.exists() else 'not there'}",
            )
        self._copy_directory(source, self._root)

    def finish(self) -> None:
        """Give the directories their permissions: until now all of them could be written to."""
        for directory in sorted(self._modes, reverse=True):
            if not directory.is_symlink():
                directory.chmod(self._modes[directory])

    def _copy_directory(self, source: Path, target: Path) -> None:
        if target.is_symlink() and not (self._keep_links and target.is_dir()):
            target.unlink()
        if target.is_symlink():
            target = self._behind(target, source)
        elif not target.exists():
            target.mkdir()
        elif not target.is_dir():
            raise RootTreeError(
                f"{source} is a folder, but {self._origins.get(target, target)} is a file in its place"
            )
        self._modes[target] = stat.S_IMODE(source.stat().st_mode)
        target.chmod(0o755)
        for entry in sorted(os.scandir(source), key=lambda entry: entry.name):
            path, place = Path(entry.path), target / entry.name
            if entry.is_dir(follow_symlinks=not self._keep_links):
                self._copy_directory(path, place)
            else:
                self._copy_file(path, place)

    def _copy_file(self, source: Path, target: Path) -> None:
        if target.is_dir() and not target.is_symlink():
            raise RootTreeError(f"{source} is a file, but another content has a folder in its place")
        if os.path.lexists(target):
            self._tell(
                f"{source} takes the place of {self._origins.get(target, target)}: the last content wins"
            )
            target.unlink()
        self._origins[target] = source
        if source.is_symlink():
            target.symlink_to(source.readlink())
        else:
            shutil.copyfile(source, target)
            target.chmod(stat.S_IMODE(source.stat().st_mode))

    def _behind(self, link: Path, source: Path) -> Path:
        goal = link.resolve()
        if not goal.is_relative_to(self._root.resolve()):
            raise RootTreeError(
                f"{source} cannot be copied to where {self._origins.get(link, link)} is a link to {goal}; "
                "with keepContentsDirlinks = false it becomes a folder",
            )
        return goal


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file tree at one moment.

    Args:
        root: Its directory.
        signatures: What tells each file from what it may become, by its place below the directory.
    """

    root: Path
    signatures: dict[str, Signature]

    @classmethod
    def take(cls, root: Path) -> Snapshot:
        """Look at a tree."""
        return cls(root, {place: _signature(info) for place, info in _walk(str(root), "")})

    def move_new(self, target: Path) -> None:
        """Move what has become new since then to another directory of the same file system.

        Directories above something new come with it, as they are now.
        """
        now = dict(_walk(str(self.root), ""))
        new = [place for place, info in now.items() if self.signatures.get(place) != _signature(info)]
        wanted = dict.fromkeys(new)
        for place in [*new, *self._gone(now)]:
            for parent in Path(place).parents:
                wanted[str(parent) if str(parent) != "." else ""] = None
        # Parents first: moving a directory would take along what is not new in it.
        for place in sorted(wanted, key=lambda place: place.split("/")):
            source, goal = self.root / place, target / place
            if not stat.S_ISDIR(now[place].st_mode) if place else False:
                source.rename(goal)
            else:
                _copy_directory(source, goal)
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


def _copy_directory(source: Path, target: Path) -> None:
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
