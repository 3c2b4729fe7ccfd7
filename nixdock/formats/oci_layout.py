"""The OCI image layout: blobs by digest, and an index that says which of them are images.

OCI image specification, image-layout.md: `oci-layout` states the version, `index.json` is an image
index, `blobs/sha256/<hex>` are the blobs. It comes as a directory or as a tar. An index may lead to
further indexes, usually with one manifest for each platform.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import IO, TYPE_CHECKING, Any, Final, Protocol

from nixdock.errors import DamagedError, LoadError
from nixdock.formats.archive import IMAGES_LIMIT, JSON_LIMIT, Archive, Budget, parse_json
from nixdock.formats.compression import decompress
from nixdock.formats.docker_archive import MANIFEST, parse_tags, read_diff_ids, read_references
from nixdock.formats.source import FileBytes
from nixdock.image.detect import Codec
from nixdock.image.manifest import (
    CONFIG_TYPES,
    INDEX_TYPES,
    MANIFEST_TYPES,
    OCI_MANIFEST,
    Descriptor,
    Platform,
    layer_codec,
)
from nixdock.image.model import Blob, Image, Manifest, OpenerLayer
from nixdock.image.reference import Digest
from nixdock.text import clean_line

if TYPE_CHECKING:
    from pathlib import Path

    from nixdock.events import Listener
    from nixdock.formats.door import StoreDoor
LAYOUT: Final = "oci-layout"
INDEX: Final = "index.json"

CONTAINERD_NAME: Final = "io.containerd.image.name"
"""Annotation with a full reference, as Docker and containerd write it."""

REF_NAME: Final = "org.opencontainers.image.ref.name"
"""Annotation with a tag, or with a full reference: the specification leaves it open."""

_NESTED_INDEXES: Final = 4
_OFFERED: Final = 20
"""Platforms that are listed where the wanted one is not among them."""


class Layout(Protocol):
    """Where the files of a layout are: an archive or a directory."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def read(self, name: str, *, what: str) -> bytes:
        """Return a small file whole."""

    def locate(self, name: str, *, what: str) -> tuple[int, int]:
        """Return where a file stands (for reading files in a good order) and its size."""

    def open_file(self, name: str, *, what: str) -> IO[bytes]:
        """Open a stream of a file; the caller closes it."""


@dataclass(frozen=True, slots=True)
class DirectoryLayout:
    """A layout in a directory.

    Args:
        directory: The directory.
        door: Lets through what links in it name outside of it: a layout that Nix made may consist of them.
    """

    directory: Path
    door: StoreDoor

    @property
    def name(self) -> str:
        """What messages call it."""
        return str(self.directory)

    def read(self, name: str, *, what: str) -> bytes:
        """Return a small file whole."""
        file = self._file(name, what)
        if file.size > JSON_LIMIT:
            raise DamagedError(f"{self.name} is damaged: {what} {name!r} has {file.size} bytes")
        with file.section() as stream:
            return stream.read()

    def locate(self, name: str, *, what: str) -> tuple[int, int]:
        """Return a file's size; in a directory, every order is as good."""
        return 0, self._file(name, what).size

    def open_file(self, name: str, *, what: str) -> IO[bytes]:
        """Open a stream of a file; the caller closes it."""
        return self._file(name, what).section()

    def _file(self, name: str, what: str) -> FileBytes:
        path = self.directory / name
        if not path.is_file():
            raise DamagedError(f"{self.name} is not complete: {what} {name!r} is not in it")
        real = path.resolve()
        if not real.is_relative_to(self.directory.resolve()):
            (real,) = self.door.admit(f"the link {path}", files=[str(real)])
        return FileBytes(real)


@dataclass(frozen=True, slots=True)
class ArchiveLayout:
    """A layout in a tar."""

    archive: Archive

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.archive.name

    def read(self, name: str, *, what: str) -> bytes:
        """Return a small file whole."""
        return self.archive.read(name, what=what)

    def locate(self, name: str, *, what: str) -> tuple[int, int]:
        """Return where a file stands in the archive, and its size."""
        entry = self.archive.find(name, what=what)
        return entry.offset, entry.size

    def open_file(self, name: str, *, what: str) -> IO[bytes]:
        """Open a stream of a file; the caller closes it."""
        return self.archive.open(self.archive.find(name, what=what))


def read_images(layout: Layout, platform: Platform, listener: Listener) -> tuple[Image, ...]:
    """Return the images of a layout, one for each name; of several platforms the engine's.

    Args:
        layout: The directory or archive.
        platform: What the engine runs.
        listener: Told of names that no image can be given.

    Raises:
        LoadError: Something in it is missing, damaged, of an unknown type, or for other platforms only.
    """
    _check_version(layout)
    index = parse_json(layout.read(INDEX, what="the index"), name=layout.name, what=INDEX)
    budget = Budget(layout.name)
    found: dict[Digest, Image] = {}
    names: dict[Digest, list[str]] = {}
    for choices in _group(_children(layout, index, ())):
        budget.take("images", 1)
        chosen = _choose(layout, choices, platform, budget)
        digest = chosen.descriptor.digest
        if digest not in found:
            found[digest] = _read_image(layout, chosen, budget)
        # A bare tag, as `skopeo copy ... oci:directory:tag` writes it, names no image.
        if chosen.name is not None and any(mark in chosen.name for mark in ":/"):
            names.setdefault(digest, []).append(chosen.name)
    if not found:
        raise LoadError(f"{layout.name} holds no image: its {INDEX} lists none")
    images = [
        replace(image, references=parse_tags(names.get(digest, ()), layout.name, listener))
        for digest, image in found.items()
    ]
    return _name_from_manifest(layout, images, listener)


@dataclass(frozen=True, slots=True)
class _Node:
    """A descriptor in an index, and how it was reached."""

    descriptor: Descriptor
    platform: Platform | None
    name: str | None
    indexes: tuple[Digest, ...]


def _check_version(layout: Layout) -> None:
    stated = parse_json(layout.read(LAYOUT, what="the version"), name=layout.name, what=LAYOUT)
    version = stated.get("imageLayoutVersion") if isinstance(stated, dict) else None
    if not isinstance(version, str) or not version.startswith("1."):
        raise LoadError(
            f"{layout.name} is an OCI layout of version {version!r}, which nixdock does not know",
            hint="nixdock reads version 1",
        )


def _children(layout: Layout, index: Any, indexes: tuple[Digest, ...]) -> list[_Node]:  # noqa: ANN401  # JSON
    entries = index.get("manifests") if isinstance(index, dict) else None
    if not isinstance(entries, list):
        raise DamagedError(f"{layout.name} is damaged: an index in it has no list of manifests")
    if len(entries) > IMAGES_LIMIT:
        raise LoadError(f"{layout.name} is refused: an index in it lists {len(entries)} manifests")
    nodes = []
    for entry in entries:
        try:
            descriptor = Descriptor.from_json(entry)
        except ValueError as error:
            raise DamagedError(f"{layout.name} is damaged, in an index: {error}") from error
        annotations = entry.get("annotations")
        annotations = annotations if isinstance(annotations, dict) else {}
        # BuildKit's attestations stand in an index like images, for the platform "unknown/unknown".
        if annotations.get("vnd.docker.reference.type"):
            continue
        name = annotations.get(CONTAINERD_NAME) or annotations.get(REF_NAME)
        platform = Platform.from_json(entry.get("platform"))
        nodes.append(_Node(descriptor, platform, name if isinstance(name, str) else None, indexes))
    return nodes


def _group(nodes: list[_Node]) -> list[list[_Node]]:
    """Put together what stands for one image: manifests of one name (or none) for several platforms."""
    groups: list[list[_Node]] = []
    by_name: dict[str | None, list[_Node]] = {}
    for node in nodes:
        if node.platform is None or node.descriptor.media_type in INDEX_TYPES:
            groups.append([node])
        elif node.name in by_name:
            by_name[node.name].append(node)
        else:
            by_name[node.name] = [node]
            groups.append(by_name[node.name])
    return groups


def _choose(layout: Layout, nodes: list[_Node], platform: Platform, budget: Budget) -> _Node:
    """Return the manifest for the platform, indexes followed."""
    choices, offered = list(nodes), []
    for _ in range(_NESTED_INDEXES):
        fitting = [node for node in choices if node.platform is None or node.platform.runs_on(platform)]
        offered += [str(node.platform) for node in choices if node.platform is not None]
        # A sole manifest is the image, whatever it is for; the loader says when that is another platform.
        if not fitting and len(choices) == 1 and choices[0].descriptor.media_type not in INDEX_TYPES:
            fitting = choices
        if not fitting:
            others = sorted(set(offered))
            listed = ", ".join(others[:_OFFERED]) + (" …" if len(others) > _OFFERED else "")
            raise LoadError(f"{layout.name} has no image for {platform}, only for {clean_line(listed)}")
        best = max(fitting, key=partial(_rank, platform=platform))
        if best.descriptor.media_type not in INDEX_TYPES:
            return best
        data = _read_blob(layout, best.descriptor, "the index")
        budget.take("bytes of indexes", len(data))
        index = parse_json(data, name=layout.name, what=f"index {best.descriptor.digest}")
        reached = (*best.indexes, best.descriptor.digest)
        choices = [
            replace(child, name=child.name or best.name) for child in _children(layout, index, reached)
        ]
        if not choices:
            raise LoadError(f"{layout.name} holds no image: index {best.descriptor.digest} lists none")
    raise DamagedError(f"{layout.name} is damaged: its indexes lead from one to another without end")


def _rank(node: _Node, platform: Platform) -> tuple[bool, str]:
    """Order those that would run: the same platform is best, then the newest variant."""
    if node.platform is None:
        return False, ""
    return node.platform.full == platform.full, node.platform.full.variant


def _read_image(layout: Layout, node: _Node, budget: Budget) -> Image:
    descriptor = node.descriptor
    media_type = descriptor.media_type
    data = _read_blob(layout, descriptor, "the manifest")
    budget.take("bytes of configs", len(data))
    document = parse_json(data, name=layout.name, what=f"manifest {descriptor.digest}")
    if not isinstance(document, dict):
        raise DamagedError(f"{layout.name} is damaged: its manifest {descriptor.digest} is no JSON object")
    media_type = media_type or document.get("mediaType") or OCI_MANIFEST
    if not isinstance(media_type, str) or media_type not in MANIFEST_TYPES:
        raise LoadError(f"{layout.name} holds a {media_type!r}, which is no image")
    try:
        config = Descriptor.from_json(document.get("config"))
        entries = document.get("layers")
        entries = entries if isinstance(entries, list) else []
        budget.take_layers(len(entries))
        layers = [Descriptor.from_json(entry) for entry in entries]
    except ValueError as error:
        raise DamagedError(f"{layout.name} is damaged, in its manifest: {error}") from error
    if config.media_type not in CONFIG_TYPES:
        raise LoadError(f"{layout.name} holds no image: its config is a {config.media_type!r}")
    config_bytes = _read_blob(layout, config, "the config")
    budget.take("bytes of configs", len(config_bytes))
    parsed = parse_json(config_bytes, name=layout.name, what=f"config {config.digest}")
    diff_ids = read_diff_ids(parsed, layout.name)
    if len(diff_ids) != len(layers):
        raise DamagedError(
            f"{layout.name} is damaged: its manifest names {len(layers)} layers, its config {len(diff_ids)}"
        )
    return Image(
        config_bytes,
        tuple(_layer(layout, blob, diff_id) for blob, diff_id in zip(layers, diff_ids, strict=True)),
        manifest=Manifest(data, media_type, node.indexes),
    )


def _layer(layout: Layout, blob: Descriptor, diff_id: Digest) -> OpenerLayer:
    codec = layer_codec(blob.media_type)
    if codec is None:
        raise LoadError(f"{layout.name} has a layer of the unknown media type {blob.media_type!r}")
    path = _path(blob.digest)
    position, size = layout.locate(path, what="the layer")
    if size != blob.size:
        raise DamagedError(
            f"{layout.name} is damaged: its layer {blob.digest} has {size} bytes instead of {blob.size}"
        )
    open_blob = partial(layout.open_file, path, what="the layer")
    return OpenerLayer(
        diff_id,
        blob.size if codec is Codec.NONE else None,
        lambda: decompress(open_blob(), codec, f"the layer {blob.digest} of {layout.name}"),
        Blob(blob.media_type, blob.digest, blob.size, open_blob),
        position,
    )


def _read_blob(layout: Layout, descriptor: Descriptor, what: str) -> bytes:
    data = layout.read(_path(descriptor.digest), what=what)
    if len(data) != descriptor.size or Digest.of(data) != descriptor.digest:
        raise DamagedError(
            f"{layout.name} is damaged: {what} {descriptor.digest} has other content than its digest says"
        )
    return data


def _path(digest: Digest) -> str:
    return f"blobs/sha256/{digest.hex}"


def _name_from_manifest(layout: Layout, images: list[Image], listener: Listener) -> tuple[Image, ...]:
    """Take the names of images without one from the `manifest.json` that Docker writes beside."""
    if all(image.references for image in images):
        return tuple(images)
    if not isinstance(layout, ArchiveLayout) or MANIFEST not in layout.archive:
        return tuple(images)
    names = read_references(layout.archive, listener)
    return tuple(
        image if image.references else replace(image, references=names.get(image.config_digest, ()))
        for image in images
    )
