"""`exportImage`: all layers of an image as one tar of the files that are seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import base_image, layer_stack, layer_tar, orders, tar_header
from .tar_header import EPOCH, MemberHeader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .layer_stack import Seen


def main() -> None:
    """Build what Nix orders."""
    with orders.received() as order:
        values = order.values
        repo_tag = f"{values['fromImageName']}:{values['fromImageTag']}" if values["fromImageName"] else None
        with base_image.read(values["fromImage"], repo_tag=repo_tag) as base, order.out.open("wb") as file:
            for chunk in layer_tar.joined(_pieces(layer_stack.flatten(base.layers))):
                file.write(chunk)


def _pieces(seen: dict[str, Seen]) -> Iterator[bytes]:
    root = MemberHeader("./", tar_header.DIRECTORY, 0o755, mtime=EPOCH)
    block = tar_header.header(root, "gnu")
    yield block
    written = len(block)
    for place, file in seen.items():
        member = file.member
        size = member.size if member.isreg() else 0
        block = tar_header.header(
            MemberHeader(
                f"./{place}/" if member.isdir() else f"./{place}",
                tar_header.FILE if member.isreg() else member.type,
                member.mode,
                size,
                EPOCH,
                member.uid,
                member.gid,
                link=member.linkname if member.issym() else "",
                device=(member.devmajor, member.devminor),
            ),
            "gnu",
        )
        yield block
        yield from file.chunks() if size else ()
        yield bytes(tar_header.padding(size))
        written += len(block) + size + tar_header.padding(size)
    yield tar_header.ending(written)


if __name__ == "__main__":
    main()
