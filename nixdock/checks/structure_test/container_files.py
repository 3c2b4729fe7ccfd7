"""The files of an image as a container of it has them before its start.

The original asks the engine for files of a container that was created and not started. What such a
container has beyond its image is the engine's doing and always the same (moby/daemon/initlayer and
moby/container, observed with Docker 20.10): mount points for what the start will mount, in place of
whatever else is there; the directories of the volumes; the working directory. So no container is needed.
"""

from __future__ import annotations

import posixpath
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

from nixdock.checks.files.entry import LayerEntry, read_contents
from nixdock.checks.files.tree import LINK_LIMIT, TooManyLinksError, Tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nixdock.checks.subject import Subject
    from nixdock.outcome import Output

_DIRECTORIES = ("dev/pts", "dev/shm", "proc", "sys")
_FILES = (".dockerenv", "etc/resolv.conf", "etc/hosts", "etc/hostname", "dev/console")
_LINKS = {"etc/mtab": "/proc/mounts"}


class Fault(Enum):
    """Why there is nothing to look at under a path."""

    MISSING = auto()
    CIRCLE = auto()
    """It is a symbolic link that leads to itself."""
    SPECIAL = auto()
    """Its content was asked for, and it is a device, a FIFO or a socket."""
    DIRECTORY = auto()
    """Its content was asked for, and it is a directory."""


class Files(Protocol):
    """The files of a container."""

    def look_at(self, path: str) -> LayerEntry | Fault:
        """Return what stands under a path; a link at its end is not followed.

        Args:
            path: From the root, whether it begins with a slash or not.
        """

    def find_file(self, path: str) -> LayerEntry | Fault:
        """Return the file whose content is meant by a path; links are followed, in the container only."""

    def read(self, entry: LayerEntry) -> Output:
        """Return the content of a file."""

    def directories_in(self, path: str) -> tuple[str, ...] | Fault:
        """Return the names of the directories in a directory; links to directories are none."""


class ContainerFiles(Files):
    """The files of a container of an image.

    Args:
        subject: The image.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._tree = _prepare(subject.tree(), subject.run_config)

    def look_at(self, path: str) -> LayerEntry | Fault:
        """Return what stands under a path; a link at its end is not followed.

        The path is tidied up as text before links are followed, as engines do: `a/../b` is `b`.

        Args:
            path: From the root, whether it begins with a slash or not.
        """
        if not path:
            return Fault.MISSING
        directory, _, name = f"/{path}".rpartition("/")
        found = self._follow(posixpath.normpath(f"/{directory}"))
        if isinstance(found, Fault):
            return found
        if not found.is_directory:
            return Fault.MISSING
        if name in {"", "."}:
            return found
        if name == "..":
            return self._follow(posixpath.normpath(f"/{path}"))
        path = posixpath.join(found.absolute, name)
        return self._tree.find(path, follow=False) or Fault.MISSING

    def find_file(self, path: str) -> LayerEntry | Fault:
        """Return the file whose content is meant by a path; links are followed, in the container only."""
        entry = self.look_at(path)
        if isinstance(entry, LayerEntry) and entry.kind == "symlink":
            entry = self._follow(entry.absolute)
        if isinstance(entry, Fault) or entry.kind == "file":
            return entry
        return Fault.DIRECTORY if entry.is_directory else Fault.SPECIAL

    def read(self, entry: LayerEntry) -> Output:
        """Return the content of a file.

        Raises:
            LoadError: The image's layers cannot be read.
        """
        if entry.offset < 0:
            return b""
        found: list[Output] = []
        read_contents(self._subject.layers, [entry], lambda _entry, content: found.append(content.output))
        return found[0]

    def directories_in(self, path: str) -> tuple[str, ...] | Fault:
        """Return the names of the directories in a directory; links to directories are none."""
        entry = self.look_at(path)
        if isinstance(entry, LayerEntry) and entry.kind == "symlink":
            entry = self._follow(entry.absolute)
        if isinstance(entry, Fault):
            return entry
        if not entry.is_directory:
            return ()
        below = (self._tree.entries[posixpath.join(entry.path, name)] for name in self._tree.list(entry))
        return tuple(posixpath.basename(inner.path) for inner in below if inner.is_directory)

    def _follow(self, path: str) -> LayerEntry | Fault:
        try:
            return self._tree.find(path) or Fault.MISSING
        except TooManyLinksError:
            return Fault.CIRCLE


def _prepare(tree: Tree, config: Mapping[str, object]) -> Tree:
    """Add what the engine adds when it creates a container."""
    laid = _Overlay(tree)
    for path in _DIRECTORIES:
        laid.force(path, _directory(path))
    for path in _FILES:
        laid.force(path, LayerEntry(path, "file", 0o755, 0, 0, 0, -1, "", 0))
    for path, target in _LINKS.items():
        laid.force(path, LayerEntry(path, "symlink", 0o777, 0, 0, 0, -1, target, 0))
    volumes = config.get("Volumes")
    for path in volumes if isinstance(volumes, dict) else ():
        laid.ensure(str(path))
    laid.ensure(str(config.get("WorkingDir") or "/"))
    return laid.tree


def _directory(path: str) -> LayerEntry:
    return LayerEntry(path, "directory", 0o755, 0, 0, 0, -1, "", 0)


class _Overlay:
    """A tree with more in it; the tree below stays as it is."""

    def __init__(self, below: Tree) -> None:
        self._entries = dict(below.entries)
        self._names = dict(below.names)
        self.tree = Tree(self._entries, self._names)

    def force(self, path: str, last: LayerEntry) -> None:
        """Put something under a path, and directories above it, instead of all that is no directory."""
        parts = path.split("/")
        for length in range(1, len(parts)):
            above = "/".join(parts[:length])
            found = self._entries.get(above)
            if found is None or not found.is_directory:
                self._put(_directory(above))
        found = self._entries.get(path)
        if found is None or not found.is_directory:
            self._put(last)

    def ensure(self, path: str) -> None:
        """Make a directory, and those above it, where there is nothing; links are followed."""
        here = ""
        pending = self._split(posixpath.normpath(f"/{path}"))
        followed = 0
        while pending:
            name = pending.pop()
            if name == "..":
                here = posixpath.dirname(here)
                continue
            inner = posixpath.join(here, name)
            found = self._entries.get(inner)
            if found is None:
                self._put(_directory(inner))
            elif found.kind == "symlink":
                followed += 1
                if followed > LINK_LIMIT:
                    return
                here = "" if found.target.startswith("/") else here
                pending += self._split(found.target)
                continue
            elif not found.is_directory:
                return
            here = inner

    def _put(self, entry: LayerEntry) -> None:
        directory, name = posixpath.split(entry.path)
        self._entries[entry.path] = entry
        self._names[directory] = {*self._names.get(directory, ()), name}
        if entry.is_directory:
            self._names.setdefault(entry.path, set())

    @staticmethod
    def _split(path: str) -> list[str]:
        return [part for part in reversed(path.split("/")) if part not in {"", "."}]
