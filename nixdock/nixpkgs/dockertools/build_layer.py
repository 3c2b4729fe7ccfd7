"""The layer of a `buildImage`: `layer.tar`, `json` and `VERSION`.

What it refers to (in the files, or in the config that is part of `json`) is what the image will hold.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from . import hooks, image_config, orders, tarsum, tree_tar
from .hooks import Shell
from .root_tree import RootTree


def main() -> None:
    """Build what Nix orders."""
    with orders.received() as order:
        values = order.values
        root = Path(os.environ["NIX_BUILD_TOP"]) / "layer"
        root.mkdir()
        fill(root, values, order.out)
        order.out.mkdir()
        layer = order.out / "layer.tar"
        with layer.open("wb") as file:
            for chunk in tree_tar.chunks(str(root), owner=(int(values["uid"]), int(values["gid"]))):
                file.write(chunk)
        with layer.open("rb") as file:
            checksum = tarsum.compute(file)
        described = {**values["image"], "checksum": checksum}
        if described["created"] == "now":
            described["created"] = image_config.timestamp("now").isoformat(timespec="seconds")
        (order.out / "json").write_bytes(image_config.pretty(described))
        (order.out / "VERSION").write_text("1.0")


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
