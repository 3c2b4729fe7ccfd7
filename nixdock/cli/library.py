"""`nixdock library`: nixdock for Nix expressions."""

from __future__ import annotations

import click

from nixdock.cli.options import HelpfulCommand, Session, session_options
from nixdock.out import say


@click.command(cls=HelpfulCommand)
@session_options
@click.pass_obj
def command(session: Session) -> None:
    """Print the directory that holds nixdock for Nix expressions.

    It stays where it is; another version of nixdock has another one. `lib.staticTests image` in it is
    a derivation of those checks of an image that need no engine.

    \b
    Examples:
      nix-build tests.nix -I nixdock=$(nixdock library)
      nix flake check --override-input nixdock path:$(nixdock library)
    """
    from nixdock.nix.library import materialise  # noqa: PLC0415

    directory = materialise()
    session.close()
    say(str(directory))
