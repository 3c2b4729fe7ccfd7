"""The members of a layer's tar as entries: every header once, contents only where they are asked for."""

from __future__ import annotations

import posixpath
from typing import IO, TYPE_CHECKING, Protocol

from nixdock.checks.files.entry import LayerEntry
from nixdock.errors import LoadError
from nixdock.formats.tar_members import Room, TarWalk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nixdock.formats.tar_members import TarMember

_PIECE = 1 << 20
MEMBER_LIMIT = 2_000_000
"""Members that an image's layers may have: of each some 600 bytes are held."""
NAMES_LIMIT = 256 << 20
"""Characters that their paths and the targets of links may have together."""


class Inspector(Protocol):
    """Looks at the contents of files while a layer is read."""

    def begin(self, entry: LayerEntry) -> None:
        """Hear that the content of a file follows."""

    def feed(self, data: bytes) -> None:
        """Take the next piece of it."""

    def end(self) -> None:
        """Hear that it is complete."""


def read_entries(stream: IO[bytes], name: str, inspector: Inspector | None = None) -> Iterator[LayerEntry]:
    """Yield the members of a layer's tar.

    Without an inspector contents are skipped, by seeking where the stream can.

    Args:
        stream: The uncompressed tar, at its beginning.
        name: What messages call it.
        inspector: Shown the content of every file.

    Raises:
        LoadError: It is not a tar, or it is cut short.
    """
    walk = TarWalk(stream, name, make_room(name))
    for member in walk:
        if member.kind == "other":
            raise LoadError(f"{name} has a member of a kind that no image has: {member.name!r}")
        entry = _entry(member)
        yield entry
        if inspector is not None and entry.kind == "file":
            inspector.begin(entry)
            while data := walk.read(_PIECE):
                inspector.feed(data)
            inspector.end()


def clean_path(name: str) -> str:
    """Return a member's name as a path from the root; `..` cannot lead out of it."""
    return posixpath.normpath("/" + name.rstrip("/")).lstrip("/")


def make_room(name: str) -> Room:
    """Return what may be held of layers at once, which messages call by this name."""
    return Room(name, MEMBER_LIMIT, NAMES_LIMIT)


def _entry(member: TarMember) -> LayerEntry:
    name, kind, size, offset, target, mode, uid, gid, mtime, device = member
    if kind == "hardlink":
        target = clean_path(target)
    # To the kernel's overlay file system, on which all engines put it, such a device removes a path.
    is_whiteout = kind == "character" and device == (0, 0)
    return LayerEntry(
        clean_path(name),
        "whiteout" if is_whiteout else kind,
        # Linux gives every symbolic link this mode (symlink(7)).
        0o777 if kind == "symlink" else mode,
        uid,
        gid,
        size,
        offset if kind == "file" else -1,
        target,
        mtime,
    )
