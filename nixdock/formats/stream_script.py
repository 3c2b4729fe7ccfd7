"""The script that streamLayeredImage builds: its conf is read instead of running it.

The file is a short shell script whose last command runs nixpkgs' streamer with a conf in the store.
Where that conf is understood in full, nothing is run. Any other script that is to write an image is run
only where Nix made it, and what it writes is kept in a temporary file without a name.
"""

from __future__ import annotations

import os
import re
import tempfile
from enum import Enum
from typing import TYPE_CHECKING, Final

from nixdock import process
from nixdock.errors import LoadError
from nixdock.events import Warned
from nixdock.formats.source import open_stream
from nixdock.nix.store import store_path_of

if TYPE_CHECKING:
    from pathlib import Path

    from nixdock.events import Listener
    from nixdock.formats.door import StoreDoor
    from nixdock.formats.source import OpenFileBytes

SCRIPT_LIMIT: Final = 64 * 1024
"""Bytes that a wrapper script may have to be looked into."""

_CONF: Final = re.compile(rb"(/[^\s\"'$`]+/[0-9a-z]{32}-[^\s\"'$`]*conf\.json)")
_TAIL: Final = 2000


class Scripts(Enum):
    """What is done with a script of the Nix store that writes an image."""

    RUN = "run"
    """It is run: whoever asks has just built it."""
    ANNOUNCE = "announce"
    """It is run, and told before."""
    REFUSE = "refuse"


def find_conf(script: bytes) -> str | None:
    """Return what a stream script runs its streamer with, or None where there is no single conf.

    Args:
        script: The text of the script.
    """
    command = script.rstrip().rpartition(b"\n")[2]
    named = set(_CONF.findall(command))
    if not command.lstrip().startswith(b"exec") or len(named) != 1:
        return None
    return os.fsdecode(named.pop())


def run_script(path: Path, scripts: Scripts, door: StoreDoor, listener: Listener) -> OpenFileBytes:
    """Run a script of the store and keep the archive that it writes.

    Args:
        path: The script.
        scripts: Whether it is run at all.
        door: Knows what is valid in the store.
        listener: Told of it, and how much it has written.

    Raises:
        LoadError: It is none of the Nix store's, may not be executed, or fails.
    """
    real = path.resolve()
    if store_path_of(real) is None or not os.access(real, os.X_OK):
        raise LoadError(
            f"{path} is a script, not an image, and no script of the Nix store that could be run for one",
            hint=f"if it writes an image: {path} | nixdock load",
        )
    (real,) = door.admit(str(path), files=[str(real)])
    match scripts:
        case Scripts.REFUSE:
            raise LoadError(
                f"{path} is a script that would have to be run for its image, and --no-scripts forbids that",
                hint="leave --no-scripts out, or build an archive",
            )
        case Scripts.ANNOUNCE:
            listener(Warned(f"running {real}, which this command did not build: it writes the image"))
    with tempfile.TemporaryFile() as told:
        running = process.start([real], stdout=process.PIPE, stderr=told)
        try:
            if running.stdout is None:
                raise AssertionError("a pipe was asked for")
            with running.stdout as output:
                archive = open_stream(output, listener)
            status = running.wait()
        finally:
            if running.poll() is None:
                running.kill()
                running.wait()
        if status != 0:
            told.seek(max(0, told.seek(0, os.SEEK_END) - _TAIL))
            raise LoadError(
                f"{path} failed with status {status} while it wrote the image",
                details=told.read().decode(errors="replace").strip() or None,
            )
    archive.name = str(path)
    return archive
