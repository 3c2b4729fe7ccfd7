"""`nixdock prune`: older builds out of the engine."""

from __future__ import annotations

import click

from nixdock.cli.options import HelpfulCommand, Session, session_options, show_json
from nixdock.errors import UsageError
from nixdock.out import say, say_json


@click.command(cls=HelpfulCommand)
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    metavar="N",
    help="Builds of each name that stay; with 0 only what a container uses.",
)
@click.option("--dry-run", is_flag=True, help="Only print what would be removed.")
@show_json
@session_options
@click.pass_obj
def command(session: Session, names: tuple[str, ...], *, keep: int, dry_run: bool, as_json: bool) -> None:
    """Remove older builds of the images that nixdock loaded.

    The newest builds of each name stay, and so does whatever a container uses, running or not, and
    whatever nixdock did not load. With NAMEs only images of these names are looked at.

    \b
    Examples:
      nixdock prune --dry-run
      nixdock prune --keep 3
      nixdock prune hello-docker
    """
    # Nothing of the engine is imported for --help.
    from nixdock.engine.loading.ledger import find_old_builds, remove_builds  # noqa: PLC0415

    repositories = [_repository(name) for name in names]
    with session.connect() as engine:
        found = find_old_builds(engine, keep=keep, repositories=repositories)
        if not dry_run:
            found = remove_builds(engine, found, session.listener)
    session.close()
    if as_json:
        described = [
            {"image": one.image, "names": [name.familiar for name in one.names], "removed": not dry_run}
            for one in found
        ]
        say_json(described)
        return
    for one in found:
        say(f"{'Would remove' if dry_run else 'Removed'} image: {one.label}")


def _repository(name: str) -> str:
    from nixdock.image.reference import Reference  # noqa: PLC0415  # as in command

    try:
        return Reference.parse(name).repository
    except ValueError as error:
        raise UsageError(str(error)) from error
