"""Running the shell text that a user gives for an image."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_PRELUDE = """\
source "$stdenv/setup"
set -eE -o pipefail
_failed() {
  local status=$?
  printf 'error: %s failed with status %s at line %s: %s\\n' "$hookName" "$status" "$1" "$2" >&2
}
trap '_failed "$LINENO" "$BASH_COMMAND"' ERR
source "$hookScript"
"""


class HookError(Exception):
    """A user's commands failed; they have said themselves why."""


@dataclass(frozen=True, slots=True)
class Shell:
    """The build environment that commands run in.

    Args:
        bash: The program.
        stdenv: The folder of its functions.
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
    folder: Path,
    out: Path,
    wrapper: Sequence[str] = (),
    more: dict[str, str] | None = None,
) -> None:
    """Run a user's commands.

    Args:
        name: The argument that the text was given as, for the message of a failure.
        text: Shell text; it ends at the first command that fails.
        shell: The environment it runs in.
        folder: Where it runs.
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
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise HookError(f"{name} of the image failed with status {done.returncode}")
