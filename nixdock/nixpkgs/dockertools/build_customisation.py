"""The topmost layer of a layered image: its own files as `layer.tar`, with the `checksum` beside it."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from . import hooks, orders, tree_tar
from .hooks import Shell


def main() -> None:
    """Build what Nix orders; with commands for a fake root this process runs under fakeroot."""
    with orders.received() as order:
        values = order.values
        root = Path(os.environ["NIX_BUILD_TOP"]) / "layer"
        root.mkdir()
        if values["contents"]:
            _copy_links(Path(values["contents"]), root)
        order.out.mkdir()
        shell = Shell.from_order(values["shell"]) if values["shell"] else None
        if shell and values["extraCommands"]:
            hooks.run("extraCommands", values["extraCommands"], shell, directory=root, out=order.out)
        excluded: tuple[str, ...] = ()
        if shell and values["fakeRootCommands"]:
            excluded = _run_as_fake_root(
                values["fakeRootCommands"], shell, root, order.out, values["enableFakechroot"]
            )
        # Without such commands everything is root's, whoever builds it.
        owner = None if values["fakeRootCommands"] else (0, 0)
        digest = hashlib.sha256()
        with (order.out / "layer.tar").open("wb") as file:
            for chunk in tree_tar.chunks(str(root), owner=owner, without=excluded):
                digest.update(chunk)
                file.write(chunk)
        (order.out / "checksum").write_text(digest.hexdigest() + "\n")


def _run_as_fake_root(text: str, shell: Shell, root: Path, out: Path, enable_chroot: bool) -> tuple[str, ...]:
    """Run the commands; return what of the tree is not the image's."""
    if enable_chroot:
        hooks.run_in_root("fakeRootCommands", text, shell, root=root, out=out)
        return tuple(f".{path}" for path in (*hooks.SYSTEM, hooks.STORE, os.environ["NIX_BUILD_TOP"]))
    hooks.run("fakeRootCommands", text, shell, directory=root, out=out, more=hooks.fakeroot_environment())
    return ()


def _copy_links(source: Path, target: Path) -> None:
    """Copy a tree of directories and links; its directories can be written to."""
    for entry in sorted(source.iterdir()):
        place = target / entry.name
        if entry.is_symlink():
            place.symlink_to(entry.readlink())
        elif entry.is_dir():
            place.mkdir()
            _copy_links(entry, place)
        else:
            shutil.copyfile(entry, place)
            shutil.copymode(entry, place)


if __name__ == "__main__":
    main()
