"""An image: a config, and layers that can be opened again and again.

Every format reader gives this, whatever it read, and everything behind it (loading, writing,
checking) asks for nothing else. Values are immutable and lazy: to have one costs no layer's bytes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, Protocol

from nixdock.image.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixdock.image.reference import Reference


class Layer(Protocol):
    """One layer: an uncompressed tar that can be opened any number of times."""

    @property
    def diff_id(self) -> Digest:
        """The sha256 of the uncompressed tar, as the image's config states it."""

    @property
    def size(self) -> int | None:
        """Bytes of the uncompressed tar, or None where only reading it would tell."""

    def open(self) -> IO[bytes]:
        """Open a fresh stream of the uncompressed tar; the caller closes it."""


@dataclass(frozen=True)
class OpenerLayer:
    """A layer made of a function that opens it."""

    diff_id: Digest
    size: int | None
    opener: Callable[[], IO[bytes]]

    def open(self) -> IO[bytes]:
        """Open a fresh stream of the uncompressed tar; the caller closes it."""
        return self.opener()


@dataclass(frozen=True)
class Image:
    """Config bytes and the layers below them; its identity is the config digest.

    Args:
        config_bytes: The image's config, byte for byte as the artefact has it.
        layers: Bottom first; as many as the config has diff IDs.
        references: The names that the artefact itself gives the image.
    """

    config_bytes: bytes
    layers: tuple[Layer, ...]
    references: tuple[Reference, ...] = ()

    @cached_property
    def config_digest(self) -> Digest:
        """The sha256 of the config bytes: the artefact's own identity."""
        return Digest.of(self.config_bytes)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The config as JSON; unknown keys are kept, as the bytes are the truth."""
        parsed: dict[str, Any] = json.loads(self.config_bytes)
        return parsed

    @property
    def diff_ids(self) -> tuple[Digest, ...]:
        """The layers' diff IDs, bottom first."""
        return tuple(layer.diff_id for layer in self.layers)
