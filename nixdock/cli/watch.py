"""`nixdock watch`: up again each time that something changes which the target was made of."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import click

from nixdock.cli.options import Progress, session_options
from nixdock.cli.target_options import (
    WORDS,
    CommandAfterDashes,
    make_options,
    take_expectation,
    take_options,
    up_options,
)
from nixdock.errors import UsageError

if TYPE_CHECKING:
    from nixdock.cli.options import Session
    from nixdock.errors import NixdockError
    from nixdock.nix.command import NixOptions

_NOT_HERE: Final = {
    "detach": ("-d", "watch stays with what it runs"),
    "interactive": ("-i", "what is typed are keys of watch's own"),
    "keep": ("--keep", "watch replaces what it runs"),
    "remove": ("--rm", "watch removes what it ran"),
    "out_link": ("-o", "watch would make the link anew with each change"),
}
"""Options of up that make no sense here, and why."""


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
    """Run what TARGET describes as up does, and again whenever something changes that it was made of.

    That is what its evaluation read: imported files, sources, files that were read, listed directories, what
    was not there; and its check file. What has changed is said. Only what counts begins another round, not an
    editor's own files, nor a file that was merely touched. A change during a round leads to another one.

    The container before runs until the new one can take its place, and goes on where the build fails or
    the new one does not become ready. It has 1 s to end, unless --stop-timeout gives it more. Of the images
    that earlier rounds loaded those are removed that nothing uses.

    On a terminal keys are heeded: r runs it again, c runs its checks again, l shows its logs, q quits (exit
    status 0). Ctrl-C ends with 130. What runs is stopped and removed then.

    \b
    Examples:
      nixdock watch web.nix -p 8080:80
      nixdock watch hello-docker.nix --expect 'Hello, world!'
    """
    # Nothing of Nix or the engine is imported for --help.
    from nixdock.cli.main import tell_error  # noqa: PLC0415
    from nixdock.nix.target import parse  # noqa: PLC0415
    from nixdock.usecases.watch import Watch  # noqa: PLC0415

    session: Session = context.obj
    for name, (flag, why) in _NOT_HERE.items():
        if given.get(name) or getattr(nix, name, None):
            raise UsageError(f"{flag} is not for watch: {why}", hint=f"leave {flag} out")
    options = make_options(session, context.meta[WORDS], take_options(given), given)
    expectation = take_expectation(given)
    found = parse(target, expression=nix.expression)
    if session.progress is Progress.AUTO:
        # Bars and the output of what runs meanwhile would tear each other to pieces.
        session.progress = Progress.PLAIN

    def tell(error: NixdockError) -> None:
        session.close()
        tell_error(error.message, details=error.details, hint=error.hint)

    with session.connect() as engine:
        watch = Watch(
            engine,
            found,
            nix,
            options,
            expectation,
            session.listener,
            tell,
            before_output=session.close,
            host_store=given["host_store"],
        )
        return watch.run(keys=0 if os.isatty(0) else None)


for _parameter in command.params:
    if isinstance(_parameter, click.Option) and _parameter.name in _NOT_HERE:
        # Whoever gives it is told why not; nobody else is to hear of it.
        _parameter.hidden = True
