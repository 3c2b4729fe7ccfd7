"""Commands that see a folder as `/`, and themselves as root.

A user namespace gives the right to mount and to change the root, and fakeroot inside it remembers the
owners that commands give to files: the kernel would only let them give away what they own. Programs that
are linked statically do not load fakeroot's library, so they cannot change owners.
"""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from . import hooks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .hooks import Shell

STORE = "/nix/store"
SYSTEM = ("/dev", "/proc", "/sys")

# Runs as root of a fresh namespace. busybox is a static program, which no preloaded library confuses.
_ENTER = """\
set -e
root=$1
while read -r path; do
  mount --rbind "$path" "$root$path"
done < "$2"
shift 2
export LD_PRELOAD="$FAKEROOT_LIBRARY"
exec chroot "$root" "$@"
"""


def run(name: str, text: str, shell: Shell, *, root: Path, out: Path) -> None:
    """Run a user's commands with a folder as their `/`; this process must run under fakeroot.

    What is mounted for them (`/dev`, `/proc`, `/sys`, the build's own folder, and the store paths that the
    folder does not have) is gone afterwards.

    Args:
        name: The argument that the text was given as.
        text: Shell text; it ends at the first command that fails.
        shell: The environment it runs in.
        root: The folder.
        out: What `$out` is to it.

    Raises:
        hooks.HookError: It failed.
    """
    top = os.environ["NIX_BUILD_TOP"]
    busybox = shutil.which("busybox") or "busybox"
    with ExitStack() as mounted:
        system = [path for path in SYSTEM if Path(path).exists()]  # Nix has no /sys in its sandbox
        paths = [*system, top, *_store_paths(root, mounted)]
        for path in paths:
            mounted.enter_context(_mount_point(root, path))
        listed = Path(top) / f".{name}-mounts"
        listed.write_text("".join(f"{path}\n" for path in paths))
        preload = hooks.fakeroot_environment()
        environment = preload | {"LD_PRELOAD": "", "FAKEROOT_LIBRARY": preload["LD_PRELOAD"]}
        enter = (
            busybox,
            "unshare",
            "-U",
            "-r",
            "-m",
            busybox,
            "sh",
            "-c",
            _ENTER,
            "sh",
            str(root),
            str(listed),
        )
        hooks.run(name, text, shell, folder=root, out=out, wrapper=enter, more=environment)


def _store_paths(root: Path, mounted: ExitStack) -> list[str]:
    """Return what to mount of the store: all of it where the folder has none, else what it lacks."""
    inside = root / STORE.lstrip("/")
    if not inside.exists():
        return [STORE]
    lacking = []
    for path in sorted(Path(STORE).iterdir()):
        place = inside / path.name
        if os.path.lexists(place):
            continue
        if path.is_symlink():
            # Nothing can be mounted on a link.
            place.symlink_to(path.readlink())
            mounted.callback(place.unlink)
        elif not path.name.startswith("."):
            lacking.append(str(path))
    return lacking


@contextmanager
def _mount_point(root: Path, path: str) -> Iterator[None]:
    """Make what a path can be mounted on, with the folders above it; remove all that again."""
    place = root / path.lstrip("/")
    made = []
    for folder in reversed([parent for parent in place.parents if parent.is_relative_to(root)]):
        if not folder.exists():
            folder.mkdir()
            made.append(folder)
    if not os.path.lexists(place):
        if Path(path).is_dir():
            place.mkdir()
        else:
            place.touch()
        made.append(place)
    yield
    for item in reversed(made):
        if item.is_dir():
            if not any(item.iterdir()):
                item.rmdir()
        else:
            item.unlink()
