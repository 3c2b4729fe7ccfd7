"""The executable that streamLayeredImage builds: its conf is read instead of running it.

The file is a short shell script whose last command runs nixpkgs' streamer with a conf in the store.
Where that conf is understood in full, nothing is run. Any other executable of the store that is to
write an image is run, and what it writes is kept in a temporary file without a name.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nixdock import process
from nixdock.errors import LoadError
from nixdock.formats.source import open_stream
from nixdock.formats.stream_conf import is_conf

if TYPE_CHECKING:
    from nixdock.events import Listener
    from nixdock.formats.source import OpenFileBytes

SCRIPT_LIMIT: Final = 64 * 1024
"""Bytes that a wrapper script may have to be looked into."""

_CONF: Final = re.compile(rb"(/[^\s\"'$`]+/[0-9a-z]{32}-[^\s\"'$`]*conf\.json)")
_IN_STORE: Final = re.compile(r".*/[0-9a-z]{32}-[^/]+(/.*)?")
_TAIL: Final = 2000


def find_conf(script: bytes) -> tuple[Path, bytes] | None:
    """Return the conf that a stream script runs its streamer with, or None where there is no single one.

    Args:
        script: The text of the script.
    """
    command = script.rstrip().rpartition(b"\n")[2]
    named = set(_CONF.findall(command))
    if not command.lstrip().startswith(b"exec") or len(named) != 1:
        return None
    path = Path(os.fsdecode(named.pop()))
    try:
        data = path.read_bytes()
        return (path, data) if is_conf(json.loads(data)) else None
    except (OSError, ValueError):
        # The script itself will say what is wrong with it.
        return None


def run_script(path: Path, listener: Listener) -> OpenFileBytes:
    """Run an executable of the store and keep the archive that it writes.

    Args:
        path: The executable.
        listener: Told how much it has written.

    Raises:
        LoadError: It is not in a Nix store, may not be executed, or fails.
    """
    real = path.resolve()
    if not _IN_STORE.fullmatch(str(real)) or not os.access(real, os.X_OK):
        raise LoadError(
            f"{path} is a script, not an image, and no script of the Nix store that could be run for one",
            hint=f"if it writes an image: {path} | nixdock load",
        )
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
