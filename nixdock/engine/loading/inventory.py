"""Which layers an engine has, found with a bounded number of requests.

- Graph drivers: what an image that nixdock loaded before has in common with this one, from the lowest
  layer up, confirmed by inspecting it; where that leaves much to send, one archive with config and
  manifest and no layer. It loads where all layers are there; otherwise the error names the first layer
  that is not, and those above it are missing too, for a layer is kept only upon what is below it.
- containerd's store, where nothing lists what it holds: what nixdock loaded before, confirmed by one
  inspect; or an index of one manifest for each candidate, of which the engine says what is complete.
- Podman: what nixdock loaded before, confirmed by one inspect.

An answer that is wrong costs one sending in full, never a broken image.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from nixdock.engine.loading.hybrid import write_documents, write_end
from nixdock.engine.loading.probe import probe_blobs
from nixdock.engine.loading.response import read_response
from nixdock.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ImageDetails
    from nixdock.engine.loading.ledger import Ledger
    from nixdock.engine.loading.parcel import LayerBlob, Parcel
    from nixdock.image.digest import Digest
    from nixdock.image.reference import Reference

log = get_logger(__name__)

_NAME: Final = "nixdock-layer-{}"
_MISSING: Final = re.compile(r"[/\\]nixdock-layer-(\d+): (?:no such file|The system cannot find)")

_RELATED: Final = 3
"""Images that are looked at for the layers they share with the one to be loaded."""

_NOT_WORTH_ASKING: Final = 32_000_000
"""Bytes to send rather than ask: an engine takes them in a third of a second, and a tenth to answer."""

_SECONDS_A_MANIFEST: Final = 0.02
_BYTES_A_SECOND: Final = 150_000_000
"""What asking and sending take, roughly, to choose the cheaper (Docker 28 on two slow cores)."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """What an engine lacks of an image.

    Args:
        missing: The layers to send.
        loaded: Whether asking has loaded the image already, for nothing was missing.
    """

    missing: tuple[LayerBlob, ...]
    loaded: bool = False


def take_inventory(
    engine: Engine, parcel: Parcel, reference: Reference | None, ledger: Ledger, key: str
) -> Inventory:
    """Find out which layers to send.

    Args:
        engine: The engine.
        parcel: The image.
        reference: The name that the image is to get.
        ledger: What nixdock loaded before.
        key: What the ledger knows the engine by.

    Raises:
        EngineError: The engine cannot be asked.
    """
    by_chain = not engine.version.is_podman and not engine.info.containerd_store
    if by_chain and (common := _recall_chain(engine, parcel, ledger, key)):
        above = parcel.blobs[common:]
        if sum(blob.size for blob in above) <= _NOT_WORTH_ASKING:
            return Inventory(above)
    if not engine.has_images():
        return Inventory(parcel.blobs)
    if not by_chain:
        known = _recall(engine, parcel, ledger, key)
        if not known and engine.info.containerd_store and _is_worth_asking(parcel):
            known = probe_blobs(engine, parcel.blobs)
        return Inventory(tuple(blob for blob in parcel.blobs if blob.digest not in known))
    return _probe_chain(engine, parcel, reference)


def _probe_chain(engine: Engine, parcel: Parcel, reference: Reference | None) -> Inventory:
    names = [_NAME.format(number) for number in range(len(parcel.blobs))]

    def archive() -> Iterator[bytes]:
        yield from write_documents(parcel, reference, names)
        yield write_end()

    answer = read_response(engine.load(archive()))
    if answer.error is None:
        return Inventory((), loaded=True)
    found = _MISSING.search(answer.error)
    log.debug("inventory.probed", error=answer.error)
    # What cannot be understood means that nothing is known: everything is sent.
    first = int(found[1]) if found else 0
    return Inventory(parcel.blobs[first:])


def _recall_chain(engine: Engine, parcel: Parcel, ledger: Ledger, key: str) -> int:
    """Return how many layers, from the lowest up, an image loaded by nixdock has in common with this one."""
    wanted = parcel.image.diff_ids
    common = 0
    names = {*wanted, *(blob.digest for blob in parcel.blobs)}
    for image in ledger.find_related(key, sorted(names), _RELATED):
        details = engine.find_image(image)
        if details is None:
            ledger.forget(key, image)
            continue
        shared = takewhile(lambda pair: pair[0] == str(pair[1]), zip(details.diff_ids, wanted, strict=False))
        common = max(common, sum(1 for _ in shared))
    return common


def _recall(engine: Engine, parcel: Parcel, ledger: Ledger, key: str) -> frozenset[Digest]:
    """Return those blobs that images which nixdock loaded brought, and which are still there."""
    wanted = frozenset(blob.digest for blob in parcel.blobs)
    known: set[Digest] = set()
    for image in ledger.find_related(key, sorted(wanted), _RELATED):
        gains = (ledger.blobs_of(key, image) & wanted) - known
        if not gains:
            continue
        details = engine.find_image(image, manifests=True)
        if details is not None and is_whole(details, engine):
            known |= gains
        else:
            ledger.forget(key, image)
    return frozenset(known)


def is_whole(details: ImageDetails, engine: Engine) -> bool:
    """Whether an engine has all content of an image that it knows.

    Args:
        details: The image, asked for with its manifests.
        engine: The engine.
    """
    manifests = details.raw.get("Manifests")
    if manifests is None:
        # Not told: by graph drivers, whose images are always whole, and by older containerd stores, which
        # show no layers of an image whose content is not there.
        return bool(details.diff_ids) or not engine.info.containerd_store
    images = [manifest for manifest in manifests if manifest.get("Kind") != "attestation"]
    return any(manifest.get("Available") for manifest in images)


def is_packed(details: ImageDetails) -> bool:
    """Whether a containerd store says that it has an image, and has not unpacked it: perhaps it cannot be.

    Args:
        details: The image, asked for with its manifests; one with layers.
    """
    images = [one for one in details.raw.get("Manifests") or [] if one.get("Kind") == "image"]
    unpacked = [(one.get("ImageData") or {}).get("Size", {}).get("Unpacked") for one in images]
    return bool(details.diff_ids) and bool(unpacked) and not any(size != 0 for size in unpacked)


def _is_worth_asking(parcel: Parcel) -> bool:
    return parcel.size / _BYTES_A_SECOND > len(parcel.blobs) * _SECONDS_A_MANIFEST
