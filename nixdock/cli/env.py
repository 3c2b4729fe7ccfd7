"""`nixdock env`: what hand-typed nix-build and docker need in the user's shell."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

from nixdock.cli.options import HelpfulCommand, Session, session_options, show_json
from nixdock.engine.connection.address import DEFAULT_SOCKET
from nixdock.engine.daemon.home import find_home
from nixdock.events import Notice
from nixdock.nix import package_set
from nixdock.nix.command import NixOptions
from nixdock.nix.settings import find_settings, find_shell
from nixdock.nixpkgs.assembly import offline_set
from nixdock.out import say_exactly, say_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nixdock.nix.package_set import PackageSet

_DEFAULT_URL: Final = f"unix://{DEFAULT_SOCKET}"


@click.command(cls=HelpfulCommand)
@click.option(
    "--shell",
    type=click.Choice(["bash", "fish"]),
    default="bash",
    help="Whose syntax; bash's is sh's and zsh's.",
)
@click.option("--nixpkgs", metavar="PATH", help="What <nixpkgs> shall mean, before NIX_PATH and channels.")
@show_json
@session_options
@click.pass_obj
def command(session: Session, *, shell: str, nixpkgs: str | None, as_json: bool) -> None:
    """Print what nix-build and docker need in your shell.

    Where <nixpkgs> means nothing yet it becomes nixdock's offline package set, made of this
    machine's Debian packages; an unconfigured Nix is told how to build here. A machine that is
    configured needs nothing, and nothing is printed.

    \b
    Examples:
      eval "$(nixdock env)"
      nix-build hello-docker.nix
      docker load < result
      nixdock env --shell fish | source
    """
    chosen = package_set.choose(nixpkgs, listener=session.listener)
    session.tell(Notice(chosen.sentence))
    variables = find_variables(session, chosen, os.environ)
    session.close()
    if as_json:
        say_json(variables)
        return
    write = write_fish if shell == "fish" else write_export
    for name, value in variables.items():
        # A shell obeys it: not a byte of a value may change.
        say_exactly(write(name, value))
    if sys.stdout.isatty():
        line = "nixdock env --shell fish | source" if shell == "fish" else 'eval "$(nixdock env)"'
        session.tell_note(f"hint: to have it in this shell: {line}")


def find_variables(session: Session, chosen: PackageSet, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables to set, by name; what is right already is said again, so that it stays.

    Args:
        session: For the engine's address.
        chosen: What `<nixpkgs>` is to mean.
        environ: The environment of the shell.

    Raises:
        UsageError: The engine's address cannot be read.
    """
    variables: dict[str, str] = {}
    shell = None
    if chosen.is_offline:
        # By the name that stays when apt's lists change: a shell may live for weeks.
        directory = offline_set.stable_path()
        variables["NIX_PATH"] = _add_to_search_path(str(directory), environ)
        shell = find_shell(directory)
    elif chosen.kind is package_set.ChosenBy.NAMED:
        variables["NIX_PATH"] = _add_to_search_path(chosen.target, environ)
    settings = find_settings(NixOptions(), shell=shell, strict=False).as_nix_config()
    if settings:
        before = environ.get("NIX_CONFIG", "").rstrip("\n")
        variables["NIX_CONFIG"] = f"{before}\n{settings}" if before else settings
    host = _find_host(session, environ)
    if host:
        variables["DOCKER_HOST"] = host
    return variables


def _add_to_search_path(path: str, environ: Mapping[str, str]) -> str:
    entries = package_set.split_search_path(environ.get("NIX_PATH", ""))
    return ":".join([f"nixpkgs={path}", *(entry for entry in entries if not entry.startswith("nixpkgs="))])


def _find_host(session: Session, environ: Mapping[str, str]) -> str | None:
    """Return the engine's address where docker, left alone, would look for it elsewhere."""
    asked = session.host or session.context
    if environ.get("DOCKER_HOST") and not asked:
        return None
    address = session.address()
    if not asked:
        if address.context:
            return None
        daemon = find_home().read()
        if daemon:
            address = replace(address, url=daemon.url)
    return address.url if address.url != _DEFAULT_URL else None


def write_export(name: str, value: str) -> str:
    """Return the line that sets a variable in sh, bash and zsh."""
    return f"export {name}={shlex.quote(value)}"


def write_fish(name: str, value: str) -> str:
    """Return the line that sets a variable in fish."""
    return f"set -gx {name} {quote_for_fish(value)}"


def quote_for_fish(value: str) -> str:
    """Return a value as fish reads it."""
    # In single quotes fish knows two escapes only.
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
