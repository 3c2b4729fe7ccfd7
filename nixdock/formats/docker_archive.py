"""The docker-archive: what `docker save` writes, `docker load` reads, and dockerTools builds.

A tar with `manifest.json`, a list of images: each names its config (`Config`), its layers bottom
first (`Layers`, files in the tar) and its references (`RepoTags`). The order of the members is free.
A layer may be compressed and may be a link to another one. Written down nowhere but in moby's code
(image/tarexport); the OCI image specification's image-layout is its successor.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING, Any, Final

from nixdock.errors import LoadError
from nixdock.formats.archive import parse_json
from nixdock.formats.compression import decompress
from nixdock.image.digest import Digest
from nixdock.image.manifest import Codec
from nixdock.image.model import Image, OpenerLayer
from nixdock.image.reference import Reference

if TYPE_CHECKING:
    from nixdock.formats.archive import Archive, Entry

MANIFEST: Final = "manifest.json"


def read_images(archive: Archive) -> tuple[Image, ...]:
    """Return the images of a docker-archive, in the order of its manifest.

    Raises:
        LoadError: Its manifest, a config or a layer is missing or not what it should be.
    """
    return tuple(_read_image(archive, document) for document in read_documents(archive))


def read_documents(archive: Archive) -> tuple[Document, ...]:
    """Return what a docker-archive's manifest says of each image.

    Raises:
        LoadError: The manifest is missing or not what it should be.
    """
    values = parse_json(archive.read(MANIFEST, what="the manifest"), name=archive.name, what=MANIFEST)
    if not isinstance(values, list) or not values:
        raise LoadError(f"{archive.name} is damaged: its {MANIFEST} lists no image")
    return tuple(Document.from_json(value, archive.name) for value in values)


def read_references(archive: Archive) -> dict[Digest, tuple[Reference, ...]]:
    """Return the references that a docker-archive's manifest gives its images, by config digest."""
    return {image.config_digest: image.references for image in read_images(archive)}


@dataclass(frozen=True, slots=True)
class Document:
    """One element of `manifest.json`.

    Args:
        config: The member that is the config.
        layers: The members that are the layers, bottom first.
        tags: References, as written.
    """

    config: str
    layers: tuple[str, ...]
    tags: tuple[str, ...]

    @classmethod
    def from_json(cls, value: Any, archive: str) -> Document:  # noqa: ANN401  # JSON of unknown shape
        """Read an element.

        Raises:
            LoadError: It is not what it should be.
        """
        if not isinstance(value, dict):
            raise LoadError(f"{archive} is damaged: an image in its {MANIFEST} is no JSON object")
        config, layers, tags = value.get("Config"), value.get("Layers"), value.get("RepoTags")
        if not isinstance(config, str):
            raise LoadError(f"{archive} is damaged: an image in its {MANIFEST} has no Config")
        return cls(config, _strings(layers, "Layers", archive), _strings(tags, "RepoTags", archive))


def _strings(value: Any, key: str, archive: str) -> tuple[str, ...]:  # noqa: ANN401  # JSON of unknown shape
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise LoadError(f"{archive} is damaged: {key} in its {MANIFEST} is no list of strings")
    return tuple(value)


def _read_image(archive: Archive, document: Document) -> Image:
    config_bytes = archive.read(document.config, what="the config")
    config = parse_json(config_bytes, name=archive.name, what=f"config {document.config!r}")
    diff_ids = read_diff_ids(config, archive.name)
    if len(diff_ids) != len(document.layers):
        raise LoadError(
            f"{archive.name} is damaged: its {MANIFEST} names {len(document.layers)} layers, "
            f"and the config {document.config!r} has {len(diff_ids)}"
        )
    layers = tuple(
        _layer(archive, archive.find(name, what="the layer"), diff_id, name)
        for name, diff_id in zip(document.layers, diff_ids, strict=True)
    )
    return Image(config_bytes, layers, parse_tags(document.tags, archive.name))


def read_diff_ids(config: Any, archive: str) -> tuple[Digest, ...]:  # noqa: ANN401  # JSON of unknown shape
    """Return the diff IDs of an image's config, checked for what the engine and nixdock rely on.

    Args:
        config: The parsed config.
        archive: What messages call the artefact.

    Raises:
        LoadError: It is no image's config.
    """
    if not isinstance(config, dict):
        raise LoadError(f"{archive} is damaged: an image's config is no JSON object")
    rootfs = config.get("rootfs")
    diff_ids = (rootfs.get("diff_ids") or []) if isinstance(rootfs, dict) else None
    if not isinstance(diff_ids, list):
        raise LoadError(f"{archive} is damaged: an image's config has no rootfs.diff_ids")
    try:
        return tuple(Digest.parse(str(diff_id)) for diff_id in diff_ids)
    except ValueError as error:
        raise LoadError(f"{archive} is damaged: a diff ID in an image's config is {error}") from error


def parse_tags(tags: tuple[str, ...], archive: str) -> tuple[Reference, ...]:
    """Read the references of an artefact, each once.

    Raises:
        LoadError: One breaks the rules; no engine would take it.
    """
    try:
        return tuple(dict.fromkeys(Reference.parse(tag) for tag in tags))
    except ValueError as error:
        raise LoadError(
            f"{archive} names its image wrongly: {error}", hint="change name or tag and build it again"
        ) from error


def _layer(archive: Archive, entry: Entry, diff_id: Digest, name: str) -> OpenerLayer:
    size = entry.size if entry.codec is Codec.NONE else None
    return OpenerLayer(diff_id, size, partial(_open_layer, archive, entry, name), position=entry.offset)


def _open_layer(archive: Archive, entry: Entry, name: str) -> IO[bytes]:
    return decompress(archive.open(entry), entry.codec, f"the layer {name!r} of {archive.name}")
