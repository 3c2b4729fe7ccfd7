"""The docker-archive: what `docker save` writes, `docker load` reads, and dockerTools builds.

A tar with `manifest.json`, a list of images: each names its config (`Config`), its layers bottom
first (`Layers`, files in the tar) and its references (`RepoTags`). The order of the members is free.
A layer may be compressed and may be a link to another one. Written down nowhere but in moby's code
(image/tarexport); the OCI image specification's image-layout is its successor.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, partial
from typing import IO, TYPE_CHECKING, Any, Final

from nixdock.errors import DamagedError, LoadError
from nixdock.events import Warned, ignore
from nixdock.formats.archive import Budget, check_layers, parse_json
from nixdock.formats.compression import decompress
from nixdock.image.detect import Codec
from nixdock.image.model import Image, OpenerLayer
from nixdock.image.reference import Digest, Reference

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nixdock.events import Listener
    from nixdock.formats.archive import Archive, ArchiveFile

MANIFEST: Final = "manifest.json"


def read_images(archive: Archive, listener: Listener = ignore) -> tuple[Image, ...]:
    """Return the images of a docker-archive, in the order of its manifest; each once, with all its names.

    Args:
        archive: The archive.
        listener: Told of names that no image can be given.

    Raises:
        LoadError: Its manifest, a config or a layer is missing or not what it should be.
    """
    budget = Budget(archive.name)
    names: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for document in read_documents(archive):
        names.setdefault((document.config, document.layers), []).extend(document.tags)
        budget.take("names", len(document.tags))
    budget.take("images", len(names))
    for _, layers in names:
        budget.take_layers(len(layers))
    # Several images may have one config.
    read = cache(partial(_read_config, archive, budget))
    return tuple(
        _make_image(archive, config, read(config), layers, parse_tags(tags, archive.name, listener))
        for (config, layers), tags in names.items()
    )


def read_documents(archive: Archive) -> tuple[ManifestEntry, ...]:
    """Return what a docker-archive's manifest says of each image.

    Raises:
        LoadError: The manifest is missing or not what it should be.
    """
    values = parse_json(archive.read(MANIFEST, what="the manifest"), name=archive.name, what=MANIFEST)
    if not isinstance(values, list) or not values:
        raise DamagedError(f"{archive.name} is damaged: its {MANIFEST} lists no image")
    return tuple(ManifestEntry.from_json(value, archive.name) for value in values)


def read_references(archive: Archive, listener: Listener) -> dict[Digest, tuple[Reference, ...]]:
    """Return the references that a docker-archive's manifest gives its images, by config digest."""
    return {image.config_digest: image.references for image in read_images(archive, listener)}


@dataclass(frozen=True, slots=True)
class ManifestEntry:
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
    def from_json(cls, value: Any, archive: str) -> ManifestEntry:  # noqa: ANN401  # JSON of unknown shape
        """Read an element.

        Raises:
            LoadError: It is not what it should be.
        """
        if not isinstance(value, dict):
            raise DamagedError(f"{archive} is damaged: an image in its {MANIFEST} is no JSON object")
        config, layers, tags = value.get("Config"), value.get("Layers"), value.get("RepoTags")
        if not isinstance(config, str):
            raise DamagedError(f"{archive} is damaged: an image in its {MANIFEST} has no Config")
        return cls(config, _strings(layers, "Layers", archive), _strings(tags, "RepoTags", archive))


def _strings(value: Any, key: str, archive: str) -> tuple[str, ...]:  # noqa: ANN401  # JSON of unknown shape
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise DamagedError(f"{archive} is damaged: {key} in its {MANIFEST} is no list of strings")
    return tuple(value)


def _read_config(archive: Archive, budget: Budget, name: str) -> tuple[bytes, tuple[Digest, ...]]:
    """Return a config, and the diff IDs that it names."""
    data = archive.read(name, what="the config")
    budget.take("bytes of configs", len(data))
    return data, read_diff_ids(parse_json(data, name=archive.name, what=f"config {name!r}"), archive.name)


def _make_image(
    archive: Archive,
    config_name: str,
    config: tuple[bytes, tuple[Digest, ...]],
    layers: tuple[str, ...],
    references: tuple[Reference, ...],
) -> Image:
    config_bytes, diff_ids = config
    if len(diff_ids) != len(layers):
        raise DamagedError(
            f"{archive.name} is damaged: its {MANIFEST} names {len(layers)} layers, "
            f"and the config {config_name!r} has {len(diff_ids)}"
        )
    return Image(
        config_bytes,
        tuple(
            _layer(archive, archive.find(name, what="the layer"), diff_id, name)
            for name, diff_id in zip(layers, diff_ids, strict=True)
        ),
        references,
    )


def read_diff_ids(config: Any, archive: str) -> tuple[Digest, ...]:  # noqa: ANN401  # JSON of unknown shape
    """Return the diff IDs of an image's config, checked for what the engine and nixdock rely on.

    Args:
        config: The parsed config.
        archive: What messages call the artefact.

    Raises:
        LoadError: It is no image's config.
    """
    if not isinstance(config, dict):
        raise DamagedError(f"{archive} is damaged: an image's config is no JSON object")
    rootfs = config.get("rootfs")
    diff_ids = (rootfs.get("diff_ids") or []) if isinstance(rootfs, dict) else None
    if not isinstance(diff_ids, list):
        raise DamagedError(f"{archive} is damaged: an image's config has no rootfs.diff_ids")
    check_layers(len(diff_ids), archive)
    try:
        return tuple(Digest.parse(str(diff_id)) for diff_id in diff_ids)
    except ValueError as error:
        raise DamagedError(f"{archive} is damaged: a diff ID in an image's config is {error}") from error


def parse_tags(tags: Iterable[str], archive: str, listener: Listener = ignore) -> tuple[Reference, ...]:
    """Read the names of an artefact, each once.

    A digest says where an image was pulled from; an engine gives none to an image that it loads. So of
    `name:tag@digest` the name and the tag are taken, and `name@digest` is no name (least of all
    `name:latest`).

    Args:
        tags: As written.
        archive: What messages call the artefact.
        listener: Told what is not taken.

    Raises:
        LoadError: One breaks the rules; no engine would take it.
    """
    names: dict[Reference, None] = {}
    for tag in tags:
        try:
            reference = Reference.parse(tag)
        except ValueError as error:
            raise LoadError(
                f"{archive} names its image wrongly: {error}", hint="change name or tag and build it again"
            ) from error
        if reference.digest is not None:
            given = replace(reference, digest=None) if reference.tag else None
            got = f"it is named {given.familiar}" if given else "that gives it no name"
            listener(
                Warned(
                    f"{archive} names its image {reference.familiar}, and an image that is loaded cannot be "
                    f"given a digest: {got}"
                )
            )
            if given is None:
                continue
            reference = given
        names[reference] = None
    return tuple(names)


def _layer(archive: Archive, entry: ArchiveFile, diff_id: Digest, name: str) -> OpenerLayer:
    size = entry.size if entry.codec is Codec.NONE else None
    return OpenerLayer(diff_id, size, partial(_open_layer, archive, entry, name), position=entry.offset)


def _open_layer(archive: Archive, entry: ArchiveFile, name: str) -> IO[bytes]:
    return decompress(archive.open(entry), entry.codec, f"the layer {name!r} of {archive.name}")
