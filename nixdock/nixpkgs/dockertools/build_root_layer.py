"""The layer of a `buildImage` with `runAsRoot`: what commands, run as root on top of the base, made of it.

No virtual machine: a user namespace, and fakeroot in it. This process runs under fakeroot itself, so the
owners that the base's files and the commands ask for are those that the layer says.
"""

from __future__ import annotations

import os
from pathlib import Path

from . import base_image, build_layer, chroot, hooks, layer_stack, orders, tree_tar
from .hooks import Shell
from .root_snapshot import Snapshot
from .root_tree import RootTree


def main() -> None:
    """Build what Nix orders."""
    with orders.received() as order:
        values = order.values
        top = Path(os.environ["NIX_BUILD_TOP"])
        root, layer = top / "root", top / "layer"
        root.mkdir()
        layer.mkdir()
        if values["fromImage"]:
            with base_image.read(values["fromImage"]) as base:
                layer_stack.unpack(layer_stack.flatten(base.layers), root)
        before = Snapshot.take(root)
        tree = RootTree(root, keep_links=values["keepContentsDirlinks"], tell=orders.tell)
        for path in values["copyToRoot"]:
            tree.add(Path(path))
        tree.finish()
        root.chmod(root.stat().st_mode | 0o220)
        shell = Shell.from_order(values["shell"])
        for folder in ("proc", "tmp"):
            (root / folder).mkdir(exist_ok=True)
        chroot.run("runAsRoot", values["runAsRoot"], shell, root=root, out=order.out)
        before.move_new(layer)
        if values["extraCommands"]:
            hooks.run("extraCommands", values["extraCommands"], shell, folder=layer, out=order.out)
        build_layer.write(order.out, values["image"], tree_tar.chunks(str(layer)))


if __name__ == "__main__":
    main()
