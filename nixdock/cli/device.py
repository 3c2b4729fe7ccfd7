"""`nixdock device`: an image's store paths as a device, for anybody's `docker run`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nixdock.cli.options import CommandGroup, Session, session_options, show_json
from nixdock.cli.target_options import FILE, SectionedCommand, nix_options, scripts_option, target_argument
from nixdock.out import say, say_json
from nixdock.text import format_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nixdock.nix.command import NixOptions
    from nixdock.usecases.device import Device

_directory = click.option(
    "--cdi-dir",
    "directory",
    type=FILE,
    metavar="DIR",
    help="Directory of the device's file; one in which the engine looks: its first unless told.",
)


@click.group(cls=CommandGroup)
def command() -> None:
    """Give an image's store paths to any container as a device.

    The device is a file that engines read (CDI): it mounts the store paths from this machine, read-only.
    Its image is in the engine without them, so that nothing is copied. From then on every docker run,
    compose file (devices:) and podman run can have both. Docker takes such devices since 28, or since
    25 with its feature cdi; Podman since 4.3.

    \b
    Examples:
      sudo nixdock device add web.nix
      docker run --device nixdock.io/closure=web nixdock.invalid/closure/web
      nixdock device ls
      sudo nixdock device rm web
    """


@command.command("add", cls=SectionedCommand)
@click.option(
    # By another word than docker's --name, whose section of the help it is not in.
    *("--name", "device_name"),
    metavar="NAME",
    help="The device's name; the last part of the image's unless told.",
)
@_directory
@show_json
@session_options
@scripts_option
@nix_options
@target_argument
@click.pass_obj
def add_command(session: Session, /, target: str | None, nix: NixOptions, **given: Any) -> None:  # noqa: ANN401
    """Make a device of the store paths of TARGET, and print what docker run --device takes.

    Its image, without store paths, is nixdock.invalid/closure/NAME. The store paths are kept from Nix's
    garbage collector until the device is removed. One of this name is replaced: containers get the new
    store paths when they start, so those made of its image before must be made again.

    The file goes into a directory of the engine's, mostly /etc/cdi, which root may write to.
    """
    from nixdock.nix.target import parse  # noqa: PLC0415  # nothing of Nix or the engine is imported for --help
    from nixdock.usecases.device import add_device  # noqa: PLC0415

    found = parse(target, expression=nix.expression)
    with session.connect() as engine:
        device = add_device(
            *(engine, found, nix, session.listener),
            name=given["device_name"],
            directory=_absolute(given["directory"]),
        )
    session.close()
    if given["as_json"]:
        say_json(_describe(device))
    else:
        say(device.id)


@command.command("ls")
@_directory
@show_json
@session_options
@click.pass_obj
def list_command(session: Session, *, directory: Path | None, as_json: bool) -> None:
    """List the devices, and say which are broken; adding one again mends it."""
    from nixdock.usecases.device import list_devices  # noqa: PLC0415  # as in add_command

    with session.connect() as engine:
        devices = list_devices(engine, _absolute(directory))
    session.close()
    if as_json:
        say_json([_describe(device) for device in devices])
        return
    rows = [("NAME", "IMAGE", "PATHS", "SIZE", "STATE"), *map(_row, devices)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        padded = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False))
        say("   ".join([*padded, row[4]]))


@command.command("rm")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("-f", "--force", is_flag=True, help="Remove devices, too, that containers have.")
@_directory
@session_options
@click.pass_obj
def remove_command(session: Session, names: Sequence[str], *, force: bool, directory: Path | None) -> None:
    """Remove devices and their images; their store paths are left to Nix's garbage collector."""
    from nixdock.usecases.device import remove_device  # noqa: PLC0415  # as in add_command

    with session.connect() as engine:
        for name in names:
            removed = remove_device(
                engine, name, session.listener, directory=_absolute(directory), force=force
            )
            say(removed)


def _absolute(directory: Path | None) -> Path | None:
    return None if directory is None else directory.absolute()


def _row(device: Device) -> tuple[str, ...]:
    state = f"broken: {', '.join(device.faults)}" if device.faults else "ok"
    size = "?" if device.size is None else format_bytes(device.size)
    return (device.name, device.image, str(len(device.paths)), size, state)


def _describe(device: Device) -> dict[str, Any]:
    return {
        "device": device.id,
        "name": device.name,
        "image": device.image,
        "image_id": device.image_id,
        "file": str(device.file),
        "paths": list(device.paths),
        "size": device.size,
        "state": "broken" if device.faults else "ok",
        "faults": list(device.faults),
    }
