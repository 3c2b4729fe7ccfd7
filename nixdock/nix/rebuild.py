"""Building an image again, and whether that gives the same bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.nix import command
from nixdock.nix.store import list_requisites, name_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nixdock.nix.artefact import Artefact
    from nixdock.nix.failure import DifferentOutputError


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of building again.

    Args:
        derivations: What was built again, the image's own last.
        differences: Those of them that did not give the same bytes.
    """

    derivations: tuple[Path, ...]
    differences: tuple[DifferentOutputError, ...]


def rebuild(artefact: Artefact) -> Rebuilt:
    """Build the derivations of an image again, and compare what they make with what is there.

    Programs and libraries in the image are not built again: they are other people's derivations.

    Args:
        artefact: What was built from a Nix expression.

    Raises:
        BuildError: One of them could not be built again.
        ValueError: It was not built here.
    """
    if artefact.nix is None or artefact.derivation is None:
        raise ValueError(f"{artefact.path} was not built here")
    from nixdock.nix.failure import DifferentOutputError  # noqa: PLC0415  # few build again

    nix = artefact.nix
    requisites = list_requisites([artefact.derivation], store=nix.options.store)
    parts = (*find_parts(requisites, artefact.image_name), artefact.derivation)
    context = command.Context(nix.options, nix.settings.for_build())
    # Nix compares only with what is there, and the garbage collector may have taken a layer.
    nix.run(command.realise_again(parts, context, compare=False))
    differences: list[DifferentOutputError] = []
    for part in parts:
        # One by one: of several in one call, Nix need not name all that differ.
        try:
            nix.run(command.realise_again([part], context))
        except DifferentOutputError as error:
            differences.append(error)
    return Rebuilt(parts, tuple(differences))


def find_parts(requisites: Iterable[Path], image_name: str | None) -> tuple[Path, ...]:
    """Return the derivations that dockerTools makes for one image beside its own, such as its layer.

    Args:
        requisites: All that the image's derivation needs, what comes first first.
        image_name: The image's name; without one nothing is known to belong to it.
    """
    if not image_name:
        return ()
    base = image_name.rpartition("/")[2]
    names = {f"docker-layer-{base}", f"{base}-customisation-layer", f"{base}-conf.json"}
    return tuple(path for path in requisites if path.suffix == ".drv" and name_of(path) in names)
