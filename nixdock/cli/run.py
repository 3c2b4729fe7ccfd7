"""`nixdock run`: a command in a new container, as `docker run` does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nixdock.cli.options import Session, complete_files, session_options
from nixdock.cli.target_options import (
    SectionedCommand,
    container_options,
    host_store_option,
    make_options,
    nix_options,
    run_options,
    scripts_option,
    take_options,
)
from nixdock.out import say

if TYPE_CHECKING:
    from nixdock.nix.command import NixOptions


@click.command(
    cls=SectionedCommand,
    context_settings={"allow_interspersed_args": False},
    options_metavar="[OPTIONS]",
)
@session_options
@run_options
@container_options
@host_store_option
@scripts_option
@nix_options
@click.argument("target", metavar="IMAGE|TARGET", shell_complete=complete_files)
@click.argument("words", metavar="[CMD ARG...]", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def command(
    session: Session,
    /,
    target: str,
    words: tuple[str, ...],
    nix: NixOptions,
    **given: Any,  # noqa: ANN401  # docker's options
) -> int:
    """Run a command in a new container.

    IMAGE is an image that the engine has; a .nix file, a flake reference or an archive is built and
    loaded first. Options stand before it, as for docker run: what follows is the container's. The
    container's output and exit status are nixdock's own, and it is removed at the end.

    \b
    Examples:
      nixdock run hello-docker:latest
      nixdock run -it --entrypoint /bin/sh web.nix
      nixdock run -d -p 8080:80 --name web ./result
    """
    # Nothing of the engine is imported for --help.
    from nixdock.nix.target import parse  # noqa: PLC0415
    from nixdock.usecases.prepare import prepared  # noqa: PLC0415
    from nixdock.usecases.run import run, start  # noqa: PLC0415

    options = make_options(session, words, take_options(given), given)
    found = parse(target, expression=nix.expression)
    with (
        session.connect(seconds=options.timeout) as engine,
        prepared(engine, found, nix, session.listener, host_store=given["host_store"]) as image,
    ):
        session.close()
        if options.detach:
            say(start(image, options, session.listener))
            return 0
        return run(image, options, session.listener)
