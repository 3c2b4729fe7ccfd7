"""The archive that every engine takes: a docker-archive and an OCI image layout in one tar.

Engines with a graph driver read `manifest.json` and look for no layer that they have; those with
containerd's store, and Podman, read `oci-layout` and `index.json` and need no blob that they have. So
blobs that the engine has are left out. (An empty member in their place would become an empty layer.)

Layers whose digests nobody knows yet can be sent in one pass, hashed while they are sent. An OCI layout names
blobs by digest, so each layer goes under a number, and is followed by a link to it by its digest; what
describes the image comes last.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final

from nixdock.engine.loading.parcel import LayerBlob, pack
from nixdock.errors import DamagedError
from nixdock.image.computed import ComputedImage, ComputedLayer, hash_stream
from nixdock.image.extent import HasExtents
from nixdock.image.manifest import OCI_INDEX
from nixdock.image.model import Image, OpenerLayer
from nixdock.image.reference import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.loading.parcel import PackedImage
    from nixdock.image.extent import Piece
    from nixdock.image.model import Layer
    from nixdock.image.reference import Reference

PIECE: Final = 256 * 1024
"""Bytes that are read and sent at once; more would only be copied more slowly."""

EXTENT: Final = 1024 * 1024
"""Bytes that are sent at once, where they stand in a file."""

LAYOUT: Final = b'{"imageLayoutVersion":"1.0.0"}'
_BLOBS: Final = "blobs/sha256"
_BLOCK: Final = 512
END: Final = bytes(2 * _BLOCK)
"""What ends an archive."""


@dataclass(frozen=True, slots=True)
class HybridArchive:
    """An archive on its way.

    Args:
        pieces: Its bytes, each piece to be used before the next is asked for.
        size: How many there will be.
    """

    pieces: Iterator[Piece]
    size: int


def write_archive(
    parcel: PackedImage,
    reference: Reference | None,
    blobs: Sequence[LayerBlob],
    advance: Callable[[int], None] | None = None,
) -> HybridArchive:
    """Return the archive.

    Args:
        parcel: The image.
        reference: The name that it gets, or None to leave it without one.
        blobs: The layers to put in.
        advance: Told the number of bytes of layers that went out.

    Its pieces raise LoadError where a layer cannot be read, or has another size.
    """
    documents = b"".join(write_documents(parcel, reference))
    # In the artefact's order, so that a compressed one is read through once.
    ordered: dict[Digest, LayerBlob] = {}
    for blob in sorted(blobs, key=lambda blob: blob.layer.position):
        ordered.setdefault(blob.digest, blob)

    def pieces() -> Iterator[Piece]:
        yield documents
        for blob in ordered.values():
            yield from write_blob(blob, advance)
        yield END

    size = sum(measure_member(blob.size) for blob in ordered.values())
    return HybridArchive(pieces(), len(documents) + size + len(END))


def measure_member(size: int) -> int:
    """Return the bytes that a member with so many takes, header and filling included."""
    return _BLOCK + size + -size % _BLOCK


def write_documents(
    parcel: PackedImage, reference: Reference | None, names: Sequence[str] | None = None
) -> Iterator[bytes]:
    """Yield the members that describe the image.

    Args:
        parcel: The image.
        reference: The name that it gets, or None.
        names: The members that `manifest.json` names as layers; by their digests when None.
    """
    config, manifest = parcel.image.config_bytes, parcel.manifest
    if names is None:
        names = [blob_name(blob.digest) for blob in parcel.blobs]
    document = {
        "Config": blob_name(parcel.image.config_digest),
        "RepoTags": [reference.familiar] if reference else None,
        "Layers": list(names),
    }
    yield write_file("oci-layout", LAYOUT)
    yield write_file("index.json", to_json(_index(parcel, reference)))
    yield write_file("manifest.json", to_json([document]))
    yield write_file(blob_name(manifest.digest), manifest.data)
    yield write_file(blob_name(parcel.image.config_digest), config)


def write_blob(blob: LayerBlob, advance: Callable[[int], None] | None) -> Iterator[Piece]:
    """Yield a layer as a member named by its digest.

    That this is its digest is the engine's to find out, and every engine does, for hashing takes as long
    as everything else here; `verify_blobs` says what was wrong when it refuses.
    """
    yield make_header(blob_name(blob.digest), blob.size)
    yield from _copy(blob.layer, blob.opener, blob.size, advance)


def verify_blobs(blobs: Iterable[LayerBlob]) -> None:
    """Make sure that layers are what their digests say.

    Raises:
        LoadError: One is not, or cannot be read.
    """
    for blob in blobs:
        found = hash_stream(blob.opener())
        if isinstance(blob.layer, ComputedLayer):
            blob.layer.settle(found)
        elif found != blob.digest:
            raise DamagedError(
                f"{blob.layer.name} is damaged: its bytes have the digest {found} instead of {blob.digest}"
            )


def check_stored(engine: Engine, blobs: Iterable[LayerBlob], name: str) -> None:
    """Check the diff IDs of compressed layers for an engine that does not (Podman).

    Args:
        engine: The engine.
        blobs: The layers.
        name: What messages call the image.

    Raises:
        DamagedError: One is another than the config says.
    """
    if engine.traits.checks_diff_ids:
        return
    for blob in blobs:
        if not blob.is_plain and hash_stream(blob.layer.open()) != blob.layer.diff_id:
            raise DamagedError(
                f"{name} is damaged: layer {blob.digest} has not the diff ID that the config says"
            )


def write_unnamed_layer(
    layer: ComputedLayer, name: str, advance: Callable[[int], None] | None
) -> Iterator[Piece]:
    """Yield a layer whose digest nobody knows yet, and after it a link to it that is named by the digest.

    Args:
        layer: It is settled afterwards.
        name: The member's name below `blobs/sha256`.
        advance: Told the number of bytes that went out.
    """
    computed = hashlib.sha256()
    yield make_header(f"{_BLOBS}/{name}", layer.size)
    yield from _copy(layer, layer.open, layer.size, advance, computed.update)
    digest = layer.settle(Digest(computed.hexdigest()))
    yield make_header(blob_name(digest), 0, target=name)


def _copy(
    layer: Layer,
    opener: Callable[[], IO[bytes]],
    size: int,
    advance: Callable[[int], None] | None,
    look_at: Callable[[bytes], None] | None = None,
) -> Iterator[Piece]:
    """Yield so many bytes of a stream, filled up to whole blocks."""
    done = 0
    with opener() as stream:
        for piece in _pieces(stream) if look_at is None else _read_pieces(stream, look_at):
            count = len(piece)
            done += count
            if done > size:
                break
            yield piece
            if advance is not None:
                advance(count)
    if done != size:
        if isinstance(layer, ComputedLayer):
            raise layer.reject(done)
        raise DamagedError(
            f"{layer.name} is damaged: {layer.diff_id} has not the {size} bytes that it should have"
        )
    if padding := -size % _BLOCK:
        yield bytes(padding)


def _pieces(stream: IO[bytes]) -> Iterator[Piece]:
    # Nothing has been read of it, so that the buffer before it holds nothing.
    raw = getattr(stream, "raw", None)
    if not isinstance(raw, HasExtents):
        yield from iter(lambda: stream.read(PIECE), b"")
        return
    while extent := raw.take(EXTENT):
        yield extent


def _read_pieces(stream: IO[bytes], look_at: Callable[[bytes], None]) -> Iterator[bytes]:
    while piece := stream.read(PIECE):
        look_at(piece)
        yield piece


def write_file(name: str, data: bytes) -> bytes:
    """Return a small member, filled up to whole blocks."""
    return make_header(name, len(data)) + data + bytes(-len(data) % _BLOCK)


def make_header(name: str, size: int, *, target: str = "") -> bytes:
    """Return a member's header; one with a target is a symbolic link."""
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o644
    if target:
        member.type, member.linkname = tarfile.SYMTYPE, target
    return member.tobuf(tarfile.GNU_FORMAT)


def blob_name(digest: Digest) -> str:
    """Return the member that holds a blob, as an OCI layout names it."""
    return f"{_BLOBS}/{digest.hex}"


def _index(parcel: PackedImage, reference: Reference | None) -> dict[str, Any]:
    image, manifest = parcel.image, parcel.manifest
    descriptor: dict[str, Any] = {
        "mediaType": manifest.media_type,
        "digest": str(manifest.digest),
        "size": len(manifest.data),
    }
    if reference is not None:
        # Docker and containerd read the first, Podman the second when there is no first.
        descriptor["annotations"] = {
            "io.containerd.image.name": str(reference),
            "org.opencontainers.image.ref.name": reference.tag or "",
        }
    config = image.config
    platform = {key: config[key] for key in ("architecture", "os", "variant") if config.get(key)}
    if platform:
        descriptor["platform"] = platform
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [descriptor]}


def to_json(value: object) -> bytes:
    """Return a document without white space."""
    return json.dumps(value, separators=(",", ":")).encode()


def write_in_one_pass(
    image: Image, reference: Reference | None, advance: Callable[[int], None]
) -> HybridArchive:
    """Return the archive with all layers; the image is settled when it has ended.

    Args:
        image: The image.
        reference: The name that it gets, or None to leave it without one.
        advance: Told the number of bytes of layers that went out.

    Its pieces raise LoadError where a layer cannot be read, or is not what it was.
    """
    layers = sorted({id(layer): layer for layer in image.layers}.values(), key=lambda layer: layer.position)
    size = len(END) + _measure_documents(image, reference)
    for layer in layers:
        size += measure_member(layer.size or 0) + (measure_member(0) if layer.known_diff_id is None else 0)
    return HybridArchive(_write_pieces(image, layers, reference, advance), size)


def _write_pieces(
    image: Image, layers: Sequence[Layer], reference: Reference | None, advance: Callable[[int], None]
) -> Iterator[Piece]:
    for number, layer in enumerate(layers):
        known, size = layer.known_diff_id, layer.size
        if isinstance(layer, ComputedLayer) and known is None:
            yield from write_unnamed_layer(layer, f"layer-{number}", advance)
        elif known is not None and size is not None:
            yield from write_blob(LayerBlob(layer, known, size, layer.open), advance)
    yield from write_documents(pack(image), reference)
    yield END


def _measure_documents(image: Image, reference: Reference | None) -> int:
    """Return how long the documents will be: all digests are of one length."""
    if isinstance(image, ComputedImage):
        some = Digest.of(b"")
        config = image.make_config(tuple(some for _ in image.layers))
        image = Image(config, tuple(OpenerLayer(some, layer.size, layer.open) for layer in image.layers))
    return sum(map(len, write_documents(pack(image), reference)))
