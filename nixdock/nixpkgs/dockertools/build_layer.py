"""The layer of a `buildImage`: `layer.tar`, `json` and `VERSION`.

What it refers to (in the files, or in the config that is part of `json`) is what the image will hold.

With `runAsRoot` it is what commands, run as root on top of the base, made of it. There is no virtual machine,
but a user namespace with fakeroot in it. This process runs under fakeroot itself then, so the owners that the
base's files and the commands ask for are those that the layer says.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import base_image, hooks, image_config, layer_stack, orders, tarsum, tree_tar
from .hooks import Shell
from .root_tree import RootTree, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAKES_TMP = re.compile(r"""mkdir\b[^\n;|&]*\s/?tmp/?(?=[\s;|&)"']|$)""")


def main() -> None:
    """Build what Nix orders."""
    with orders.received() as order:
        values = order.values
        layer = Path(os.environ["NIX_BUILD_TOP"]) / "layer"
        layer.mkdir()
        if values.get("runAsRoot") is not None:
            owner = None
            fill_as_root(layer, values, order.out)
        else:
            owner = (int(values["uid"]), int(values["gid"]))
            fill(layer, values, order.out)
        write(order.out, values["image"], tree_tar.chunks(str(layer), owner=owner))


def write(out: Path, image: dict[str, Any], chunks: Iterable[bytes]) -> None:
    """Write a layer's directory.

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
    """Put the image's own files into a directory.

    Args:
        root: The directory; it is there and empty.
        values: The order.
        out: Where the derivation's result goes.
    """
    _copy(root, values)
    if values["extraCommands"]:
        shell = Shell.from_order(values["shell"])
        hooks.run("extraCommands", values["extraCommands"], shell, directory=root, out=out)


def fill_as_root(layer: Path, values: dict[str, Any], out: Path) -> None:
    """Put into a directory what commands, run as root on top of the base, made of it.

    Args:
        layer: The directory; it is there and empty.
        values: The order.
        out: Where the derivation's result goes.
    """
    root = layer.parent / "root"
    root.mkdir()
    if values["fromImage"]:
        with base_image.read(values["fromImage"]) as base:
            layer_stack.unpack(layer_stack.flatten(base.layers), root)
    before = Snapshot.take(root)
    _copy(root, values)
    shell = Shell.from_order(values["shell"])
    (root / "proc").mkdir(exist_ok=True)
    # It is there in today's nixpkgs; in that of yesterday it was not, and commands made it themselves.
    if not _MAKES_TMP.search(values["runAsRoot"]):
        (root / "tmp").mkdir(exist_ok=True)
    hooks.run_in_root("runAsRoot", values["runAsRoot"], shell, root=root, out=out)
    before.move_new(layer)
    if values["extraCommands"]:
        hooks.run("extraCommands", values["extraCommands"], shell, directory=layer, out=out)


def _copy(root: Path, values: dict[str, Any]) -> None:
    tree = RootTree(root, keep_links=values["keepContentsDirlinks"], tell=orders.tell)
    for path in values["copyToRoot"]:
        tree.add(Path(path))
    tree.finish()
    root.chmod(root.stat().st_mode | 0o220)


if __name__ == "__main__":
    main()
