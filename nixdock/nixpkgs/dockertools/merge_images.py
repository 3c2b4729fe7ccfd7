"""`mergeImages`: several archives as one, with the layers that they share once."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any

from . import base_image, image_config, orders
from .base_image import BaseImageError
from .image_archive import ImageArchive, compressed
from .tar_header import EPOCH

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Iterator, Sequence

_KINDS = {b"\x1f\x8b": "gz", b"\x28\xb5\x2f\xfd": "zstd"}


def main() -> None:
    """Build what Nix orders: `images`, in whose order the first to have a file gives it."""
    with orders.received() as order, ExitStack() as files:
        paths: list[str] = order.values["images"]
        archives = [base_image.open_archive(path, files) for path in paths]
        manifest: list[Any] = []
        repositories: dict[str, dict[str, str]] = {}
        for path, (_, archive) in zip(paths, archives, strict=True):
            manifest += json.loads(base_image.member_bytes(path, archive, "manifest.json"))
            for name, tags in _repositories(path, archive).items():
                repositories.setdefault(name, {}).update(tags)
        # The compression of the last one is that of all.
        with compressed(order.out, _kind(paths)) as out:
            merged = ImageArchive(out, mtime=EPOCH, mode=0o444)
            merged.add("manifest.json", image_config.pretty(manifest))
            if repositories:
                merged.add("repositories", image_config.pretty(repositories))
            for file, archive in archives:
                _add(merged, file, archive)
            merged.close()


def _repositories(path: str, archive: tarfile.TarFile) -> dict[str, dict[str, str]]:
    try:
        tags: dict[str, dict[str, str]] = json.loads(base_image.member_bytes(path, archive, "repositories"))
    except BaseImageError:
        return {}  # Layered images have none.
    return tags


def _add(merged: ImageArchive, file: IO[bytes], archive: tarfile.TarFile) -> None:
    members = sorted((member for member in archive if member.isreg()), key=lambda member: "/" in member.name)
    for member in members:
        merged.add_stream(member.name.removeprefix("./"), member.size, _content(file, member))
    for member in archive:
        if member.issym() or member.islnk():
            target = base_image.find(archive, member.name)
            if target is not None:
                merged.add_stream(member.name.removeprefix("./"), target.size, _content(file, target))


def _content(file: IO[bytes], member: tarfile.TarInfo) -> Iterator[bytes]:
    return base_image.slice_of(file, member.offset_data, member.size)


def _kind(paths: Sequence[str]) -> str:
    with open(paths[-1], "rb") as file:  # noqa: PTH123 - as in `base_image`
        start = file.read(4)
    return next((kind for magic, kind in _KINDS.items() if start.startswith(magic)), "none")


if __name__ == "__main__":
    main()
