"""An image without the store paths that this machine has too, and what those are: to be mounted instead.

What is left is the configuration, the customisation layer and the layers of a base image. A layer that is
made of store paths (a streamed image's) goes without being read. Of any other, the headers of its tar say
what is in it, and a store path goes if this machine has the very same one: valid, and with the same files,
of the same sizes and permissions. What differs stays in the image, and so do links: an engine would mount
what a link leads to.

A mount hides what the image has below it. So nothing is taken out of an image that removes files of its
store, or lets others than root write to it.
"""

from __future__ import annotations

import json
import os
import posixpath
import stat
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from nixdock.errors import BuildError, LoadError
from nixdock.formats.compression import skip
from nixdock.formats.source import open_chunks
from nixdock.formats.tar_members import BLOCK, MemberAllowance, TarWalk
from nixdock.image.computed import ComputedImage, ComputedLayer
from nixdock.nix.store import find_invalid, store_dir, store_path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from nixdock.formats.tar_members import TarMember
    from nixdock.image.computed import StoreContent
    from nixdock.image.model import Image, Layer
    from nixdock.image.reference import Digest

_MEMBERS: Final = 2_000_000
_NAMES: Final = 256 << 20
_PIECE: Final = 1 << 18
_WHITEOUT: Final = ".wh."
_OTHERS_WRITE: Final = 0o022
_OWNER_WRITES: Final = 0o200
_END: Final = bytes(2 * BLOCK)
_ROOT: Final = (0, 0)


class StoreKeptError(LoadError):
    """No store path of an image can be mounted in its place; the sentence says why."""


@dataclass(frozen=True, slots=True)
class StorelessImage:
    """An image without store paths.

    Args:
        image: What is left of it: its configuration, and layers without those store paths.
        paths: The store paths that it lacks, sorted: to be mounted read-only, each at its own place.
    """

    image: ComputedImage
    paths: tuple[str, ...]


def strip_store(image: Image) -> StorelessImage:
    """Take the store paths out of an image that this machine has too.

    Nothing is written, no engine is asked, and no layer of a streamed image is read.

    Raises:
        StoreKeptError: There is none, or what the image says of its store no mount would keep.
        LoadError: The image cannot be read.
    """
    config = image.check_config().value
    layers = [_View(layer) for layer in image.layers]
    # What lies below the store paths of a streamed image is its base, which is loaded as it is.
    lowest = next((number for number, view in enumerate(layers) if view.made_of is not None), 0)
    room = MemberAllowance("the image", _MEMBERS, _NAMES)
    for view in sorted(layers[lowest:], key=lambda view: view.layer.position):
        if view.made_of is None:
            view.scan(room)
    taken = _choose(layers)
    stripped = [(number, view.without(taken)) for number, view in enumerate(layers)]
    kept = [(number, layer) for number, layer in stripped if layer is not None]
    numbers = tuple(number for number, _ in kept)
    made = ComputedImage(
        # An engine may want one layer at least.
        tuple(layer for _, layer in kept)
        or (ComputedLayer("an empty layer", len(_END), lambda: BytesIO(_END)),),
        image.references,
        image.architecture,
        partial(_describe, config, len(layers), numbers),
    )
    return StorelessImage(made, tuple(sorted(f"{store_dir()}/{name}" for name in taken)))


def _describe(config: dict[str, Any], count: int, kept: Sequence[int], diff_ids: tuple[Digest, ...]) -> bytes:
    """Write the config of an image that has these of its layers left."""
    told = config.get("history") or []
    layered = [entry for entry in told if not (entry or {}).get("empty_layer")]
    history = [layered[number] for number in kept] if len(layered) == count else []
    own = {key: value for key, value in config.items() if key not in {"history", "rootfs"}}
    rootfs = {"type": "layers", "diff_ids": [str(diff_id) for diff_id in diff_ids]}
    return json.dumps({**own, "rootfs": rootfs, "history": history}, sort_keys=True).encode()


def _choose(layers: Iterable[_View]) -> frozenset[str]:
    """Return the names of those store paths that are to be mounted."""
    layers = list(layers)
    owners = {view.made_of.owner for view in layers if view.made_of is not None and view.made_of.paths}
    others = owners - {_ROOT}
    if others:
        user, group = min(others)
        raise StoreKeptError(f"its store paths belong to {user}:{group}, and this machine's to root")
    whole = {
        posixpath.basename(path)
        for view in layers
        if view.made_of is not None
        for path in view.made_of.paths
        if not os.path.islink(path)  # noqa: PTH114 - one for each of many
    }
    found: dict[str, dict[str, TarMember]] = {}
    for view in layers:
        for name, members in view.found.items():
            found.setdefault(name, {}).update(members)
    # Written over in a layer above, and so another one there.
    whole -= found.keys()
    same = _find_same(found)
    needed = [target for view in layers for target in view.targets_outside(same)]
    while lost := {name for name in needed if name in same}:
        same -= lost
        needed = [target for view in layers for target in view.targets_outside(same)]
    taken = frozenset(whole | same)
    if not taken:
        raise StoreKeptError(
            "none of its store paths is the same on this machine" if found else "it has no store paths"
        )
    return taken


def _find_same(found: dict[str, dict[str, TarMember]]) -> set[str]:
    """Return which of an image's store paths this machine has with the very same files."""
    there = [path for path in (f"{store_dir()}/{name}" for name in found) if _is_there(path)]
    try:
        invalid = find_invalid(there) if there else frozenset()
    except BuildError:
        return set()
    return {
        posixpath.basename(path)
        for path in there
        if path not in invalid and _is_same(path, found[posixpath.basename(path)])
    }


def _is_there(path: str) -> bool:
    place = Path(path)
    try:
        return store_path_of(place) == place and not stat.S_ISLNK(place.lstat().st_mode)
    except (OSError, ValueError):
        return False


def _is_same(top: str, members: dict[str, TarMember]) -> bool:
    """Whether a store path's files are those of the image."""
    try:
        there = dict(_walk(top))
    except OSError:
        return False
    return there.keys() == members.keys() and all(
        _is_like(path, there[path], member) for path, member in members.items()
    )


def _walk(path: str) -> Iterator[tuple[str, os.stat_result]]:
    status = os.lstat(path)
    yield path, status
    waiting = [path] if stat.S_ISDIR(status.st_mode) else []
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                yield entry.path, status
                if stat.S_ISDIR(status.st_mode):
                    waiting.append(entry.path)


def _is_like(path: str, status: os.stat_result, member: TarMember) -> bool:
    if (member.uid, member.gid) != _ROOT:
        return False
    if member.kind == "symlink":
        return stat.S_ISLNK(status.st_mode) and os.readlink(path) == member.target  # noqa: PTH115
    if member.kind == "hardlink":
        return stat.S_ISREG(status.st_mode)
    # Root may write wherever it likes, so that says nothing.
    if (member.mode ^ stat.S_IMODE(status.st_mode)) & ~_OWNER_WRITES:
        return False
    if member.kind == "directory":
        return stat.S_ISDIR(status.st_mode)
    return member.kind == "file" and stat.S_ISREG(status.st_mode) and status.st_size == member.size


@dataclass(slots=True)
class _View:
    """What a layer has of the store.

    Args:
        layer: The layer.
        found: For each store path in its tar, by name, the members that it has of it, by their paths.
        spans: The members in order: of which store path each is, where it begins, and where it ends.
        links: Hard links: of which store path each is, and into which one it leads.
        is_only_store: Whether nothing else is in it than store paths, and what they are in.
    """

    layer: Layer
    found: dict[str, dict[str, TarMember]] = field(default_factory=dict)
    spans: list[tuple[str | None, int, int]] = field(default_factory=list)
    links: list[tuple[str | None, str]] = field(default_factory=list)
    is_only_store: bool = True

    @property
    def made_of(self) -> StoreContent | None:
        """What it is made of, where that is store paths alone."""
        return self.layer.store if isinstance(self.layer, ComputedLayer) else None

    def scan(self, room: MemberAllowance) -> None:
        """Read the headers of its tar."""
        name = self.layer.name
        with self.layer.open() as stream:
            begin = 0
            for member in TarWalk(stream, name, room):
                end = member.offset + member.size + -member.size % BLOCK
                self.spans.append((self._place(member), begin, end))
                begin = end

    def _place(self, member: TarMember) -> str | None:
        """Take note of a member, and return the name of the store path that it is of."""
        path = posixpath.normpath(f"/{member.name}").replace("//", "/")
        top = str(store_dir())
        ways = {"/", *(str(way) for way in store_dir().parents), top}
        if path in ways:
            if member.kind != "directory":
                raise StoreKeptError(f"its {path} is no directory")
            if path != "/" and ((member.uid, member.gid) != _ROOT or member.mode & _OTHERS_WRITE):
                raise StoreKeptError(f"others than root may write to its {path}")
            return None
        directory, _, base = path.rpartition("/")
        if base.startswith(_WHITEOUT) and (directory or "/") in ways:
            removed = f"{directory}/{base.removeprefix(_WHITEOUT)}"
            if directory == top or removed in ways or base.startswith(f"{_WHITEOUT}{_WHITEOUT}"):
                raise StoreKeptError(f"one of its layers removes files of {top}")
        name = _store_name(path)
        if member.kind == "hardlink":
            target = _store_name(posixpath.normpath(f"/{member.target}").replace("//", "/"))
            if target is not None and target != name:
                self.links.append((name, target))
        if name is None:
            self.is_only_store = False
            return None
        self.found.setdefault(name, {})[path] = member
        return name

    def targets_outside(self, taken: set[str]) -> Iterator[str]:
        """Yield the names of store paths that hard links lead into from what stays in the image."""
        yield from (target for name, target in self.links if name is None or name not in taken)

    def without(self, taken: frozenset[str]) -> Layer | None:
        """Return the layer without some store paths; None where nothing is left of it."""
        if self.made_of is not None:
            left = tuple(path for path in self.made_of.paths if posixpath.basename(path) not in taken)
            return self.made_of.layer_of(left) if left else None
        if taken.isdisjoint(self.found):
            return self.layer
        if self.is_only_store and taken.issuperset(self.found):
            return None
        kept = [(begin, end) for name, begin, end in self.spans if name is None or name not in taken]
        size = sum(end - begin for begin, end in kept) + len(_END)
        return ComputedLayer(
            self.layer.name, size, partial(_open_ranges, self.layer.open, kept, self.layer.name)
        )


def _store_name(path: str) -> str | None:
    top = f"{store_dir()}/"
    return path[len(top) :].partition("/")[0] if path.startswith(top) else None


def _open_ranges(opener: Callable[[], IO[bytes]], ranges: Sequence[tuple[int, int]], name: str) -> IO[bytes]:
    return open_chunks(_read_ranges(opener, ranges, name))


def _read_ranges(
    opener: Callable[[], IO[bytes]], ranges: Sequence[tuple[int, int]], name: str
) -> Iterator[bytes]:
    """Yield the members of a tar that stand in these ranges, and its end."""
    position = 0
    with opener() as stream:
        for begin, end in ranges:
            skip(stream, begin - position, name)
            position = begin
            while position < end:
                piece = stream.read(min(_PIECE, end - position))
                if not piece:
                    raise LoadError(f"{name} became shorter while it was read")
                position += len(piece)
                yield piece
    yield _END
