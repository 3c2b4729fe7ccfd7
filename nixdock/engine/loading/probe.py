"""Asking a containerd store which blobs it has, by an image that nobody could run.

No request lists the blobs of Docker's containerd store. But an index may be loaded whose manifests are
for a platform that nothing here runs: nothing is unpacked then, and inspecting the image tells of each
manifest whether all it names is there. While the image exists, what it names cannot be collected.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

from nixdock.engine.loading.hybrid import blob_name, write_end, write_file
from nixdock.engine.loading.response import read_response
from nixdock.errors import EngineError
from nixdock.image.digest import Digest
from nixdock.image.manifest import DOCKER_LAYER, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, Descriptor
from nixdock.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.loading.parcel import LayerBlob

log = get_logger(__name__)

REPOSITORY: Final = "nixdock.invalid/probe"
"""No registry can have this name (RFC 2606)."""

NEEDED_API: Final = "1.48"
"""Since this version (Docker 28) an image's manifests can be asked for."""

_ABANDONED: Final = 600
"""Seconds after which a probe is certainly no longer wanted by anybody."""

_GROUPS: Final = 32
"""Manifests in one probe; each costs the engine some 20 ms."""

_PLATFORM: Final = {"architecture": "s390x", "os": "plan9"}
_CONFIG: Final = json.dumps({**_PLATFORM, "rootfs": {"type": "layers", "diff_ids": []}}).encode()


def probe_blobs(engine: Engine, blobs: Sequence[LayerBlob]) -> frozenset[Digest]:
    """Return those blobs that the engine surely has; none where it cannot be asked."""
    if not engine.version.speaks(NEEDED_API):
        return frozenset()
    digests = sorted({blob.digest for blob in blobs})
    sizes = {blob.digest: blob.size for blob in blobs}
    step = -(-len(digests) // _GROUPS)
    groups = [digests[start : start + step] for start in range(0, len(digests), step)]
    manifests = {_write_manifest(group, sizes): group for group in groups}
    name = f"{REPOSITORY}:{int(time.time())}-{secrets.token_hex(8)}"
    try:
        _sweep(engine)
        answer = read_response(engine.load(_write_archive(list(manifests), name)))
        details = engine.find_image(name, manifests=True) if answer.ok else None
    finally:
        with contextlib.suppress(EngineError):
            engine.remove_image(name, force=True)
    if details is None:
        log.debug("probe.failed", error=answer.error)
        return frozenset()
    by_digest = {str(Digest.of(data)): group for data, group in manifests.items()}
    present: set[Digest] = set()
    for manifest in details.raw.get("Manifests") or ():
        if manifest.get("Available"):
            present.update(by_digest.get(manifest.get("ID") or "", ()))
    log.debug("probe.answered", asked=len(digests), present=len(present))
    return frozenset(present)


def _sweep(engine: Engine) -> None:
    """Remove what killed probes left behind."""
    for image in engine.images(filters={"reference": [REPOSITORY]}):
        for tag in image.tags:
            begun = tag.rpartition(":")[2].partition("-")[0]
            if begun.isdigit() and time.time() - int(begun) > _ABANDONED:
                engine.remove_image(tag, force=True)


def _write_manifest(group: Sequence[Digest], sizes: dict[Digest, int]) -> bytes:
    config = Descriptor(OCI_CONFIG, Digest.of(_CONFIG), len(_CONFIG))
    layers = [Descriptor(DOCKER_LAYER, digest, sizes[digest]).to_json() for digest in group]
    return _to_json(
        {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config.to_json(), "layers": layers}
    )


def _write_archive(manifests: Sequence[bytes], name: str) -> Iterator[bytes]:
    index = _to_json(
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
    yield write_file("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
    yield write_file("index.json", _to_json(top))
    for data in (index, _CONFIG, *manifests):
        yield write_file(blob_name(Digest.of(data)), data)
    yield write_end()


def _to_json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
