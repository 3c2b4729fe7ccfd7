"""`nixdock build`: images built by Nix, and their store paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nixdock.cli.options import Session, output_options, show_json
from nixdock.cli.target_options import SectionedCommand, nix_options, target_argument
from nixdock.errors import UsageError
from nixdock.nix.builder import DEFAULT_LINK, BuildRequest, build
from nixdock.nix.store import hold_roots
from nixdock.nix.target import ArtefactTarget, ImageTarget, parse
from nixdock.out import say, say_json

if TYPE_CHECKING:
    from nixdock.nix.artefact import Artefact
    from nixdock.nix.command import NixOptions


@click.command(cls=SectionedCommand)
@target_argument
@show_json
@nix_options
@output_options
@click.pass_obj
def command(session: Session, target: str | None, *, nix: NixOptions, as_json: bool) -> None:
    """Build images with Nix and print their store paths, one a line.

    TARGET is a .nix file or a directory with default.nix, a flake reference such as .#image, or nothing for
    ./default.nix. Of a set or list of images all are built. As with nix-build a link ./result (-2, -3, …)
    is made.

    \b
    Examples:
      nixdock build hello-docker.nix
      nixdock build -A web --no-out-link images.nix
      nixdock build .#image -o image.tar.gz
      docker load < $(nixdock build hello-docker.nix)
    """
    parsed = parse(target, expression=nix.expression)
    if isinstance(parsed, ImageTarget):
        raise UsageError(
            f"there is no file '{parsed.text}', so it is an image's name, and those are not built",
            hint=f"name a file: {parsed.text}.nix",
        )
    if isinstance(parsed, ArtefactTarget):
        raise UsageError(
            f"'{parsed.text}' is built already", hint=f"load it into the engine: nixdock load {parsed.text}"
        )
    with hold_roots() as roots:
        artefacts = build(parsed, nix, session.listener, roots=roots, request=BuildRequest(link=DEFAULT_LINK))
    session.close()
    if as_json:
        say_json([_describe(artefact) for artefact in artefacts])
    else:
        for artefact in artefacts:
            say(str(artefact.store_path))


def _describe(artefact: Artefact) -> dict[str, Any]:
    facts = {
        "path": artefact.store_path,
        "attribute": artefact.attribute,
        "derivation": artefact.derivation,
        "link": artefact.link,
        "form": artefact.form.value,
        "image_name": artefact.image_name,
        "image_tag": artefact.image_tag,
    }
    return {name: str(fact) if fact is not None else None for name, fact in facts.items()}
