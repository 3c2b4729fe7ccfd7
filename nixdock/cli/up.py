"""`nixdock up`: from a target to a container that did what was expected, in one command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nixdock.cli.options import session_options
from nixdock.cli.target_options import (
    WORDS,
    CommandAfterDashes,
    make_options,
    take_expectation,
    take_options,
    up_options,
)
from nixdock.out import say

if TYPE_CHECKING:
    from nixdock.cli.options import Session
    from nixdock.nix.command import NixOptions


@click.command(cls=CommandAfterDashes)
@session_options
@up_options
@click.pass_context
def command(
    context: click.Context,
    /,
    target: str | None,
    nix: NixOptions,
    **given: Any,  # noqa: ANN401  # docker's options
) -> int:
    """Build, load, run and check what TARGET describes.

    TARGET is a .nix file, a flake reference, an archive, or an image that the engine has; without one
    it is ./default.nix, then ./flake.nix. The container's output is nixdock's own. With expectations
    (given here, in the expression, or in NAME.checks.yaml beside NAME.nix) the exit status is 0 or 1 and
    the verdicts stand on stderr; without them it is the container's.

    With a readiness, a HEALTHCHECK, or -d, it is a service: up waits until it is ready, then stays with it
    until Ctrl-C, or with -d prints its name and leaves it running. Up again does nothing where nothing
    has changed; otherwise the service is replaced, and started again as it was where the new one fails.
    It has --stop-timeout seconds to end, otherwise ten, or what it was given. nixdock down stops it.

    \b
    Examples:
      nixdock up hello-docker.nix
      nixdock up hello-docker.nix --expect 'Hello, world!'
      nixdock up -d -p 8080:80 web.nix
      nixdock up tools.nix -A cli -- --version
    """
    # Nothing of Nix or the engine is imported for --help.
    from nixdock.nix.target import parse  # noqa: PLC0415
    from nixdock.usecases.prepare import brings_expectations, prepared  # noqa: PLC0415
    from nixdock.usecases.up import up  # noqa: PLC0415

    session: Session = context.obj
    options = make_options(session, context.meta[WORDS], take_options(given), given)
    expectation = take_expectation(given)
    found = parse(target, expression=nix.expression)
    with (
        session.connect(seconds=options.timeout) as engine,
        prepared(engine, found, nix, session.listener, host_store=given["host_store"]) as image,
    ):
        suite = None
        if brings_expectations(found, image):
            from nixdock.usecases.check import own_suites  # noqa: PLC0415  # most images bring none

            (suite,) = own_suites(found, [image])
        session.close()
        ended = up(image, options, expectation, session.listener, suite=suite)
    if options.detach and ended.name:
        say(ended.name)
    return ended.status
