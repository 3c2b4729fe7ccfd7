"""`nixdock up`: from a target to a container that did what was expected, in one command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nixdock.cli.container_options import container_options, make_options, run_options, take_options
from nixdock.cli.help import SectionedCommand
from nixdock.cli.nix_options import nix_options, scripts_option
from nixdock.cli.options import complete_files, session_options
from nixdock.out import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixdock.cli.options import Session
    from nixdock.nix.options import NixOptions

WORDS = "nixdock.words"
_FILE = click.Path(path_type=Path)
_EXPECT: tuple[Callable[[Any], Any], ...] = (
    click.option("--expect", "texts", multiple=True, metavar="TEXT", help="Its output must contain this."),
    click.option(
        "--expect-regex",
        "regexes",
        multiple=True,
        metavar="RE2",
        help="Its output must match this somewhere.",
    ),
    click.option(
        "--expect-stdout",
        "stdout_files",
        multiple=True,
        type=_FILE,
        metavar="FILE",
        help="Its whole output must be this file's.",
    ),
    click.option(
        "--expect-stderr",
        "stderr_files",
        multiple=True,
        type=_FILE,
        metavar="FILE",
        help="The same of its standard error.",
    ),
    click.option(
        "--expect-exit",
        "exit_codes",
        multiple=True,
        type=int,
        metavar="N",
        help="It must end with this status; 0 where anything else is expected.",
    ),
)


def expect_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what must hold; they are the parameters of `expectations_from_options`."""
    for add in reversed(_EXPECT):
        function = add(function)
    return function


class CommandAfterDashes(SectionedCommand):
    """Keeps the words after `--` for the container, so that the target may be left out."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse what stands before the dashes."""
        words: list[str] = []
        if "--" in args:
            position = args.index("--")
            args, words = args[:position], args[position + 1 :]
        ctx.meta[WORDS] = tuple(words)
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return the pieces of the usage line."""
        return [*super().collect_usage_pieces(ctx), "[-- CMD ARG...]"]


@click.command(cls=CommandAfterDashes)
@session_options
@expect_options
@run_options
@container_options
@scripts_option
@nix_options
@click.argument("target", required=False, shell_complete=complete_files)
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
    has changed; nixdock down stops it.

    \b
    Examples:
      nixdock up hello-docker.nix
      nixdock up hello-docker.nix --expect 'Hello, world!'
      nixdock up -d -p 8080:80 web.nix
      nixdock up tools.nix -A cli -- --version
    """  # noqa: D301  # \b is click's own mark
    # Nothing of Nix or the engine is imported for --help.
    from nixdock.checks.expectations import expectations_from_options  # noqa: PLC0415
    from nixdock.nix.target import parse  # noqa: PLC0415
    from nixdock.usecases.prepare import prepared  # noqa: PLC0415
    from nixdock.usecases.up import up  # noqa: PLC0415

    session: Session = context.obj
    options = make_options(session, context.meta[WORDS], take_options(given), given)
    names = ("texts", "regexes", "stdout_files", "stderr_files", "exit_codes")
    expectation = expectations_from_options(**{name: given[name] for name in names})
    found = parse(target, expression=nix.expression)
    with (
        session.connect(seconds=options.timeout) as engine,
        prepared(engine, found, nix, session.listener) as image,
    ):
        suite = None
        if image.artefact is not None:
            from nixdock.usecases.expected import find_suite  # noqa: PLC0415  # images of the engine have none

            suite = find_suite(found, image)
        session.close()
        ended = up(engine, image, options, expectation, session.listener, suite=suite)
    if options.detach and ended.name:
        say(ended.name)
    return ended.status
