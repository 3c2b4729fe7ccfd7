"""Copying packages to what becomes `/` of an image.

As rsync does with `-ak`, or with `-aK` where links to folders are to be kept: contents of several folders
come together, permissions are those of the source, and of two files in the same place the later wins.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class RootTreeError(Exception):
    """Something cannot be copied to the root; the text says why in a sentence."""


class RootTree:
    """What becomes `/`.

    Args:
        root: The folder that is filled.
        keep_links: Whether a link to a folder stays one, in the source and in the root.
        tell: Is told of files that take the place of others.
    """

    def __init__(self, root: Path, *, keep_links: bool, tell: Callable[[str], None]) -> None:
        self._root = root
        self._keep_links = keep_links
        self._tell = tell
        self._origins: dict[Path, Path] = {}
        self._modes: dict[Path, int] = {}

    def add(self, source: Path) -> None:
        """Copy the contents of a folder to the root.

        Raises:
            RootTreeError: It is not a folder, or a file and a folder are in each other's way.
        """
        if not source.is_dir():
            raise RootTreeError(
                f"copyToRoot takes folders, whose contents become those of /, but {source} is "
                f"{'a file' if source.exists() else 'not there'}",
            )
        self._copy_folder(source, self._root)

    def finish(self) -> None:
        """Give the folders their permissions: until now all of them could be written to."""
        for folder in sorted(self._modes, reverse=True):
            if not folder.is_symlink():
                folder.chmod(self._modes[folder])

    def _copy_folder(self, source: Path, target: Path) -> None:
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
                self._copy_folder(path, place)
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
