"""The files of an image as a container of it has them before its start, and those of one with mounts.

The original asks the engine for files of a container that was created and not started. What such a
container has beyond its image is the engine's doing and always the same (moby/daemon/initlayer and
moby/container, observed with Docker 20.10): mount points for what the start will mount, in place of
whatever else is there; the directories of the volumes; the working directory. So no container is needed.
Only what lies in mounts the engine alone can tell.
"""

from __future__ import annotations

import posixpath
import tarfile
from contextlib import ExitStack, contextmanager
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from nixdock.checks.files.entry import LayerEntry, read_contents
from nixdock.checks.files.tree import LINK_LIMIT, TooManyLinksError, Tree
from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.errors import EngineError
from nixdock.formats.source import open_chunks
from nixdock.outcome import Capture

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nixdock.checks.subject import Subject
    from nixdock.engine.containers.container import Container
    from nixdock.outcome import Output

_DIRECTORIES = ("dev/pts", "dev/shm", "proc", "sys")
_FILES = (".dockerenv", "etc/resolv.conf", "etc/hosts", "etc/hostname", "dev/console")
_LINKS = {"etc/mtab": "/proc/mounts"}

_PIECE: Final = 1 << 16
_NOT_THERE: Final = frozenset((400, 404, 500))
"""Answers for a path that is not there, one that goes through a file, and links in a circle."""
_KINDS: Final = {tarfile.DIRTYPE: "directory", tarfile.SYMTYPE: "symlink", tarfile.LNKTYPE: "file"}


class Fault(Enum):
    """Why there is nothing to look at under a path."""

    MISSING = auto()
    CIRCLE = auto()
    """It is a symbolic link that leads to itself."""
    SPECIAL = auto()
    """Its content was asked for, and it is a device, a FIFO or a socket."""
    DIRECTORY = auto()
    """Its content was asked for, and it is a directory."""


class ContainerFiles:
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


class MountedFiles:
    """The files of a container as the engine hands them out, one path at a time.

    Args:
        container: Created, and not started.
    """

    def __init__(self, container: Container) -> None:
        self._container = container

    def look_at(self, path: str) -> LayerEntry | Fault:
        """Return what stands under a path; a link at its end is not followed."""
        if not path:
            return Fault.MISSING
        if posixpath.basename(path) == "..":
            path = posixpath.normpath(f"/{path}")
        with self._archive(path) as archive:
            if archive is None:
                return Fault.MISSING
            member = archive.next()
            if member is None:
                return Fault.SPECIAL
            kind = "file" if member.isreg() else _KINDS.get(member.type)
            if kind is None:
                return Fault.SPECIAL
            return LayerEntry(
                path=path,
                kind=kind,
                mode=member.mode & 0o7777,
                uid=member.uid,
                gid=member.gid,
                size=member.size,
                offset=-1,
                target=member.linkname,
                mtime=int(member.mtime),
            )

    def find_file(self, path: str) -> LayerEntry | Fault:
        """Return the file whose content is meant by a path."""
        for _ in range(LINK_LIMIT):
            found = self.look_at(path)
            if isinstance(found, Fault) or found.kind == "file":
                return found
            if found.is_directory:
                return Fault.DIRECTORY
            path = posixpath.join(posixpath.dirname(f"/{path}"), found.target)
        return Fault.CIRCLE

    def read(self, entry: LayerEntry) -> Output:
        """Return the content of a file.

        Raises:
            EngineError: It is not there any more.
        """
        with self._archive(entry.path) as archive, Capture() as content:
            member = archive.next() if archive is not None else None
            stream = archive.extractfile(member) if archive is not None and member is not None else None
            if stream is None:
                raise EngineError(f"{entry.path} went away while it was looked at")
            while piece := stream.read(_PIECE):
                content.write(piece)
            return content.output

    def directories_in(self, path: str) -> tuple[str, ...] | Fault:
        """Return the names of the directories in a directory."""
        with self._archive(path) as archive:
            if archive is None:
                return Fault.MISSING
            # The directory itself comes first, then what is in it, each with a path of two parts.
            inner = (member.name.strip("/").split("/") for member in archive if member.isdir())
            return tuple(parts[1] for parts in inner if len(parts) == 2)

    @contextmanager
    def _archive(self, path: str) -> Iterator[tarfile.TarFile | None]:
        """Have the engine pack a path; None where there is no such path."""
        with ExitStack() as stack:
            # Closed for sure: an engine that has not got rid of its response keeps the container.
            pieces = self._container.engine.get_archive(self._container.id, path)
            stream = stack.enter_context(open_chunks(pieces))
            try:
                archive = stack.enter_context(tarfile.open(fileobj=stream, mode="r|"))
            except EngineRefusedError as error:
                if error.status not in _NOT_THERE:
                    raise
                yield None
                return
            yield archive


Files = ContainerFiles | MountedFiles
"""The files of a container, wherever it is known from what they are."""
