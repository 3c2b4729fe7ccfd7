"""Running the shell text that a user gives for an image, in a directory of the build or with one as `/`.

For the latter a user namespace gives the right to mount and to change the root, and fakeroot inside it
remembers the owners that commands give to files: the kernel would only let them give away what they own.
Programs that are linked statically do not load fakeroot's library, so they cannot change owners.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PRELUDE = """\
source "$stdenv/setup"
set -eE -o pipefail
_failed() {
  local status=$?
  printf 'error: %s failed with status %s at line %s: %s\\n' "$hookName" "$status" "$1" "${2%%$'\\n'*}" >&2
}
trap '_failed "$LINENO" "$BASH_COMMAND"' ERR
source "$hookScript"
"""

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


class HookError(Exception):
    """A user's commands failed; they have said themselves why."""


@dataclass(frozen=True, slots=True)
class Shell:
    """The build environment that commands run in.

    Args:
        bash: The program.
        stdenv: The directory of its functions.
        path: The packages whose programs are there.
    """

    bash: str
    stdenv: str
    path: tuple[str, ...]

    @classmethod
    def from_order(cls, order: dict[str, Any]) -> Shell:
        """Read what the Nix side gives as `shell`."""
        return cls(order["bash"], order["stdenv"], tuple(order["path"]))

    def environment(self, out: Path) -> dict[str, str]:
        """Return the variables that commands see."""
        top = os.environ["NIX_BUILD_TOP"]
        return {
            "stdenv": self.stdenv,
            "initialPath": " ".join(self.path),
            "shell": self.bash,
            "out": str(out),
            "NIX_BUILD_TOP": top,
            "NIX_STORE": "/nix/store",
            **dict.fromkeys(("TMPDIR", "TEMPDIR", "TMP", "TEMP"), top),
        }


def fakeroot_environment() -> dict[str, str]:
    """Return the variables by which a program runs under the same fakeroot as this process does."""
    names = ("FAKEROOTKEY", "FAKED_MODE", "FAKEROOTDONTTRYCHOWN", "LD_PRELOAD")
    return {name: os.environ[name] for name in names}


def run(
    name: str,
    text: str,
    shell: Shell,
    *,
    directory: Path,
    out: Path,
    wrapper: Sequence[str] = (),
    more: dict[str, str] | None = None,
) -> None:
    """Run a user's commands.

    Args:
        name: The argument that the text was given as, for the message of a failure.
        text: Shell text; it ends at the first command that fails.
        shell: The environment it runs in.
        directory: Where it runs.
        out: What `$out` is to it.
        wrapper: The words of a program that runs the shell, such as fakeroot.
        more: Further variables.

    Raises:
        HookError: It failed.
    """
    script = Path(os.environ["NIX_BUILD_TOP"]) / f".{name}.sh"
    script.write_text(text)
    environment = shell.environment(out) | {"hookName": name, "hookScript": str(script)} | (more or {})
    done = subprocess.run(
        [*wrapper, shell.bash, "-c", _PRELUDE],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise HookError(f"{name} of the image failed with status {done.returncode}")


def run_in_root(name: str, text: str, shell: Shell, *, root: Path, out: Path) -> None:
    """Run a user's commands with a directory as their `/`; this process must run under fakeroot.

    What is mounted for them (`/dev`, `/proc`, `/sys`, the build's own directory, and the store paths that the
    directory does not have) is gone afterwards.

    Args:
        name: The argument that the text was given as.
        text: Shell text; it ends at the first command that fails.
        shell: The environment it runs in.
        root: The directory.
        out: What `$out` is to it.

    Raises:
        HookError: It failed.
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
        preload = fakeroot_environment()
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
        run(name, text, shell, directory=root, out=out, wrapper=enter, more=environment)


def _store_paths(root: Path, mounted: ExitStack) -> list[str]:
    """Return what to mount of the store: all of it where the directory has none, else what it lacks."""
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
    """Make what a path can be mounted on, with the directories above it; remove all that again."""
    place = root / path.lstrip("/")
    made = []
    for directory in reversed([parent for parent in place.parents if parent.is_relative_to(root)]):
        if not directory.exists():
            directory.mkdir()
            made.append(directory)
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
