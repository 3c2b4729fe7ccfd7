"""Loading: from a target, an archive or a pipe to images that the engine has."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from nixdock.engine.loading.ledger import Ledger
from nixdock.engine.loading.load import load_image
from nixdock.errors import BuildError, UsageError
from nixdock.formats import open_images
from nixdock.image.manifest import Platform
from nixdock.image.reference import Reference
from nixdock.nix.artefact import Artefact, ArtefactForm, is_held
from nixdock.nix.store import hold_roots, store_path_of
from nixdock.nix.target import ArtefactTarget, ImageTarget, find_near
from nixdock.usecases.artefact import check_tags, name_apart, open_artefact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.loading.load import LoadedImage
    from nixdock.errors import NixdockError
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
    failures: list[NixdockError] = []
    with _built(target, nix, listener, failures.append) as artefacts:
        platform = options.platform or engine.version.platform
        if len(artefacts) + len(failures) > 1:
            from nixdock.usecases.load_set import load_set  # noqa: PLC0415 - mostly it is one

            return load_set(
                engine, artefacts, listener, tags=options.tags, platform=platform, failures=failures
            )
        images = open_artefact(artefacts[0], listener, platform)
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
    target: BuildTarget | ArtefactTarget,
    nix: NixOptions,
    listener: Listener,
    failed: Callable[[BuildError], None],
) -> Iterator[tuple[Artefact, ...]]:
    """Build, and keep what was built from the collector; an archive from elsewhere needs no Nix at all."""
    if isinstance(target, ArtefactTarget) and store_path_of(target.path.resolve()) is None:
        yield (Artefact(target.path, ArtefactForm.ARCHIVE, may_run=not nix.no_scripts),)
        return
    from nixdock.nix.builder import BuildRequest, build  # noqa: PLC0415

    with hold_roots() as roots:
        request = BuildRequest(streams=True, lazily=True, failed=failed)
        yield build(target, nix, listener, roots=roots, request=request)


def _load(
    engine: Engine,
    images: Sequence[Image],
    listener: Listener,
    options: LoadOptions,
    hold: Callable[[], bool] = is_held,
) -> tuple[LoadedImage, ...]:
    check_tags(images, options.tags)
    ledger = Ledger(engine)
    return tuple(
        load_image(engine, image, tags=options.tags, listener=listener, ledger=ledger, hold=hold)
        for image in name_apart(images, listener)
    )
