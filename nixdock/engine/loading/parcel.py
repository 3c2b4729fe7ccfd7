"""An image as it is sent: config, manifest, and the blobs that the manifest names.

An image that comes with a manifest of its own (an OCI layout) is sent with that manifest and those
blobs, so that an engine which identifies images by their manifest knows it by the same ID. For all
others the manifest is the one that Docker's containerd store makes of a docker-archive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from nixdock.image.computed import hash_stream
from nixdock.image.detect import Codec
from nixdock.image.manifest import layer_codec, make_docker_manifest

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixdock.image.model import Image, Layer, Manifest
    from nixdock.image.reference import Digest


@dataclass(frozen=True, slots=True)
class LayerBlob:
    """A layer as the manifest names it.

    Args:
        layer: The layer itself.
        digest: Of the blob's bytes; the diff ID where the blob is the plain tar.
        size: Bytes of the blob.
        opener: Opens a fresh stream of the blob.
    """

    layer: Layer
    digest: Digest
    size: int
    opener: Callable[[], IO[bytes]]

    @property
    def is_plain(self) -> bool:
        """Whether the blob is the layer's uncompressed tar."""
        return self.digest == self.layer.diff_id


@dataclass(frozen=True, slots=True)
class PackedImage:
    """An image ready to be sent.

    Args:
        image: The image; the diff IDs of all its layers are known.
        manifest: What names its parts.
        blobs: Its layers as the manifest names them, bottom first.
    """

    image: Image
    manifest: Manifest
    blobs: tuple[LayerBlob, ...]

    @property
    def size(self) -> int:
        """Bytes of all layers, as they would be sent; one that is there twice counts once."""
        return sum({blob.digest: blob.size for blob in self.blobs}.values())

    @property
    def engine_ids(self) -> frozenset[str]:
        """The IDs by which an engine may know the image."""
        image, manifest = self.image, self.manifest
        return frozenset(map(str, (image.config_digest, manifest.digest, *manifest.indexes)))


def pack(image: Image, *, reads_zstd: bool = True) -> PackedImage:
    """Make an image ready to be sent.

    Diff IDs that are not known yet are computed, and so are sizes that only reading tells.

    Args:
        image: The image.
        reads_zstd: Whether the engine reads layers in this compression; otherwise they are sent plain,
            which an engine that identifies images by their config takes as well.

    Raises:
        LoadError: A layer cannot be read.
    """
    if image.manifest is not None and all(layer.blob is not None for layer in image.layers):
        blobs = tuple(
            _stored_blob(layer) if reads_zstd or not _is_zstd(layer) else _plain_blob(layer)
            for layer in image.layers
        )
        return PackedImage(image, image.manifest, blobs)
    blobs = tuple(_plain_blob(layer) for layer in image.layers)
    manifest = make_docker_manifest(image.config_bytes, [(blob.digest, blob.size) for blob in blobs])
    return PackedImage(image, manifest, blobs)


def is_settled(image: Image) -> bool:
    """Whether an image can be packed without reading any layer."""
    return all(
        layer.known_diff_id is not None and (layer.size is not None or layer.blob is not None)
        for layer in image.layers
    )


def _is_zstd(layer: Layer) -> bool:
    return layer.blob is not None and layer_codec(layer.blob.media_type) is Codec.ZSTD


def _stored_blob(layer: Layer) -> LayerBlob:
    blob = layer.blob
    if blob is None:
        raise AssertionError("only layers with a blob of their own come here")
    if layer_codec(blob.media_type) is Codec.NONE:
        # Through the layer, so that whatever it checks is checked.
        return LayerBlob(layer, blob.digest, blob.size, layer.open)
    return LayerBlob(layer, blob.digest, blob.size, blob.opener)


def _plain_blob(layer: Layer) -> LayerBlob:
    size = layer.size
    if size is None:
        size = _measure(layer)
    return LayerBlob(layer, layer.diff_id, size, layer.open)


def _measure(layer: Layer) -> int:
    """Find the size of a layer that is compressed where it stands."""
    total = 0

    def count(size: int) -> None:
        nonlocal total
        total += size

    hash_stream(layer.open(), count)
    return total
