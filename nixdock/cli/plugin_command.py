"""`nixdock plugin`: make nixdock available as `docker nixdock`, where the Docker CLI looks for plugins.

The first `docker-nixdock` that it finds is the one it runs; the others are shadowed. It looks into
the `cliPluginsExtraDirs` of its config.json, `cli-plugins` beside that file, and then four system
directories (docker/cli: cli-plugins/manager/manager.go, manager_unix.go).
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

import click

from nixdock import process
from nixdock.cli.options import CommandGroup, Session, output_options, show_json
from nixdock.cli.plugin import METADATA_WORD, NAME
from nixdock.engine.connection.docker_files import config_dir, read_config
from nixdock.errors import UsageError
from nixdock.hints import ourselves_as_root
from nixdock.out import say, say_json, tell
from nixdock.settings import is_there

if TYPE_CHECKING:
    from collections.abc import Mapping

EXECUTABLE: Final = f"docker-{NAME}"
SYSTEM_DIRECTORIES: Final = tuple(
    Path(directory) / "docker" / "cli-plugins"
    for directory in ("/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec")
)
_MARK: Final = "# Written by: nixdock plugin install"
_ANSWER_SECONDS: Final = 20


@dataclass(frozen=True, slots=True)
class Plugin:
    """A `docker-nixdock` in one of the directories; one that does not run has no version."""

    path: Path
    version: str | None
    is_ours: bool


@click.group(cls=CommandGroup)
def command() -> None:
    """Make all this available as docker nixdock.

    The Docker CLI (19.03 or later) runs a plugin of its user: after an install,
    "docker nixdock up hello-docker.nix" is "nixdock up hello-docker.nix".

    \b
    Examples:
      nixdock plugin install            for yourself ($DOCKER_CONFIG, or ~/.docker)
      sudo nixdock plugin install --system
      nixdock plugin status             which one docker would run
    """


_system = click.option("--system", is_flag=True, help=f"For all users, in {SYSTEM_DIRECTORIES[0]}.")


@command.command("install")
@_system
@output_options
@click.pass_obj
def install_command(session: Session, *, system: bool) -> None:
    """Write docker-nixdock into your plugin directory."""
    path = install(SYSTEM_DIRECTORIES[0] if system else user_directory())
    session.tell_note(f"docker nixdock: {path}")
    first = find_plugins()[0].path
    if first != path:
        tell(f"nixdock: warning: docker finds {first} before it")


@command.command("uninstall")
@_system
@output_options
@click.pass_obj
def uninstall_command(session: Session, *, system: bool) -> None:
    """Remove what install wrote."""
    directory = SYSTEM_DIRECTORIES[0] if system else user_directory()
    path = uninstall(directory)
    session.tell_note(f"removed {path}" if path else f"there is no docker-nixdock in {directory}")


@command.command("status")
@show_json
@output_options
@click.pass_obj
def status_command(session: Session, *, as_json: bool) -> int:
    """Say which docker-nixdock the Docker CLI runs, and which are hidden behind it.

    The exit status is 0 when docker nixdock works and 1 when it does not.
    """
    plugins = find_plugins()
    works = bool(plugins) and plugins[0].version is not None
    if as_json:
        say_json(
            [
                {"path": str(plugin.path), "version": plugin.version, "installed_by_nixdock": plugin.is_ours}
                for plugin in plugins
            ]
        )
        return 0 if works else 1
    for number, plugin in enumerate(plugins):
        state = f"version {plugin.version}" if plugin.version else "does not run"
        say(f"{plugin.path}: {state}{', shadowed' if number else ''}")
    if not plugins:
        say("not installed; docker looks into:")
        for directory in list_directories():
            say(f"  {directory}")
    if not works:
        session.tell_note("hint: nixdock plugin install")
    return 0 if works else 1


def list_directories(environ: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Return the directories in the order in which the Docker CLI looks into them."""
    directories = [Path(directory) for directory in read_config(environ).plugin_directories if directory]
    return (*directories, user_directory(environ), *SYSTEM_DIRECTORIES)


def user_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the user's own directory; it may not exist."""
    return config_dir(environ) / "cli-plugins"


def find_plugins(environ: Mapping[str, str] = os.environ) -> tuple[Plugin, ...]:
    """Return every `docker-nixdock` that the Docker CLI could find; it runs the first."""
    paths = [directory / EXECUTABLE for directory in list_directories(environ)]
    return tuple(_examine(path) for path in dict.fromkeys(paths) if is_there(path) and path.is_file())


def install(directory: Path, *, python: str = sys.executable) -> Path:
    """Write a `docker-nixdock` that runs this nixdock, with this Python, and return the file.

    Args:
        directory: Where; made if need be.
        python: The interpreter, as an absolute path: a virtual environment's finds its own packages.

    Raises:
        UsageError: The directory cannot be written, holds a `docker-nixdock` of somebody else, or what
            was written does not run.
    """
    path = directory / EXECUTABLE
    if path.is_symlink() or (is_there(path) and not _is_ours(path)):
        raise UsageError(f"{path} is there, and not from nixdock plugin install", hint=f"rm {path}")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{EXECUTABLE}-", dir=directory)
    except OSError as error:
        raise _cannot_write(directory, error) from error
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
        raise _cannot_write(directory, error) from error
    finally:
        written.unlink(missing_ok=True)
    return path


def uninstall(directory: Path) -> Path | None:
    """Remove what `install` wrote there: return the file that is gone now, or None if there was none.

    Raises:
        UsageError: It is somebody else's, or cannot be removed.
    """
    path = directory / EXECUTABLE
    if not is_there(path) and not path.is_symlink():
        return None
    if path.is_symlink() or not _is_ours(path):
        raise UsageError(f"{path} is not from nixdock plugin install", hint=f"rm {path}")
    try:
        path.unlink()
    except OSError as error:
        raise _cannot_write(directory, error) from error
    return path


def _script(python: str) -> str:
    # Through sh, for a path may have spaces or be longer than a #! line. -P: the current directory,
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


def _cannot_write(directory: Path, error: OSError) -> UsageError:
    hint = "set DOCKER_CONFIG to a folder of yours, or install for all users with --system"
    if directory in SYSTEM_DIRECTORIES:
        hint = ourselves_as_root("plugin install --system")
    return UsageError(f"cannot write to {directory}: {error.strerror}", hint=hint)
