"""The layer of a `buildImage`: `layer.tar`, `json` and `VERSION`.

What it refers to (in the files, or in the config that is part of `json`) is what the image will hold.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import hooks, image_config, orders, tarsum, tree_tar
from .hooks import Shell
from .root_tree import RootTree

if TYPE_CHECKING:
    from collections.abc import Iterable


def main() -> None:
    """Build what Nix orders."""
    with orders.received() as order:
        values = order.values
        root = Path(os.environ["NIX_BUILD_TOP"]) / "layer"
        root.mkdir()
        fill(root, values, order.out)
        owner = (int(values["uid"]), int(values["gid"]))
        write(order.out, values["image"], tree_tar.chunks(str(root), owner=owner))


def write(out: Path, image: dict[str, Any], chunks: Iterable[bytes]) -> None:
    """Write a layer's folder.

    Args:
        out: Where; it is not there yet.
        image: What its JSON says of the image.
        chunks: The bytes of its tar.
    """
    out.mkdir()
    layer = out / "layer.tar"
    with layer.open("wb") as file:
        file.writelines(chunks)
    with layer.open("rb") as file:
        described = {**image, "checksum": tarsum.compute(file)}
    if described["created"] == "now":
        described["created"] = image_config.timestamp("now").isoformat(timespec="seconds")
    (out / "json").write_bytes(image_config.pretty(described))
    (out / "VERSION").write_text("1.0")


def fill(root: Path, values: dict[str, Any], out: Path) -> None:
    """Put the image's own files into a folder.

    Args:
        root: The folder; it is there and empty.
        values: The order.
        out: Where the derivation's result goes.
    """
    tree = RootTree(root, keep_links=values["keepContentsDirlinks"], tell=orders.tell)
    for path in values["copyToRoot"]:
        tree.add(Path(path))
    tree.finish()
    root.chmod(root.stat().st_mode | 0o220)
    if values["extraCommands"]:
        shell = Shell.from_order(values["shell"])
        hooks.run("extraCommands", values["extraCommands"], shell, folder=root, out=out)


if __name__ == "__main__":
    main()
