"""From a target to an image that the engine has: built and loaded where it must be."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from nixdock.engine.containers.failures import explain_missing_image
from nixdock.errors import UsageError
from nixdock.events import Notice
from nixdock.image.reference import Reference
from nixdock.nix.target import (
    FLAKE_FILE,
    ArtefactTarget,
    ExpressionTarget,
    FlakeTarget,
    ImageTarget,
    PathTarget,
    join_attribute,
    split_attribute,
)
from nixdock.settings import here
from nixdock.text import clean_line
from nixdock.usecases.missing import explain_missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ImageDetails
    from nixdock.events import Listener
    from nixdock.nix.artefact import Artefact
    from nixdock.nix.options import NixOptions
    from nixdock.nix.target import Target

_DEFAULT_OUTPUT: Final = "default"
"""The output of a flake that is meant where none is named."""


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
    if isinstance(target, ImageTarget):
        details = engine.find_image(target.reference)
        if details is None:
            raise explain_missing(engine, target)
        yield Ready(target.reference, details, target.reference, key_of(target, nix, details))
        return
    key = key_of(target, nix)
    # Images of the engine are run without Nix, and without what reads archives.
    from nixdock.engine.loading.load import load_image  # noqa: PLC0415
    from nixdock.nix.builder import BuildRequest, build  # noqa: PLC0415
    from nixdock.nix.store import hold_roots  # noqa: PLC0415
    from nixdock.usecases.load import open_artefact, platform_of  # noqa: PLC0415

    with hold_roots() as roots:
        request = BuildRequest(expectations=True, streams=True, single=True)
        (artefact,) = build(target, nix, listener, roots=roots, request=request)
        # Nix may have taken long, for which the engine cannot help.
        engine.renew()
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


def key_of(target: Target, nix: NixOptions, details: ImageDetails | None = None) -> str:
    """Return what a target is, however it is written and from whatever folder: the value of a label.

    Args:
        target: What the user named.
        nix: The attributes that choose among its images are part of it.
        details: The image of the engine that it names, if it names one: an ID may be written short.
    """
    attributes = (join_attribute(split_attribute(attribute)) for attribute in nix.attributes)
    # An engine would keep other characters for the halves that stand for bytes of a file's name.
    return clean_line(
        " ".join([_name(target, details), *(f"-A {attribute}" for attribute in attributes if attribute)])
    )


def _name(target: Target, details: ImageDetails | None) -> str:
    match target:
        case PathTarget():
            return str(target.file.resolve())
        case FlakeTarget():
            return f"{_name_flake(target)}#{target.attribute or _DEFAULT_OUTPUT}"
        case ExpressionTarget():
            return f"expression in {here()}: {target.expression}"
        case ArtefactTarget():
            # A link such as `result` is one artefact, whatever it leads to after the next build.
            path = target.path
            return str(path.resolve() if path.name == ".." else path.parent.resolve() / path.name)
        case ImageTarget():
            return f"image:{name_image(target.reference, details)}"


def name_image(reference: str, details: ImageDetails | None = None) -> str:
    """Return an image's name in the one form that stands for all: with its tag, as docker prints it.

    Args:
        reference: Its name or ID, as somebody wrote it.
        details: The image, if it is known.
    """
    ident = reference.removeprefix("sha256:")
    if details is not None and details.id.removeprefix("sha256:").startswith(ident):
        return details.id
    try:
        return Reference.parse(reference).familiar
    except ValueError:
        return reference


def _name_flake(target: FlakeTarget) -> str:
    """Return a flake of this machine by its folder, and any other as it is written."""
    _, _, query = target.reference.partition("?")
    if target.folder is None:
        return target.reference.removeprefix("flake:")
    folder = target.folder.resolve()
    if not target.reference.startswith("path:"):
        # As Nix does, which looks for the flake further up.
        folder = next((one for one in (folder, *folder.parents) if (one / FLAKE_FILE).exists()), folder)
    parameters = [item for item in query.split("&") if item]
    inner = next((item.removeprefix("dir=") for item in parameters if item.startswith("dir=")), "")
    others = "&".join(sorted(item for item in parameters if not item.startswith("dir=")))
    return f"{folder / inner}{'?' if others else ''}{others}"
