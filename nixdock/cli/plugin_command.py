"""`nixdock plugin`: make nixdock available as `docker nixdock`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nixdock.cli.options import CommandGroup, Session, output_options, show_json
from nixdock.cli.plugin_folders import (
    SYSTEM_FOLDERS,
    find_plugins,
    install,
    list_folders,
    uninstall,
    user_folder,
)
from nixdock.out import say, say_json, tell

if TYPE_CHECKING:
    from pathlib import Path

    from nixdock.cli.plugin_folders import Plugin


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
    """  # noqa: D301  # \b is click's own mark


_system = click.option("--system", is_flag=True, help=f"For all users, in {SYSTEM_FOLDERS[0]}.")


@command.command("install")
@_system
@output_options
@click.pass_obj
def install_command(session: Session, *, system: bool) -> None:
    """Write docker-nixdock into your plugin folder."""
    path = install(_choose_folder(system=system))
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
    folder = _choose_folder(system=system)
    path = uninstall(folder)
    session.tell_note(f"removed {path}" if path else f"there is no docker-nixdock in {folder}")


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
        say_json([_as_json(plugin) for plugin in plugins])
        return 0 if works else 1
    for number, plugin in enumerate(plugins):
        state = f"version {plugin.version}" if plugin.version else "does not run"
        say(f"{plugin.path}: {state}{', shadowed' if number else ''}")
    if not plugins:
        say("not installed; docker looks into:")
        for folder in list_folders():
            say(f"  {folder}")
    if not works:
        session.tell_note("hint: nixdock plugin install")
    return 0 if works else 1


def _choose_folder(*, system: bool) -> Path:
    return SYSTEM_FOLDERS[0] if system else user_folder()


def _as_json(plugin: Plugin) -> dict[str, object]:
    return {"path": str(plugin.path), "version": plugin.version, "installed_by_nixdock": plugin.is_ours}
