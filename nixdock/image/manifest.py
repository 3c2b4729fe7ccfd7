"""Image manifests: what names an image's config and layers by digest, and the platforms of an index.

The media types are those of the OCI image specification (media-types.md) and of Docker's "Image
Manifest V 2, Schema 2", whose shape is the same.
"""

from __future__ import annotations

import json
import platform as machine
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from nixdock.image.detect import Codec
from nixdock.image.model import Manifest
from nixdock.image.reference import Digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
OCI_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
DOCKER_INDEX: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar"

INDEX_TYPES: Final = frozenset({OCI_INDEX, DOCKER_INDEX})
MANIFEST_TYPES: Final = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
CONFIG_TYPES: Final = frozenset({OCI_CONFIG, DOCKER_CONFIG})


_LAYER_TYPES: Final = {
    OCI_LAYER: Codec.NONE,
    f"{OCI_LAYER}+gzip": Codec.GZIP,
    f"{OCI_LAYER}+zstd": Codec.ZSTD,
    DOCKER_LAYER: Codec.NONE,
    f"{DOCKER_LAYER}.gzip": Codec.GZIP,
    f"{DOCKER_LAYER}.zstd": Codec.ZSTD,
    # Deprecated, but still in images: layers that licences forbid to push are layers all the same.
    "application/vnd.oci.image.layer.nondistributable.v1.tar": Codec.NONE,
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip": Codec.GZIP,
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd": Codec.ZSTD,
    "application/vnd.docker.image.rootfs.foreign.diff.tar": Codec.NONE,
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip": Codec.GZIP,
}


def layer_codec(media_type: str) -> Codec | None:
    """Return how a layer of this media type is compressed, or None for a type that is no layer's."""
    return _LAYER_TYPES.get(media_type)


# What kernels and engines call a machine, and what Go calls it (containerd, platforms/database.go).
_ARCHITECTURES: Final = {
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "aarch64": ("arm64", ""),
    "armhf": ("arm", "v7"),
    "armv7l": ("arm", "v7"),
    "armv6l": ("arm", "v6"),
    "i386": ("386", ""),
    "i686": ("386", ""),
}

_USUAL_VARIANTS: Final = {"arm64": "v8", "arm": "v7"}


@dataclass(frozen=True, slots=True)
class Platform:
    """What an image is made for, or what an engine runs."""

    os: str
    architecture: str
    variant: str = ""

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Read `os/architecture` or `os/architecture/variant`.

        Raises:
            ValueError: It is neither.
        """
        os, _, rest = text.partition("/")
        architecture, _, variant = rest.partition("/")
        if not os or not architecture or "/" in variant:
            raise ValueError("a platform is OS/ARCH or OS/ARCH/VARIANT, such as linux/arm64")
        return cls(os, architecture, variant)

    @classmethod
    def of_machine(cls, architecture: str, os: str = "linux") -> Platform:
        """Return the platform of a machine by the kernel's name of it, such as `x86_64`."""
        known, variant = _ARCHITECTURES.get(architecture.lower(), (architecture.lower(), ""))
        return cls(os, known, variant)

    @classmethod
    def of_this_machine(cls) -> Platform:
        """Return what a Linux engine on this machine runs."""
        return cls.of_machine(machine.machine())

    @classmethod
    def from_json(cls, value: Any) -> Platform | None:  # noqa: ANN401  # JSON of unknown shape
        """Read the platform of an image's config or of a descriptor; None where it states none."""
        if not isinstance(value, dict):
            return None
        os, architecture, variant = (value.get(key, "") for key in ("os", "architecture", "variant"))
        if not (isinstance(os, str) and isinstance(architecture, str) and isinstance(variant, str)):
            return None
        return cls(os, architecture, variant) if os or architecture else None

    @property
    def full(self) -> Platform:
        """The same with the usual variant where none is stated: v8 for arm64, v7 for arm."""
        return replace(self, variant=self.variant or _USUAL_VARIANTS.get(self.architecture, ""))

    def runs_on(self, engine: Platform) -> bool:
        """Whether an image for this platform runs on such an engine without emulation.

        What is not stated is no obstacle.
        """
        if self.os and self.os != engine.os:
            return False
        if self.architecture and self.architecture != engine.architecture:
            return False
        if self.architecture == "arm":
            # An older variant runs on a newer machine, not the other way round.
            return self.full.variant <= engine.full.variant
        return not self.variant or self.full.variant == engine.full.variant

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A blob, named by type, digest and size."""

    media_type: str
    digest: Digest
    size: int

    @classmethod
    def from_json(cls, value: Any) -> Descriptor:  # noqa: ANN401  # JSON of unknown shape
        """Read a descriptor of a manifest or an index.

        Raises:
            ValueError: It is not one; the message says what is wrong with it.
        """
        if not isinstance(value, dict):
            raise ValueError("a descriptor is not a JSON object")  # noqa: TRY004  # bad input, not a bad call
        media_type, digest, size = value.get("mediaType", ""), value.get("digest"), value.get("size")
        if not isinstance(media_type, str) or not isinstance(digest, str):
            raise ValueError("a descriptor without media type or digest")  # noqa: TRY004
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise ValueError(f"the descriptor of {digest} has no size")
        return cls(media_type, Digest.parse(digest), size)

    def to_json(self) -> dict[str, object]:
        """Return it in the order of keys in which Go writes it."""
        return {"mediaType": self.media_type, "digest": str(self.digest), "size": self.size}


def make_docker_manifest(config: bytes, layers: Sequence[tuple[Digest, int]]) -> Manifest:
    """Make the manifest that Docker's containerd store makes of a docker-archive with these parts.

    Byte for byte: containerd's importer (core/images/archive/importer.go) marshals schema version,
    media type, config and layers in this order, compactly. So an image that `docker load` has loaded
    there and one that nixdock loads have the same manifest digest, which is the ID that such an
    engine gives an image.

    Args:
        config: The image's config.
        layers: Diff ID and size of each uncompressed layer, bottom first.
    """
    parts: Mapping[str, object] = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": Descriptor(DOCKER_CONFIG, Digest.of(config), len(config)).to_json(),
        "layers": [Descriptor(DOCKER_LAYER, digest, size).to_json() for digest, size in layers],
    }
    return Manifest(json.dumps(parts, separators=(",", ":")).encode(), DOCKER_MANIFEST)
