"""Layers on top of each other: which file is seen in the end, and where its bytes are.

A layer's `.wh.<name>` hides what those below it have there, and `.wh..wh..opq` hides all that they have in
its directory. A directory stays where a later layer names it again; anything else replaces what was there.
"""

from __future__ import annotations

import os
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .base_image import BaseImageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from .base_image import BaseLayer

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it is seen: what its layer says of it, and the layer."""

    member: tarfile.TarInfo
    layer: BaseLayer

    def chunks(self) -> Iterator[bytes]:
        """Yield its content."""
        return self.layer.slice(self.member.offset_data, self.member.size)


def flatten(layers: Iterable[BaseLayer]) -> dict[str, Seen]:
    """Return every file that is seen through all layers, by its place below `/`; parents come first.

    Hard links are given as the files that they are links to.

    Args:
        layers: Bottom first; of a repeated one only the last counts.

    Raises:
        BaseImageError: A layer is not an archive, or names something outside of the root.
    """
    ordered = list(layers)
    last = {layer.digest: index for index, layer in enumerate(ordered)}
    seen: dict[str, Seen] = {}
    for index, layer in enumerate(ordered):
        if last[layer.digest] == index:
            _apply(layer, seen)
    return dict(sorted(seen.items(), key=lambda item: item[0].split("/")))


def _apply(layer: BaseLayer, seen: dict[str, Seen]) -> None:
    own: dict[str, Seen] = {}
    try:
        with layer.open_tar() as archive:
            for member in archive:
                place = _place(member.name, layer)
                directory, _, name = place.rpartition("/")
                if name == OPAQUE:
                    _hide(seen, directory, keep_directory=True)
                elif name.startswith(WHITEOUT):
                    _hide(seen, f"{directory}/{name[len(WHITEOUT) :]}".strip("/"), keep_directory=False)
                elif place:
                    own[place] = _resolved(member, own, seen, layer)
    except tarfile.TarError as error:
        raise BaseImageError(f"the layer {layer.name} is not an archive: {error}") from error
    for place, file in own.items():
        if place in seen and not (file.member.isdir() and seen[place].member.isdir()):
            _hide(seen, place, keep_directory=False)
        seen[place] = file


def _place(name: str, layer: BaseLayer) -> str:
    place = os.path.normpath("/" + name).lstrip("/")
    if ".." in name.split("/"):
        raise BaseImageError(f"the layer {layer.name} names {name}, which is outside of its root")
    return "" if place == "." else place


def _resolved(
    member: tarfile.TarInfo,
    own: dict[str, Seen],
    seen: dict[str, Seen],
    layer: BaseLayer,
) -> Seen:
    """Return a file, or the one that a hard link leads to: that may be in a layer below."""
    if not member.islnk():
        return Seen(member, layer)
    target = _place(member.linkname, layer)
    found = own.get(target) or seen.get(target)
    if found is None:
        raise BaseImageError(f"the layer {layer.name} has a link to {target}, which is not there")
    return found


def _hide(seen: dict[str, Seen], place: str, *, keep_directory: bool) -> None:
    below = f"{place}/" if place else ""
    for known in [known for known in seen if known.startswith(below)]:
        del seen[known]
    if not keep_directory:
        seen.pop(place, None)


def unpack(seen: dict[str, Seen], root: Path) -> None:
    """Make the files of a stack below a directory, with their owners: this process must run under fakeroot.

    Args:
        seen: What `flatten` gave.
        root: The directory; it is empty.
    """
    made: dict[int, Path] = {}
    for place, file in seen.items():
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        _make(path, file, made)
        os.chown(path, file.member.uid, file.member.gid, follow_symlinks=False)
        if not file.member.issym():
            path.chmod(file.member.mode)
            os.utime(path, (file.member.mtime, file.member.mtime))


def _make(path: Path, file: Seen, made: dict[int, Path]) -> None:
    member = file.member
    if member.isdir():
        path.mkdir(exist_ok=True)
    elif member.issym():
        path.symlink_to(member.linkname)
    elif member.isreg():
        if id(member) in made:
            path.hardlink_to(made[id(member)])
            return
        made[id(member)] = path
        with path.open("wb") as out:
            for chunk in file.chunks():
                out.write(chunk)
    elif member.isfifo():
        os.mkfifo(path)
    elif member.isdev():
        kind = 0o020000 if member.ischr() else 0o060000
        os.mknod(path, kind | member.mode, os.makedev(member.devmajor, member.devminor))
