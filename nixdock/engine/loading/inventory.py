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

import contextlib
import json
import re
import secrets
import time
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from nixdock.engine.loading.parcel import is_settled
from nixdock.engine.loading.response import find_error
from nixdock.errors import EngineError
from nixdock.image.manifest import DOCKER_LAYER, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, Descriptor
from nixdock.image.reference import Digest
from nixdock.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ImageDetails
    from nixdock.engine.loading.ledger import Ledger
    from nixdock.engine.loading.parcel import LayerBlob, PackedImage
    from nixdock.image.model import Image
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


PROBES: Final = "nixdock.invalid/probe"
"""No registry can have this name (RFC 2606)."""

_ABANDONED: Final = 600
"""Seconds after which a probe is certainly no longer wanted by anybody."""

_GROUPS: Final = 32
"""Manifests in one probe; each costs the engine some 20 ms."""

_PLATFORM: Final = {"architecture": "s390x", "os": "plan9"}
_CONFIG: Final = json.dumps({**_PLATFORM, "rootfs": {"type": "layers", "diff_ids": []}}).encode()


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
    engine: Engine, parcel: PackedImage, reference: Reference | None, ledger: Ledger
) -> Inventory:
    """Find out which layers to send.

    Args:
        engine: The engine.
        parcel: The image.
        reference: The name that the image is to get.
        ledger: What nixdock loaded before.

    Raises:
        EngineError: The engine cannot be asked.
    """
    by_chain = engine.traits.stacks_layers
    if by_chain and (common := _recall_chain(engine, parcel, ledger)):
        above = parcel.blobs[common:]
        if sum(blob.size for blob in above) <= _NOT_WORTH_ASKING:
            return Inventory(above)
    if not engine.has_images():
        return Inventory(parcel.blobs)
    if not by_chain:
        known = _recall(engine, parcel, ledger)
        if not known and engine.traits.keeps_blobs and _is_worth_asking(parcel):
            known = probe_blobs(engine, parcel.blobs)
        return Inventory(tuple(blob for blob in parcel.blobs if blob.digest not in known))
    return _probe_chain(engine, parcel, reference)


def fits_one_pass(engine: Engine, image: Image, references: Sequence[Reference], ledger: Ledger) -> bool:
    """Whether an image is best sent in one pass: its layers are not known, and hardly there either.

    Args:
        engine: The engine.
        image: The image.
        references: The names that it is to get.
        ledger: What nixdock loaded before.
    """
    if is_settled(image) or not all(layer.size is not None for layer in image.layers):
        return False
    if not engine.has_images():
        return True
    repositories = {reference.repository for reference in references}
    if any(ledger.knows_repository(repository) for repository in repositories):
        return False
    known = [layer.known_diff_id for layer in image.layers if layer.known_diff_id is not None]
    if ledger.find_related(known, 1):
        return False
    names = [reference.familiar.rpartition(":")[0] or reference.familiar for reference in references]
    return not (names and engine.images(filters={"reference": names}))


def _probe_chain(engine: Engine, parcel: PackedImage, reference: Reference | None) -> Inventory:
    from nixdock.engine.loading.archive import END, write_documents  # noqa: PLC0415  # where it is asked

    names = [_NAME.format(number) for number in range(len(parcel.blobs))]

    def archive() -> Iterator[bytes]:
        yield from write_documents(parcel, reference, names)
        yield END

    error = find_error(engine.load(archive()))
    if error is None:
        return Inventory((), loaded=True)
    found = _MISSING.search(error)
    log.debug("inventory.probed", error=error)
    # What cannot be understood means that nothing is known: everything is sent.
    first = int(found[1]) if found else 0
    return Inventory(parcel.blobs[first:])


def _recall_chain(engine: Engine, parcel: PackedImage, ledger: Ledger) -> int:
    """Return how many layers, from the lowest up, an image loaded by nixdock has in common with this one."""
    wanted = parcel.image.diff_ids
    common = 0
    names = {*wanted, *(blob.digest for blob in parcel.blobs)}
    for image in ledger.find_related(sorted(names), _RELATED):
        held = ledger.blobs_of(image)
        pairs = zip(wanted, parcel.blobs, strict=True)
        if sum(diff_id in held or blob.digest in held for diff_id, blob in pairs) <= common:
            # It cannot have more in common: one question less.
            continue
        details = engine.find_image(image)
        if details is None:
            ledger.forget(image)
            continue
        shared = takewhile(lambda pair: pair[0] == str(pair[1]), zip(details.diff_ids, wanted, strict=False))
        common = max(common, sum(1 for _ in shared))
    return common


def _recall(engine: Engine, parcel: PackedImage, ledger: Ledger) -> frozenset[Digest]:
    """Return those blobs that images which nixdock loaded brought, and which are still there."""
    wanted = frozenset(blob.digest for blob in parcel.blobs)
    known: set[Digest] = set()
    for image in ledger.find_related(sorted(wanted), _RELATED):
        gains = (ledger.blobs_of(image) & wanted) - known
        if not gains:
            continue
        details = engine.find_image(image, manifests=True)
        if details is not None and is_whole(details, engine):
            known |= gains
        else:
            ledger.forget(image)
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
        return bool(details.diff_ids) or not engine.traits.keeps_blobs
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


def _is_worth_asking(parcel: PackedImage) -> bool:
    return parcel.size / _BYTES_A_SECOND > len(parcel.blobs) * _SECONDS_A_MANIFEST


def probe_blobs(engine: Engine, blobs: Sequence[LayerBlob]) -> frozenset[Digest]:
    """Ask a containerd store which blobs it surely has, by an image that nobody could run.

    No request lists its blobs. But an index may be loaded whose manifests are for a platform that nothing
    here runs: nothing is unpacked then, and inspecting the image tells of each manifest whether all it names
    is there. While the image exists, what it names cannot be collected. Where it cannot be asked
    no blob is sure.
    """
    if not engine.traits.tells_manifests:
        return frozenset()
    digests = sorted({blob.digest for blob in blobs})
    sizes = {blob.digest: blob.size for blob in blobs}
    step = -(-len(digests) // _GROUPS)
    groups = [digests[start : start + step] for start in range(0, len(digests), step)]
    manifests = {_write_manifest(group, sizes): group for group in groups}
    name = f"{PROBES}:{int(time.time())}-{secrets.token_hex(8)}"
    try:
        _sweep_probes(engine)
        error = find_error(engine.load(_write_probe(list(manifests), name)))
        details = engine.find_image(name, manifests=True) if error is None else None
    finally:
        with contextlib.suppress(EngineError):
            engine.remove_image(name, force=True)
    if details is None:
        log.debug("probe.failed", error=error)
        return frozenset()
    by_digest = {str(Digest.of(data)): group for data, group in manifests.items()}
    present: set[Digest] = set()
    for manifest in details.raw.get("Manifests") or ():
        if manifest.get("Available"):
            present.update(by_digest.get(manifest.get("ID") or "", ()))
    log.debug("probe.answered", asked=len(digests), present=len(present))
    return frozenset(present)


def _sweep_probes(engine: Engine) -> None:
    """Remove what killed probes left behind."""
    for image in engine.images(filters={"reference": [PROBES]}):
        for tag in image.tags:
            begun = tag.rpartition(":")[2].partition("-")[0]
            if begun.isdigit() and time.time() - int(begun) > _ABANDONED:
                engine.remove_image(tag, force=True)


def _write_manifest(group: Sequence[Digest], sizes: dict[Digest, int]) -> bytes:
    from nixdock.engine.loading.archive import to_json  # noqa: PLC0415  # as in _probe_chain

    config = Descriptor(OCI_CONFIG, Digest.of(_CONFIG), len(_CONFIG))
    layers = [Descriptor(DOCKER_LAYER, digest, sizes[digest]).to_json() for digest in group]
    return to_json(
        {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config.to_json(), "layers": layers}
    )


def _write_probe(manifests: Sequence[bytes], name: str) -> Iterator[bytes]:
    from nixdock.engine.loading.archive import END, LAYOUT, blob_name, to_json, write_file  # noqa: PLC0415  # as in _probe_chain

    index = to_json(
        {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [
                {**Descriptor(OCI_MANIFEST, Digest.of(data), len(data)).to_json(), "platform": _PLATFORM}
                for data in manifests
            ],
        }
    )
    top: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [
            {
                **Descriptor(OCI_INDEX, Digest.of(index), len(index)).to_json(),
                "annotations": {"io.containerd.image.name": name},
            }
        ],
    }
    yield write_file("oci-layout", LAYOUT)
    yield write_file("index.json", to_json(top))
    for data in (index, _CONFIG, *manifests):
        yield write_file(blob_name(Digest.of(data)), data)
    yield END
