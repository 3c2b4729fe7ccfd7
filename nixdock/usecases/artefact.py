"""What was built, or named, as images: opened, named apart, and what it is called that some of them fail."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nixdock.errors import BuildError, EngineError, LoadError, UsageError
from nixdock.events import Warned
from nixdock.formats import open_images
from nixdock.formats.door import Scripts
from nixdock.image.reference import Reference
from nixdock.nix.artefact import Artefact, ArtefactForm
from nixdock.nix.store import store_dir

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nixdock.engine.loading.load import LoadedImage
    from nixdock.errors import NixdockError
    from nixdock.events import Listener
    from nixdock.formats.memory import Memory
    from nixdock.image.manifest import Platform
    from nixdock.image.model import Image


class PartlyLoadedError(LoadError):
    """Not all images of a set are loaded.

    Args:
        loaded: Those that are.
        failures: What went wrong with the others.
    """

    def __init__(self, loaded: Sequence[LoadedImage], failures: Sequence[NixdockError]) -> None:
        self.loaded = tuple(loaded)
        first, *others = failures
        lines = [first.details] if first.details else []
        if others:
            lines = [line for one in failures for line in (one.message, one.details, one.hint) if line]
        if loaded:
            lines.append("1 image is loaded" if len(loaded) == 1 else f"{len(loaded)} images are loaded")
        super().__init__(
            f"not all images are loaded, for {len(failures)} reasons" if others else first.message,
            hint=None if others else first.hint,
            details="\n".join(lines) or None,
        )


class PartlyBuiltError(PartlyLoadedError, exit_code=BuildError.exit_code):
    """Not all images of a set could be built; it may be that of those not all are loaded either."""


class EngineLostError(PartlyLoadedError, exit_code=EngineError.exit_code):
    """The engine took not all images of a set: it refused, or went away."""


def open_artefact(
    artefact: Artefact, listener: Listener, platform: Platform, memory: Memory | None = None
) -> tuple[Image, ...]:
    """Open what a build made as images.

    nix2container's plan does not say the image's name; then the expression does.

    Args:
        artefact: What was built.
        listener: Told when something has to be read through.
        platform: Which image of an index to take.
        memory: What is known of artefacts; layers opened by one have one opening for all.

    Raises:
        LoadError: It cannot be read.
    """
    built_elsewhere = artefact.nix is not None and artefact.path != artefact.store_path
    if built_elsewhere and artefact.form in {ArtefactForm.SCRIPT, ArtefactForm.DESCRIPTION}:
        raise LoadError(
            f"{artefact.store_path} names its parts as they are called in {store_dir()}, and the store that "
            f"it was built in lies elsewhere: it is {artefact.path}",
            hint="build an archive (buildLayeredImage makes one), or leave --store out",
        )
    scripts = Scripts.REFUSE
    if artefact.may_run:
        scripts = Scripts.ANNOUNCE if artefact.nix is None else Scripts.RUN

    def open_it() -> tuple[Image, ...]:
        return open_images(
            artefact.path, platform=platform, listener=listener, scripts=scripts, memory=memory
        )

    try:
        images = open_it()
    except (LoadError, OSError):
        # What was not held may be gone, or what it names: it is there again, if it can be.
        if not artefact.hold():
            raise
        images = open_it()
    if (
        len(images) != 1
        or not artefact.image_name
        or (images[0].references and artefact.form is not ArtefactForm.DESCRIPTION)
    ):
        return images
    try:
        name = Reference.parse(f"{artefact.image_name}:{artefact.image_tag or 'latest'}")
    except ValueError:
        return images
    return (images[0].renamed((replace(name, digest=None),)),)


def check_tags(images: Sequence[Image], tags: Sequence[Reference]) -> None:
    """Make sure that names are given to one image.

    Raises:
        UsageError: There are several.
    """
    if tags and len(images) > 1:
        raise UsageError(
            f"--tag names one image, and there are {len(images)}",
            hint="load them one by one, with -A for instance",
        )


def name_apart(images: Sequence[Image], listener: Listener) -> Iterator[Image]:
    """Leave each name to one image, the last that has it: the others would have it for a moment only."""
    owners = {reference: image for image in images for reference in image.references}
    for image in images:
        lost = [name for name in image.references if not _is_same(owners[name], image)]
        for name in lost:
            listener(Warned(f"{name.familiar} names more than one image here: only the last of them gets it"))
        yield image.renamed(tuple(name for name in image.references if name not in lost)) if lost else image


def _is_same(one: Image, other: Image) -> bool:
    """Whether two images are one, as far as that is known without reading layers."""
    if one is other:
        return True
    known = all(layer.known_diff_id is not None for image in (one, other) for layer in image.layers)
    return known and one.config_digest == other.config_digest
