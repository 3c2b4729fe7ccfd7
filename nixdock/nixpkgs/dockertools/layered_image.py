"""A streamed image, made of its conf: its layers, its config and its archive.

No layer is read before its digest or its bytes are asked for, and digests can come from elsewhere: a
store path never changes, so what was once computed of a list of them holds for good.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from . import image_config, layer_tar
from .image_archive import ImageArchive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .base_image import BaseImage, BaseLayer
    from .layered_conf import LayeredConf


class LayerSource(Protocol):
    """A layer that can be read again and again."""

    @property
    def parts(self) -> tuple[str, ...]:
        """What it is made of, for the history."""

    @property
    def name(self) -> str | None:
        """Its member in an archive where that is given; otherwise it is `<digest>/layer.tar`."""

    def size(self) -> int:
        """Return its bytes, without reading them."""

    def digest(self) -> str:
        """Return its sha256 in hexadecimal; this may read it."""

    def chunks(self) -> Iterator[bytes]:
        """Yield its bytes, from the start at each call."""


@dataclass(frozen=True, slots=True)
class BaseSource:
    """A layer of the image below."""

    layer: BaseLayer

    @property
    def parts(self) -> tuple[str, ...]:
        """The name that the base has for it."""
        return (self.layer.name,)

    @property
    def name(self) -> str | None:
        """As in the base."""
        return self.layer.name

    def size(self) -> int:
        """Return the size that the base says."""
        return self.layer.size

    def digest(self) -> str:
        """Return what reading the base found."""
        return self.layer.digest

    def chunks(self) -> Iterator[bytes]:
        """Yield the layer's bytes out of the base's archive."""
        return self.layer.chunks()


@dataclass(frozen=True, slots=True)
class StoreSource:
    """A layer of store paths."""

    paths: tuple[str, ...]
    stamp: layer_tar.Stamp

    @property
    def parts(self) -> tuple[str, ...]:
        """The store paths."""
        return self.paths

    @property
    def name(self) -> str | None:
        """None: by its digest."""
        return None

    def size(self) -> int:
        """Return the size as the files' sizes tell it."""
        return layer_tar.size(self.paths, self.stamp)

    def digest(self) -> str:
        """Read everything and return the digest."""
        return layer_tar.digest(self.paths, self.stamp)

    def chunks(self) -> Iterator[bytes]:
        """Yield the layer, made out of the store as it is read."""
        return layer_tar.chunks(self.paths, self.stamp)


@dataclass(frozen=True, slots=True)
class CustomisationSource:
    """The topmost layer, which is in the store as a tar with its checksum beside it."""

    directory: str

    @property
    def parts(self) -> tuple[str, ...]:
        """The store path that holds it."""
        return (self.directory,)

    @property
    def name(self) -> str | None:
        """None: by its digest."""
        return None

    def size(self) -> int:
        """Return the size of the file."""
        return (Path(self.directory) / "layer.tar").stat().st_size

    def digest(self) -> str:
        """Return the checksum."""
        return (Path(self.directory) / "checksum").read_text().strip()

    def chunks(self) -> Iterator[bytes]:
        """Yield the file's bytes."""
        with (Path(self.directory) / "layer.tar").open("rb") as file:
            while piece := file.read(1 << 20):
                yield piece


@dataclass(frozen=True, slots=True)
class LayeredImage:
    """An image whose layers' digests are known.

    Args:
        config_bytes: The image config; its sha256 is the image's identity.
        repo_tag: `name:tag`.
        layers: Bottom first, each with its sha256 in hexadecimal.
        mtime: The time of the archive's members, in seconds since 1970.
    """

    config_bytes: bytes
    repo_tag: str
    layers: tuple[tuple[LayerSource, str], ...]
    mtime: int

    @property
    def config_digest(self) -> str:
        """The sha256 of the config in hexadecimal."""
        return hashlib.sha256(self.config_bytes).hexdigest()


def sources(conf: LayeredConf, base: BaseImage | None) -> tuple[LayerSource, ...]:
    """Return the layers that a conf names, bottom first.

    Args:
        conf: What the image is to be.
        base: What reading `conf.from_image` gave.
    """
    stamp = conf.stamp()
    return (
        *(BaseSource(layer) for layer in (base.layers if base else ())),
        *(StoreSource(paths, stamp) for paths in conf.store_layers),
        CustomisationSource(conf.customisation_layer),
    )


def complete(
    conf: LayeredConf,
    base: BaseImage | None,
    layers: Sequence[tuple[LayerSource, str]],
    *,
    repo_tag: str | None = None,
) -> LayeredImage:
    """Return the image of layers whose digests are known.

    Args:
        conf: What the image says of itself.
        base: What reading `conf.from_image` gave.
        layers: What `sources` gave, each with its sha256 in hexadecimal.
        repo_tag: `name:tag`, in place of the conf's.
    """
    config = conf.config
    if base is not None:
        own = config or {}
        env = image_config.merge_env(base.env, own.get("Env") or [])
        config = {**own, "Env": env} if env else own
    config_bytes = image_config.layered(
        created=image_config.timestamp(conf.created).isoformat(),
        architecture=conf.architecture,
        config=config,
        diff_ids=[digest for _, digest in layers],
        comments=[image_config.comment(layer.parts) for layer, _ in layers],
    )
    return LayeredImage(config_bytes, repo_tag or conf.repo_tag, tuple(layers), conf.stamp().mtime)


def write(image: LayeredImage, out: IO[bytes], *, tell: Callable[[str], None]) -> None:
    """Write an image as a docker-archive.

    Args:
        image: The image.
        out: Where the archive goes; a pipe will do.
        tell: Is told of each step, in a sentence.
    """
    archive = ImageArchive(out, mtime=image.mtime, mode=0o644)
    names = [layer.name or f"{digest}/layer.tar" for layer, digest in image.layers]
    config_name = f"{image.config_digest}.json"
    manifest = image_config.manifest(config=config_name, repo_tags=[image.repo_tag], layers=names)
    archive.add("manifest.json", json.dumps(manifest, indent=4).encode())
    archive.add(config_name, image.config_bytes)
    for number, ((layer, _), name) in enumerate(zip(image.layers, names, strict=True), start=1):
        tell(f"Adding layer {number} of {len(names)}: {', '.join(layer.parts)}")
        archive.add_stream(name, layer.size(), layer.chunks())
    archive.close()
