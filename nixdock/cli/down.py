"""`nixdock down`: stop and remove what was left running."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nixdock.cli.options import HelpfulCommand, Session, complete_files, session_options
from nixdock.cli.target_options import naming_options
from nixdock.errors import UsageError
from nixdock.out import say

if TYPE_CHECKING:
    from nixdock.nix.command import NixOptions


@click.command(cls=HelpfulCommand)
@session_options
@naming_options
@click.option("--all", "everything", is_flag=True, help="All that nixdock left on this engine.")
@click.option(
    "--stop-timeout",
    type=click.IntRange(-1, 2**31 - 1),
    metavar="SECONDS",
    help="How long each may take to end before it is killed; -1 is for ever. Otherwise as it was brought up.",
)
@click.argument("target", metavar="[TARGET|NAME]", required=False, shell_complete=complete_files)
@click.pass_obj
def command(
    session: Session, target: str | None, nix: NixOptions, everything: bool, stop_timeout: int | None
) -> None:
    """Stop and remove what up or run left running.

    TARGET is what was given to up, NAME a container's name. A container has the seconds to end that
    up or run gave it by --stop-timeout, otherwise ten; one that takes long is told of.
    The names of what was removed are printed.

    \b
    Examples:
      nixdock down web.nix
      nixdock down web-3f2a9c --stop-timeout 1
      nixdock down --all
    """
    from nixdock.usecases.down import down, down_all  # noqa: PLC0415  # not for --help

    if everything and (target or nix.expression):
        raise UsageError("--all and a target exclude each other", hint="leave one of them out")
    with session.connect() as engine:
        listener, grace = session.listener, stop_timeout
        removed = (
            down_all(engine, listener, grace=grace)
            if everything
            else down(engine, target, nix, listener, grace=grace)
        )
    for name in removed:
        say(name)
    if not removed:
        session.tell_note("nothing of nixdock was running")
