"""Sending layers whose digests nobody knows yet, in one pass: hashed while they are sent.

An OCI layout names blobs by digest, so each layer goes under a number, and is followed by a link to it
by its digest; what describes the image comes last. Only for engines that surely have none of these
layers: what they have is not found out before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixdock.engine.loading.hybrid import (
    HybridArchive,
    measure_member,
    write_blob,
    write_documents,
    write_end,
    write_unnamed_layer,
)
from nixdock.engine.loading.parcel import LayerBlob, is_settled, pack
from nixdock.image.computed import ComputedImage, ComputedLayer
from nixdock.image.digest import Digest
from nixdock.image.model import Image, OpenerLayer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.loading.ledger import Ledger
    from nixdock.image.extent import Piece
    from nixdock.image.model import Layer
    from nixdock.image.reference import Reference


def fits(engine: Engine, image: Image, references: Sequence[Reference], ledger: Ledger, key: str) -> bool:
    """Whether an image is best sent so: its layers are not known, and the engine can hardly have them.

    Args:
        engine: The engine.
        image: The image.
        references: The names that it is to get.
        ledger: What nixdock loaded before.
        key: What the ledger knows the engine by.
    """
    if is_settled(image) or not all(layer.size is not None for layer in image.layers):
        return False
    if not engine.has_images():
        return True
    repositories = {reference.repository for reference in references}
    if any(ledger.knows_repository(key, repository) for repository in repositories):
        return False
    known = [layer.known_diff_id for layer in image.layers if layer.known_diff_id is not None]
    if ledger.find_related(key, known, 1):
        return False
    names = [reference.familiar.rpartition(":")[0] or reference.familiar for reference in references]
    return not (names and engine.images(filters={"reference": names}))


def write_archive(image: Image, reference: Reference | None, advance: Callable[[int], None]) -> HybridArchive:
    """Return the archive with all layers; the image is settled when it has ended.

    Args:
        image: The image.
        reference: The name that it gets, or None to leave it without one.
        advance: Told the number of bytes of layers that went out.

    Its pieces raise LoadError where a layer cannot be read, or is not what it was.
    """
    layers = sorted({id(layer): layer for layer in image.layers}.values(), key=lambda layer: layer.position)
    size = len(write_end()) + _measure_documents(image, reference)
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
    yield write_end()


def _measure_documents(image: Image, reference: Reference | None) -> int:
    """Return how long the documents will be: all digests are of one length."""
    if isinstance(image, ComputedImage):
        some = Digest.of(b"")
        config = image.make_config(tuple(some for _ in image.layers))
        image = Image(config, tuple(OpenerLayer(some, layer.size, layer.open) for layer in image.layers))
    return sum(map(len, write_documents(pack(image), reference)))
