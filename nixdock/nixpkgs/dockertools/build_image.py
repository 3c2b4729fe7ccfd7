"""`buildImage`: a docker-archive of one layer, on top of those of a base image."""

from __future__ import annotations

import hashlib
import json
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import base_image, closure_tar, image_config, orders
from .image_archive import ImageArchive, compressed
from .tar_header import EPOCH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .base_image import BaseImage
    from .closure_tar import CompletedLayer


@dataclass(frozen=True, slots=True)
class TopLayer:
    """The image's own layer.

    Args:
        tar: Its files.
        digest: The sha256 of its bytes in hexadecimal.
        described: What its JSON says of it.
    """

    tar: CompletedLayer
    digest: str
    described: dict[str, Any]

    @property
    def identity(self) -> str:
        """The name that docker once gave it: the sha256 of its JSON."""
        return hashlib.sha256(image_config.pretty(self.described)).hexdigest()


def main() -> None:
    """Build what Nix orders."""
    with orders.received() as order:
        values = order.values
        from_image = values["fromImage"]
        repo_tag = None
        if values["fromImageName"] is not None:
            repo_tag = f"{values['fromImageName']}:{values['fromImageTag']}"
        source = base_image.read(from_image, repo_tag=repo_tag) if from_image else nullcontext()
        tag = values["tag"] or order.out.name.partition("-")[0]
        with source as base:
            closure = [node["path"] for node in order.graphs["layer"] if node["path"] != values["layer"]]
            top = _top(Path(values["layer"]), closure, base)
            with compressed(order.out, values["compressor"]) as out:
                archive = ImageArchive(out, mtime=EPOCH, mode=0o444)
                _write(archive, top, base, name=values["imageName"], tag=tag)


def _top(layer: Path, closure: Iterable[str], base: BaseImage | None) -> TopLayer:
    described = json.loads((layer / "json").read_text())
    below: set[str] = set()
    if base is not None:
        described["parent"] = base.config_name.removesuffix(".json")
        below = set(_names_below(base))
    completed = closure_tar.complete(str(layer / "layer.tar"), closure, below)
    digest = hashlib.sha256()
    for chunk in completed.chunks():
        digest.update(chunk)
    return TopLayer(completed, digest.hexdigest(), described)


def _names_below(base: BaseImage) -> Iterator[str]:
    seen: set[str] = set()
    for layer in base.layers:
        if layer.name not in seen:
            seen.add(layer.name)
            with layer.open_tar() as archive:
                for member in archive:
                    yield closure_tar.plain_name(member.name)


def _config(top: TopLayer, base: BaseImage | None) -> bytes:
    own = {key: value for key, value in top.described.items() if key not in {"checksum", "parent"}}
    env = [*(base.env if base else ()), *((own["config"] or {}).get("Env") or [])]
    config = {**(own["config"] or {}), "Env": env}
    digests = [*(layer.digest for layer in (base.layers if base else ())), top.digest]
    return image_config.pretty(
        {
            **own,
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
            "history": [{"created": own["created"]} for _ in digests],
        },
    )


def _write(archive: ImageArchive, top: TopLayer, base: BaseImage | None, *, name: str, tag: str) -> None:
    layers = base.layers if base else ()
    config = _config(top, base)
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    directory = top.identity
    manifest = image_config.manifest(
        config=config_name,
        repo_tags=[f"{name}:{tag}"],
        layers=[*(layer.name for layer in layers), f"{directory}/layer.tar"],
    )
    archive.add("manifest.json", json.dumps(manifest).encode())
    archive.add(config_name, config)
    archive.add("repositories", json.dumps({name: {tag: directory}}).encode())
    for layer in layers:
        archive.add_stream(layer.name, layer.size, layer.chunks())
    archive.add_directory(f"{directory}/")
    archive.add(f"{directory}/VERSION", b"1.0")
    archive.add(
        f"{directory}/json", image_config.pretty({**top.described, "id": directory, "Size": top.tar.size})
    )
    archive.add_stream(f"{directory}/layer.tar", top.tar.size, top.tar.chunks())
    archive.close()


if __name__ == "__main__":
    main()
