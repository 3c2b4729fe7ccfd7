"""Where the Docker CLI looks for its plugins, and ours in there.

The first `docker-nixdock` that it finds is the one it runs; the others are shadowed. It looks into
the `cliPluginsExtraDirs` of its config.json, `cli-plugins` beside that file, and then four system
folders (docker/cli: cli-plugins/manager/manager.go, manager_unix.go).
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nixdock import process
from nixdock.cli.plugin import METADATA_WORD, NAME
from nixdock.engine.connection.docker_files import config_dir, read_config
from nixdock.errors import UsageError
from nixdock.hints import ourselves_as_root
from nixdock.settings import is_there

if TYPE_CHECKING:
    from collections.abc import Mapping

EXECUTABLE: Final = f"docker-{NAME}"
SYSTEM_FOLDERS: Final = tuple(
    Path(folder) / "docker" / "cli-plugins"
    for folder in ("/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec")
)
_MARK: Final = "# Written by: nixdock plugin install"
_ANSWER_SECONDS: Final = 20


@dataclass(frozen=True, slots=True)
class Plugin:
    """A `docker-nixdock` in one of the folders.

    Args:
        path: The file.
        version: The version it tells; None where it does not run.
        is_ours: Whether `nixdock plugin install` wrote it.
    """

    path: Path
    version: str | None
    is_ours: bool


def list_folders(environ: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Return the folders in the order in which the Docker CLI looks into them.

    Args:
        environ: The environment, for DOCKER_CONFIG and HOME.
    """
    folders = [Path(folder) for folder in read_config(environ).plugin_directories if folder]
    return (*folders, user_folder(environ), *SYSTEM_FOLDERS)


def user_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the user's own folder; it may not exist."""
    return config_dir(environ) / "cli-plugins"


def find_plugins(environ: Mapping[str, str] = os.environ) -> tuple[Plugin, ...]:
    """Return every `docker-nixdock` that the Docker CLI could find; it runs the first."""
    paths = [folder / EXECUTABLE for folder in list_folders(environ)]
    return tuple(_examine(path) for path in dict.fromkeys(paths) if is_there(path) and path.is_file())


def install(folder: Path, *, python: str = sys.executable) -> Path:
    """Write a `docker-nixdock` that runs this nixdock, with this Python.

    Args:
        folder: Where; made if need be.
        python: The interpreter, as an absolute path: a virtual environment's finds its own packages.

    Returns:
        The file.

    Raises:
        UsageError: The folder cannot be written, holds a `docker-nixdock` of somebody else, or what
            was written does not run.
    """
    path = folder / EXECUTABLE
    if path.is_symlink() or (is_there(path) and not _is_ours(path)):
        raise UsageError(f"{path} is there, and not from nixdock plugin install", hint=f"rm {path}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{EXECUTABLE}-", dir=folder)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    written = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(_script(python))
        written.chmod(0o755)
        if _ask_version(written) is None:
            raise UsageError(
                f"{python} cannot run nixdock by itself",
                hint="install nixdock into that Python's environment; PYTHONPATH is not seen by docker",
            )
        written.replace(path)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    finally:
        written.unlink(missing_ok=True)
    return path


def uninstall(folder: Path) -> Path | None:
    """Remove what `install` wrote there.

    Args:
        folder: Where it was installed.

    Returns:
        The file that is gone now, or None if there was none.

    Raises:
        UsageError: It is somebody else's, or cannot be removed.
    """
    path = folder / EXECUTABLE
    if not is_there(path) and not path.is_symlink():
        return None
    if path.is_symlink() or not _is_ours(path):
        raise UsageError(f"{path} is not from nixdock plugin install", hint=f"rm {path}")
    try:
        path.unlink()
    except OSError as error:
        raise _cannot_write(folder, error) from error
    return path


def _script(python: str) -> str:
    # Through sh, for a path may have spaces or be longer than a #! line. -P: the current folder,
    # whatever lies there, is no place to import from.
    code = "from nixdock.cli.plugin import main; main()"
    return f'#!/bin/sh\n{_MARK}\nexec {shlex.quote(python)} -P -c {shlex.quote(code)} "$@"\n'


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _MARK.encode() in file.read(512)
    except OSError:
        return False


def _examine(path: Path) -> Plugin:
    return Plugin(path, _ask_version(path), is_ours=_is_ours(path))


def _ask_version(path: Path) -> str | None:
    """Ask a plugin for its metadata as the Docker CLI does; return its version, or None."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        outcome = process.run([path, METADATA_WORD], env=environ, timeout=_ANSWER_SECONDS)
        answer: Any = json.loads(outcome.stdout) if outcome else None
    except (OSError, ValueError):
        return None
    version = answer.get("Version") if isinstance(answer, dict) else None
    return version if isinstance(version, str) else None


def _cannot_write(folder: Path, error: OSError) -> UsageError:
    hint = "set DOCKER_CONFIG to a folder of yours, or install for all users with --system"
    if folder in SYSTEM_FOLDERS:
        hint = ourselves_as_root("plugin install --system")
    return UsageError(f"cannot write to {folder}: {error.strerror}", hint=hint)
