"""`nixdock engine`: an engine of nixdock's own, for machines where none answers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from nixdock.cli.options import CommandGroup, Session, session_options, show_json
from nixdock.engine.daemon.home import find_home
from nixdock.engine.daemon.lifecycle import start, stop
from nixdock.errors import EngineError
from nixdock.out import say, say_json

if TYPE_CHECKING:
    from nixdock.engine.connection.address import Address


@click.group(cls=CommandGroup)
def command() -> None:
    """Start, stop and ask about an engine of nixdock's own.

    A machine without an init system has nobody who starts an installed dockerd. This does, with
    directories of its own below /var/lib/nixdock/engine, and never stops an engine that it did not start.

    \b
    Examples:
      sudo nixdock engine start
      nixdock engine status --json
      sudo nixdock engine stop
    """


@command.command("start")
@session_options
@click.pass_obj
def start_command(session: Session) -> None:
    """Start dockerd, unless an engine answers already.

    It listens where every command looks for the engine: the socket in DOCKER_HOST, or
    /var/run/docker.sock. It is ready when this returns.
    """
    address = session.address()
    daemon = start(address, find_home(), listener=session.listener)
    session.close()
    whose = f"nixdock's own, pid {daemon.pid}" if daemon else "not started by nixdock"
    session.tell_note(f"engine: {address.url} ({whose})")


@command.command("stop")
@session_options
@click.pass_obj
def stop_command(session: Session) -> None:
    """Stop the engine that start started; its images and volumes stay."""
    daemon = stop(find_home(), listener=session.listener)
    session.close()
    session.tell_note(f"stopped: {daemon.url}" if daemon else "no engine of nixdock's own runs")


@command.command("status")
@show_json
@session_options
@click.pass_obj
def status_command(session: Session, *, as_json: bool) -> int:
    """Say which engine answers, and whether it is nixdock's own.

    The exit status is 0 when an engine answers and 125 when none does.
    """
    address = session.address()
    failure: EngineError | None = None
    facts: dict[str, Any] = {"address": address.url, "chosen_by": address.source, "running": True}
    try:
        with session.connect() as engine:
            facts |= {"product": engine.version.product, "version": engine.version.version}
    except EngineError as error:
        failure = error
        facts |= {"running": False}
    facts |= _own(address)
    if as_json:
        say_json(facts)
    elif failure is None:
        whose = f"nixdock's own, pid {facts['pid']}, {facts['folder']}" if facts["own"] else address.source
        say(f"running: {address.url}: {facts['product']} {facts['version']} ({whose})")
    else:
        say(f"not running: {address.url} ({address.source})")
    if failure is None:
        return 0
    if not as_json:
        raise failure
    return failure.exit_code


def _socket(url: str) -> str:
    # Only a path is looked at: anything else would be taken for one below the working directory.
    path = url.removeprefix("unix://")
    return os.path.realpath(path) if path.startswith("/") else url


def _own(address: Address) -> dict[str, Any]:
    home = find_home()
    daemon = home.read()
    if daemon is None or _socket(daemon.url) != _socket(address.url):
        return {"own": False}
    return {"own": True, "pid": daemon.pid, "folder": str(home.directory)}
