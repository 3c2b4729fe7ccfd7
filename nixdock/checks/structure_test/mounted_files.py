"""The files of a container with bind mounts: only the engine can tell what lies there."""

from __future__ import annotations

import posixpath
import tarfile
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from nixdock.checks.files.entry import LayerEntry
from nixdock.checks.structure_test.container_files import Fault, Files
from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.errors import EngineError
from nixdock.formats.source import open_chunks
from nixdock.outcome import Capture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nixdock.engine.containers.container import Container
    from nixdock.outcome import Output

_PIECE: Final = 1 << 16
_LINKS: Final = 40
_NOT_THERE: Final = frozenset((400, 404, 500))
"""Answers for a path that is not there, one that goes through a file, and links in a circle."""
_KINDS: Final = {tarfile.DIRTYPE: "directory", tarfile.SYMTYPE: "symlink", tarfile.LNKTYPE: "file"}


class MountedFiles(Files):
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
        for _ in range(_LINKS):
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
            # Closed for sure: an engine that is left with its response does not let go of the container.
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
