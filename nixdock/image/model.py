"""An image: a config, and layers that can be opened again and again.

Every format reader gives this, whatever it read, and everything behind it (loading, writing,
checking) asks for nothing else. Values are immutable and lazy: to have one costs no layer's bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, Protocol

from nixdock.image.config import ImageConfig, read_config
from nixdock.image.reference import Digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixdock.image.reference import Reference


@dataclass(frozen=True)
class Blob:
    """The bytes that an OCI manifest names for a layer: its tar, compressed or not.

    Args:
        media_type: As the manifest states it.
        digest: The sha256 of the blob's bytes; the diff ID only where it is not compressed.
        size: Bytes of the blob.
        opener: Opens a fresh stream of the blob's bytes; the caller closes it.
    """

    media_type: str
    digest: Digest
    size: int
    opener: Callable[[], IO[bytes]]


class Layer(Protocol):
    """One layer: an uncompressed tar that can be opened any number of times."""

    @property
    def diff_id(self) -> Digest:
        """The sha256 of the uncompressed tar; computed at the first use where nothing states it."""

    @property
    def known_diff_id(self) -> Digest | None:
        """The diff ID where it is known without reading the layer, otherwise None."""

    @property
    def size(self) -> int | None:
        """Bytes of the uncompressed tar, or None where only reading it would tell."""

    @property
    def blob(self) -> Blob | None:
        """The form in which a manifest of the artefact's own names it, or None without one."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def position(self) -> int:
        """Where the artefact holds it: reading layers in this order goes through the artefact once."""

    def open(self) -> IO[bytes]:
        """Open a fresh stream of the uncompressed tar; the caller closes it."""


@dataclass(frozen=True)
class OpenerLayer:
    """A layer made of a function that opens it.

    Args:
        diff_id: What the artefact states.
        size: Bytes of the uncompressed tar, or None.
        opener: Opens a fresh stream of it.
        blob: The form in which a manifest names it.
        position: Where the artefact holds it.
        name: What messages call it.
    """

    diff_id: Digest
    size: int | None
    opener: Callable[[], IO[bytes]]
    blob: Blob | None = None
    position: int = 0
    name: str = "a layer"

    @property
    def known_diff_id(self) -> Digest:
        """The diff ID: it is always known here."""
        return self.diff_id

    def open(self) -> IO[bytes]:
        """Open a fresh stream of the uncompressed tar; the caller closes it."""
        return self.opener()


@dataclass(frozen=True)
class Manifest:
    """An image manifest as the artefact has it, byte for byte.

    Args:
        data: Its bytes; their digest is what a containerd store calls the image.
        media_type: OCI's or Docker's type of an image manifest.
        indexes: Digests of the indexes that led to it; an engine may know the image by one of them.
    """

    data: bytes
    media_type: str
    indexes: tuple[Digest, ...] = ()

    @cached_property
    def digest(self) -> Digest:
        """The sha256 of the bytes."""
        return Digest.of(self.data)


@dataclass(frozen=True)
class Image:
    """Config bytes and the layers below them; its identity is the config digest.

    Args:
        config_bytes: The image's config, byte for byte as the artefact has it.
        layers: Bottom first; as many as the config has diff IDs.
        references: The names that the artefact itself gives the image.
        manifest: The manifest that the artefact itself holds, or None where its format has none.
    """

    config_bytes: bytes
    layers: tuple[Layer, ...]
    references: tuple[Reference, ...] = ()
    manifest: Manifest | None = None

    def renamed(self, references: tuple[Reference, ...]) -> Image:
        """Return the same image under other names."""
        return replace(self, references=references)

    @cached_property
    def config_digest(self) -> Digest:
        """The sha256 of the config bytes: the artefact's own identity."""
        return Digest.of(self.config_bytes)

    @cached_property
    def read_config(self) -> ImageConfig:
        """The config as docker reads it; asking for it raises LoadError where no engine could."""
        return read_config(self.config_bytes)

    def check_config(self) -> ImageConfig:
        """Read the config before any layer is read for it.

        Raises:
            LoadError: No engine could read it.
        """
        return self.read_config

    @property
    def config(self) -> dict[str, Any]:
        """The config as JSON; unknown keys are kept."""
        return self.read_config.value

    @property
    def diff_ids(self) -> tuple[Digest, ...]:
        """The layers' diff IDs, bottom first."""
        return tuple(layer.diff_id for layer in self.layers)

    @property
    def architecture(self) -> str:
        """The architecture as the config states it, in Go's words (`amd64`); empty where it does not."""
        return self.config.get("architecture") or ""
