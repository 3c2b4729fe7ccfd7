"""`nixdock load`: images into the engine, as `docker load` does but without what is there already."""

from __future__ import annotations

import os
import stat
import sys
from typing import IO, TYPE_CHECKING, Any

import click

from nixdock.cli.options import Progress, Session, session_options, show_json
from nixdock.cli.target_options import FILE, SectionedCommand, nix_options, scripts_option, target_argument
from nixdock.errors import UsageError
from nixdock.out import say, say_json

if TYPE_CHECKING:
    from pathlib import Path

    from nixdock.engine.loading.load import LoadedImage
    from nixdock.nix.command import NixOptions


@click.command(cls=SectionedCommand)
@target_argument
@click.option(
    "-i",
    "--input",
    "file",
    type=FILE,
    metavar="FILE",
    help="Archive to load; - is stdin.",
)
@click.option("-t", "--tag", "tags", multiple=True, metavar="NAME", help="One more name for it; repeatable.")
@click.option("--platform", metavar="OS/ARCH", help="Which image of an index to take; the engine's own.")
@show_json
@scripts_option
@nix_options
@session_options
@click.pass_obj
def command(
    session: Session,
    target: str | None,
    *,
    file: Path | None,
    tags: tuple[str, ...],
    platform: str | None,
    nix: NixOptions,
    as_json: bool,
) -> None:
    """Load images into the engine, sending only the layers that it lacks.

    TARGET is an archive (docker-archive or OCI layout, plain or compressed), the output of a Nix build, or
    a .nix file or flake reference, which is built first. Without it, what comes on standard input is
    loaded, as by docker load; where nothing comes, ./default.nix.

    Of a set or list of images all are loaded, several at a time, a layer that they share once. What goes
    wrong with one is told at the end, and the others are loaded: the exit status is 120 if one could not be
    built, 121 if one could not be read or loaded. An error of the expression itself is one of all of them.

    \b
    Examples:
      nixdock load result
      nixdock load < result
      nixdock load hello-docker.nix
      nixdock load .#image --tag registry.example/web:1
      docker save old-image | nixdock load --host ssh://other
    """
    if target is not None and file is not None:
        raise UsageError("a target and -i FILE were both given", hint="give only one of them")
    # Nothing of the engine is imported for --help.
    from nixdock.nix.target import ArtefactTarget, parse  # noqa: PLC0415
    from nixdock.usecases.artefact import PartlyLoadedError  # noqa: PLC0415
    from nixdock.usecases.load import LoadOptions, load_stream, load_target  # noqa: PLC0415

    options = LoadOptions.parse(tags, platform)
    stream = _choose_stream(target, file, nix)
    if stream is not None:
        with session.connect() as engine:
            loaded = load_stream(engine, stream, session.listener, options)
    else:
        # What is named is looked at first: where there is no such file, no engine is missed.
        named = ArtefactTarget(str(file), file.absolute()) if file is not None else None
        found = named or parse(target, expression=nix.expression)
        try:
            with session.connect() as engine:
                loaded = load_target(engine, found, nix, session.listener, options)
        except PartlyLoadedError as error:
            session.close()
            _print(session, error.loaded, as_json=as_json)
            raise
    session.close()
    _print(session, loaded, as_json=as_json)


def _choose_stream(target: str | None, file: Path | None, nix: NixOptions) -> IO[bytes] | None:
    """Return standard input where that is meant."""
    if "-" in {target, str(file)}:
        return sys.stdin.buffer
    if target is not None or file is not None or nix.expression is not None:
        return None
    return sys.stdin.buffer if _has_input() else None


def _has_input() -> bool:
    """Whether standard input is a file or a pipe: not a terminal, and not /dev/null."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return False
    return stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _print(session: Session, loaded: tuple[LoadedImage, ...], *, as_json: bool) -> None:
    if as_json:
        say_json([_describe(image) for image in loaded])
        return
    for image in loaded:
        quiet = session.progress is Progress.QUIET
        if not image.references:
            say(image.engine_id if quiet else f"Loaded image ID: {image.engine_id}")
        for reference in image.references:
            say(reference.familiar if quiet else f"Loaded image: {reference.familiar}")


def _describe(image: LoadedImage) -> dict[str, Any]:
    return {
        "references": [reference.familiar for reference in image.references],
        "config_digest": str(image.config_digest),
        "engine_id": image.engine_id,
        "was_there": image.was_there,
        "layers": image.layers,
        "sent_layers": image.sent_layers,
        "size": image.size,
        "sent": image.sent,
        "seconds": round(image.seconds, 3),
        "replaced": {reference.familiar: before for reference, before in image.replaced},
    }
