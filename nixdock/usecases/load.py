"""Loading: from a target, an archive or a pipe to images that the engine has."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING

from nixdock.engine.loading.ledger import Ledger
from nixdock.engine.loading.load import load_image
from nixdock.errors import LoadError, UsageError
from nixdock.events import Warned
from nixdock.formats import open_images
from nixdock.formats.door import Scripts
from nixdock.image.manifest import Platform
from nixdock.image.reference import Reference
from nixdock.nix.artefact import Artefact, ArtefactForm, is_held
from nixdock.nix.store import hold_roots, store_dir, store_path_of
from nixdock.nix.target import ArtefactTarget, ImageTarget, find_near

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.loading.load import LoadedImage
    from nixdock.events import Listener
    from nixdock.image.model import Image
    from nixdock.nix.command import NixOptions
    from nixdock.nix.target import BuildTarget, Target


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What a user wants of a loading, beside the images.

    Args:
        tags: Names to give to the image beside its own.
        platform: Which image of an index to take; what the engine runs when None.
    """

    tags: tuple[Reference, ...] = ()
    platform: Platform | None = None

    @classmethod
    def parse(cls, tags: Iterable[str] = (), platform: str | None = None) -> LoadOptions:
        """Read what a user wrote.

        Raises:
            UsageError: A tag is no name that an image can be given, or the platform is none.
        """
        try:
            references = tuple(map(Reference.parse, tags))
        except ValueError as error:
            raise UsageError(f"--tag: {error}") from error
        for reference in references:
            if reference.digest is not None:
                raise UsageError(
                    f"--tag {reference.familiar}: a digest cannot be given to an image, only a name"
                )
        try:
            return cls(references, None if platform is None else Platform.parse(platform))
        except ValueError as error:
            raise UsageError(f"--platform {platform}: {error}") from error


def load_stream(
    engine: Engine, stream: IO[bytes], listener: Listener, options: LoadOptions | None = None
) -> tuple[LoadedImage, ...]:
    """Load the images of an archive that comes as a stream.

    Args:
        engine: Where they go.
        stream: Standard input, or another binary stream.
        listener: Whom to tell what happens.
        options: What else is wanted.

    Raises:
        LoadError: What comes is no image, or cannot be loaded.
        EngineError: The engine cannot be asked.
        UsageError: Names are given and there are several images.
    """
    options = options or LoadOptions()
    platform = options.platform or engine.version.platform
    return _load(engine, open_images(stream, platform=platform, listener=listener), listener, options)


def load_target(
    engine: Engine, target: Target, nix: NixOptions, listener: Listener, options: LoadOptions | None = None
) -> tuple[LoadedImage, ...]:
    """Build what a target names and load all of it; what was built is kept from the collector meanwhile.

    Args:
        engine: Where the images go.
        target: What the user named.
        nix: What the user said about the build.
        listener: Whom to tell what happens.
        options: What else is wanted.

    Raises:
        BuildError: It cannot be built.
        LoadError: It cannot be loaded.
        EngineError: The engine cannot be asked.
        UsageError: The target is no file, or names are given and there are several images.
    """
    if isinstance(target, ImageTarget):
        raise _explain_image(engine, target)
    options = options or LoadOptions()
    with _built(target, nix, listener) as artefacts:
        platform = options.platform or engine.version.platform
        images = [image for artefact in artefacts for image in open_artefact(artefact, listener, platform)]
        # What was built together is held together.
        return _load(engine, images, listener, options, hold=artefacts[0].hold)


def _explain_image(engine: Engine, target: ImageTarget) -> UsageError:
    """Return why an image's name cannot be loaded: because it is loaded, or is a file's that is not there."""
    hint = "name an archive, a .nix file or a flake reference"
    if engine.find_image(target.reference) is not None:
        return UsageError(
            f"'{target.reference}' is an image of the engine, and no file: it is loaded already", hint=hint
        )
    if target.text != target.reference:
        return UsageError(f"'{target.text}' names an image, and what is loaded is a file", hint=hint)
    near = " or ".join(find_near(target.text))
    return UsageError(f"there is no file '{target.text}'", hint=f"did you mean {near}?" if near else hint)


@contextmanager
def _built(
    target: BuildTarget | ArtefactTarget, nix: NixOptions, listener: Listener
) -> Iterator[tuple[Artefact, ...]]:
    """Build, and keep what was built from the collector; an archive from elsewhere needs no Nix at all."""
    if isinstance(target, ArtefactTarget) and store_path_of(target.path.resolve()) is None:
        yield (Artefact(target.path, ArtefactForm.ARCHIVE, may_run=not nix.no_scripts),)
        return
    from nixdock.nix.builder import BuildRequest, build  # noqa: PLC0415

    with hold_roots() as roots:
        yield build(target, nix, listener, roots=roots, request=BuildRequest(streams=True, lazily=True))


def open_artefact(artefact: Artefact, listener: Listener, platform: Platform) -> tuple[Image, ...]:
    """Open what a build made as images.

    nix2container's plan does not say the image's name; then the expression does.

    Args:
        artefact: What was built.
        listener: Told when something has to be read through.
        platform: Which image of an index to take.

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
    try:
        images = open_images(artefact.path, platform=platform, listener=listener, scripts=scripts)
    except (LoadError, OSError):
        # What was not held may be gone, or what it names: it is there again, if it can be.
        if not artefact.hold():
            raise
        images = open_images(artefact.path, platform=platform, listener=listener, scripts=scripts)
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


def _load(
    engine: Engine,
    images: Sequence[Image],
    listener: Listener,
    options: LoadOptions,
    hold: Callable[[], bool] = is_held,
) -> tuple[LoadedImage, ...]:
    if options.tags and len(images) > 1:
        raise UsageError(
            f"--tag names one image, and there are {len(images)}",
            hint="load them one by one, with -A for instance",
        )
    ledger = Ledger(engine)
    return tuple(
        load_image(engine, image, tags=options.tags, listener=listener, ledger=ledger, hold=hold)
        for image in _name_apart(images, listener)
    )


def _name_apart(images: Sequence[Image], listener: Listener) -> Iterator[Image]:
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
