"""From a target to an image that the engine has: built and loaded where it must be."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nixdock.engine.failures import explain_missing_image
from nixdock.errors import UsageError
from nixdock.events import Notice
from nixdock.nix.target import ArtefactTarget, ExpressionTarget, FlakeTarget, ImageTarget, PathTarget
from nixdock.pipeline.missing import explain_missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nixdock.engine.answers import ImageDetails
    from nixdock.engine.api import Engine
    from nixdock.events import Listener
    from nixdock.nix.artefact import Artefact
    from nixdock.nix.options import NixOptions
    from nixdock.nix.target import Target


@dataclass(frozen=True, slots=True)
class Ready:
    """An image that the engine has.

    Args:
        name: What the user calls it: its reference, or its ID where it has none.
        details: The image, as the engine describes it.
        run_as: The name or ID that surely means this image to the engine.
        key: What the target is, for labels: two runs of one target have the same.
        expectations: The `nixdock` attribute of the expression, or None.
        artefact: What was built or named; None of an image that the engine had.
    """

    name: str
    details: ImageDetails
    run_as: str
    key: str
    expectations: Mapping[str, Any] | None = None
    artefact: Artefact | None = field(default=None, compare=False)


@contextmanager
def prepared(engine: Engine, target: Target, nix: NixOptions, listener: Listener) -> Iterator[Ready]:
    """Have one image ready in the engine; what was built is kept from Nix's garbage collector meanwhile.

    Args:
        engine: Where it is to run.
        target: What the user named.
        nix: What the user said about the build.
        listener: Whom to tell what happens; `Loaded image: NAME:TAG` among it.

    Raises:
        UsageError: The target is several images.
        BuildError: It cannot be built.
        LoadError: It cannot be loaded.
        EngineError: The engine has no such image.
    """
    key = key_of(target, nix)
    if isinstance(target, ImageTarget):
        details = engine.find_image(target.reference)
        if details is None:
            raise explain_missing(engine, target)
        yield Ready(target.reference, details, target.reference, key)
        return
    # Images of the engine are run without Nix, and without what reads archives.
    from nixdock.engine.load import load_image  # noqa: PLC0415
    from nixdock.nix.builder import Wishes, build  # noqa: PLC0415
    from nixdock.nix.store import hold_roots  # noqa: PLC0415
    from nixdock.pipeline.load import open_artefact, platform_of  # noqa: PLC0415

    with hold_roots() as roots:
        wishes = Wishes(expectations=True, streams=True, single=True)
        (artefact,) = build(target, nix, listener, roots=roots, wishes=wishes)
        images = open_artefact(artefact, listener, platform_of(engine))
        if len(images) > 1:
            names = [str(image.references[0].familiar) for image in images if image.references]
            raise UsageError(
                f"{target.text} holds {len(images)} images, and this command takes one: {', '.join(names)}",
                hint=f"nixdock load {target.text}, then run one of them",
            )
        loaded = load_image(engine, images[0], listener=listener)
        listener(Notice(f"Loaded image: {loaded.name}"))
        details, run_as = _find(engine, loaded.name, loaded.engine_id)
        yield Ready(loaded.name, details, run_as, key, artefact.expectations, artefact)


def _find(engine: Engine, name: str, ident: str) -> tuple[ImageDetails, str]:
    """Inspect an image by the name that people know, or by its ID where the name means another by now."""
    for run_as in (name, ident):
        details = engine.find_image(run_as)
        if details is not None and details.id == ident:
            return details, run_as
    raise explain_missing_image(name)


def key_of(target: Target, nix: NixOptions) -> str:
    """Return what a target is, whatever folder it is named from: the value of a label."""
    return " ".join([_name(target), *(f"-A {attribute}" for attribute in nix.attributes)])


def _name(target: Target) -> str:
    match target:
        case PathTarget():
            return str(target.file)
        case FlakeTarget():
            return f"{target.reference}#{target.attribute or ''}"
        case ExpressionTarget():
            return f"expression in {Path.cwd()}: {target.expression}"
        case ArtefactTarget():
            return str(target.path)
        case ImageTarget():
            return f"image:{target.reference}"
