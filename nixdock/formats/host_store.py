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
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, Final

from nixdock.errors import LoadError
from nixdock.formats.compression import skip
from nixdock.formats.door import StoreDoor
from nixdock.formats.memory import Memory
from nixdock.formats.source import open_chunks
from nixdock.formats.store_view import ROOT, StoreKeptError, StoreView, find_same
from nixdock.formats.tar_members import BLOCK, MemberAllowance
from nixdock.image.computed import ComputedImage, ComputedLayer
from nixdock.image.reference import Digest
from nixdock.nix.store import store_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from nixdock.formats.tar_members import TarMember
    from nixdock.image.model import Image, Layer

_MEMBERS: Final = 2_000_000
_NAMES: Final = 256 << 20
_PIECE: Final = 1 << 18
_END: Final = bytes(2 * BLOCK)


@dataclass(frozen=True, slots=True)
class StorelessImage:
    """An image without store paths.

    Args:
        image: What is left of it: its configuration, and layers without those store paths.
        paths: The store paths that it lacks, sorted: to be mounted read-only, each at its own place.
    """

    image: ComputedImage
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Left:
    """What is left of a layer.

    Args:
        number: Which of the image's layers it is.
        layer: What is left of it.
        parts: The parts of its tar that are left; None where it is the whole.
    """

    number: int
    layer: Layer
    parts: tuple[tuple[int, int], ...] | None = None


def strip_store(image: Image, memory: Memory | None = None) -> StorelessImage:
    """Take the store paths out of an image that this machine has too.

    No engine is asked, and no layer of a streamed image is read. Of another one it is remembered what was
    found in it.

    Args:
        image: The image.
        memory: What is known from earlier; nixdock's own when None.

    Raises:
        StoreKeptError: There is none, or what the image says of its store no mount would keep.
        LoadError: The image cannot be read.
    """
    memory = memory or Memory()
    views = [StoreView(layer) for layer in image.layers]
    if any(view.made_of is not None for view in views):
        _scan(views)
        taken = _choose(views)
        left = [_Left(number, layer) for number, view in enumerate(views) if (layer := _strip(view, taken))]
        return _make(image, left, taken)
    known = _recall(image, memory)
    if known is not None:
        return known
    try:
        _scan(views)
        _check_any(views)
    except StoreKeptError as error:
        memory.keep_archive(image.config_digest, {"why": error.message})
        raise
    taken = _choose(views)
    left = []
    for number, view in enumerate(views):
        parts = view.parts_without(taken)
        if parts is None:
            left.append(_Left(number, view.layer))
        elif parts:
            cut = _cut(view.layer, parts, on_settled=lambda _: _remember(image, left, taken, memory))
            left.append(_Left(number, cut, parts))
    _remember(image, left, taken, memory)
    return _make(image, left, taken)


def _check_any(views: Iterable[StoreView]) -> None:
    if not any(view.found for view in views):
        raise StoreKeptError("it has no store paths")


def _scan(views: Sequence[StoreView]) -> None:
    """Read the headers of those layers that are not known to be made of store paths alone."""
    # What lies below the store paths of a streamed image is its base, which is loaded as it is.
    lowest = next((number for number, view in enumerate(views) if view.made_of is not None), 0)
    room = MemberAllowance("the image", _MEMBERS, _NAMES)
    for view in sorted(views[lowest:], key=lambda view: view.layer.position):
        if view.made_of is None:
            view.scan(room)


def _strip(view: StoreView, taken: frozenset[str]) -> Layer | None:
    """Return a layer without some store paths; None where nothing is left of it."""
    if view.made_of is not None:
        left = tuple(path for path in view.made_of.paths if posixpath.basename(path) not in taken)
        return view.made_of.layer_of(left) if left else None
    parts = view.parts_without(taken)
    if parts is None:
        return view.layer
    return _cut(view.layer, parts) if parts else None


def _make(image: Image, left: Sequence[_Left], taken: Iterable[str]) -> StorelessImage:
    # An engine may want one layer at least.
    empty = ComputedLayer("an empty layer", len(_END), lambda: BytesIO(_END))
    numbers = tuple(one.number for one in left)
    made = ComputedImage(
        tuple(one.layer for one in left) or (empty,),
        image.references,
        image.architecture,
        partial(_describe, image.check_config().value, len(image.layers), numbers),
    )
    return StorelessImage(made, tuple(sorted(f"{store_dir()}/{name}" for name in taken)))


def _remember(image: Image, left: Sequence[_Left], taken: frozenset[str], memory: Memory) -> None:
    """Remember what was found in an image, once all is known of what is left of it."""
    kept = [(one.number, one.parts, one.layer.known_diff_id) for one in left]
    if all(diff_id is not None for _, parts, diff_id in kept if parts is not None):
        layers = [[number, parts, parts and str(diff_id)] for number, parts, diff_id in kept]
        memory.keep_archive(image.config_digest, {"taken": sorted(taken), "layers": layers})


def _recall(image: Image, memory: Memory) -> StorelessImage | None:
    """Return what was found in an image, where this machine still has the store paths.

    Raises:
        StoreKeptError: It was found that none can be taken out.
    """
    if isinstance(image, ComputedImage):
        return None  # its config is known when its layers have been read
    known = memory.recall_archive(image.config_digest)
    if not isinstance(known, dict):
        return None
    if "why" in known:
        raise StoreKeptError(str(known["why"]))
    try:
        taken = [str(name) for name in known["taken"]]
        left = [_read_left(image, one, memory) for one in known["layers"]]
        StoreDoor(memory).admit("the image", trees=[f"{store_dir()}/{name}" for name in taken])
    except (TypeError, ValueError, LookupError, LoadError):
        return None  # written by another version, or a store path is gone
    return _make(image, left, taken)


def _read_left(image: Image, kept: Any, memory: Memory) -> _Left:  # noqa: ANN401 - remembered JSON
    number, parts, diff_id = kept
    layer = image.layers[number]
    if parts is None:
        return _Left(number, layer)
    read = tuple((int(begin), int(end)) for begin, end in parts)
    forget = partial(memory.keep_archive, image.config_digest, None)
    return _Left(number, _cut(layer, read, known=Digest.parse(diff_id), on_mismatch=forget), read)


def _cut(
    layer: Layer,
    parts: tuple[tuple[int, int], ...],
    *,
    known: Digest | None = None,
    on_settled: Callable[[Digest], None] | None = None,
    on_mismatch: Callable[[], None] | None = None,
) -> ComputedLayer:
    """Return the layer of some parts of a layer's tar."""
    size = sum(end - begin for begin, end in parts) + len(_END)
    opener = partial(_open_parts, layer.open, parts, layer.name)
    return ComputedLayer(
        layer.name, size, opener, known=known, on_settled=on_settled, on_mismatch=on_mismatch
    )


def _describe(config: dict[str, Any], count: int, kept: Sequence[int], diff_ids: tuple[Digest, ...]) -> bytes:
    """Write the config of an image that has these of its layers left."""
    told = config.get("history") or []
    layered = [entry for entry in told if not (entry or {}).get("empty_layer")]
    history = [layered[number] for number in kept] if len(layered) == count else []
    own = {key: value for key, value in config.items() if key not in {"history", "rootfs"}}
    rootfs = {"type": "layers", "diff_ids": [str(diff_id) for diff_id in diff_ids]}
    return json.dumps({**own, "rootfs": rootfs, "history": history}, sort_keys=True).encode()


def _choose(layers: Iterable[StoreView]) -> frozenset[str]:
    """Return the names of those store paths that are to be mounted."""
    layers = list(layers)
    owners = {view.made_of.owner for view in layers if view.made_of is not None and view.made_of.paths}
    others = owners - {ROOT}
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
    taken = whole | find_same(found)
    # A hard link that stays wants the file that it is.
    while lost := taken & _targets(layers, taken):
        taken -= lost
    if not taken:
        has_some = found or any(view.made_of is not None and view.made_of.paths for view in layers)
        raise StoreKeptError(
            "none of its store paths is the same on this machine" if has_some else "it has no store paths"
        )
    return frozenset(taken)


def _targets(layers: Iterable[StoreView], taken: set[str]) -> set[str]:
    return {target for view in layers for target in view.targets_outside(taken)}


def _open_parts(opener: Callable[[], IO[bytes]], parts: Sequence[tuple[int, int]], name: str) -> IO[bytes]:
    return open_chunks(_read_parts(opener, parts, name))


def _read_parts(
    opener: Callable[[], IO[bytes]], parts: Sequence[tuple[int, int]], name: str
) -> Iterator[bytes]:
    """Yield the members of a tar that stand in these parts, and its end."""
    position = 0
    with opener() as stream:
        for begin, end in parts:
            skip(stream, begin - position, name)
            position = begin
            while position < end:
                piece = stream.read(min(_PIECE, end - position))
                if not piece:
                    raise LoadError(f"{name} became shorter while it was read")
                position += len(piece)
                yield piece
    yield _END
