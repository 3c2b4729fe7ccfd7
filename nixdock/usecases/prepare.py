"""From a target to its images: built where it must be, opened, and loaded once somebody runs them."""

from __future__ import annotations

import io
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, cast

from nixdock.checks.format.beside import find_suite_beside
from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.engine.containers.image import EngineImage, explain_missing_image, find_loaded
from nixdock.engine.loading.together import Claims
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
    find_near,
    join_attribute,
    split_attribute,
)
from nixdock.settings import here, wants_host_store
from nixdock.text import clean_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nixdock.checks.subject import Subject
    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ImageDetails
    from nixdock.errors import EngineError
    from nixdock.events import Listener
    from nixdock.image.model import Image
    from nixdock.nix.artefact import Artefact
    from nixdock.nix.command import NixOptions
    from nixdock.nix.read_set import ReadSet
    from nixdock.nix.target import Target
    from nixdock.usecases.host_store import StoreMounting

_DEFAULT_OUTPUT: Final = "default"
"""The output of a flake that is meant where none is named."""

_MOST: Final = 3
"""How many names a hint proposes."""

_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class TargetImage:
    """An image that a target names: its own bytes, and itself in an engine, each had when asked for.

    Args:
        name: What reports call it.
        key: What the target is, for labels: two runs of one target have the same.
        subject: Opens its own bytes.
        in_engine: Has it in the engine, which loads it where that has not happened yet.
        identity: What its bytes are known by: its config's digest, or the engine's ID.
        artefact: What was built or named; None of an image that the engine had. What is read of it must be
            held first.
    """

    name: str
    key: str
    subject: Callable[[], Subject]
    in_engine: Callable[[], EngineImage]
    identity: Callable[[], str]
    artefact: Artefact | None = None


@contextmanager
def prepared(
    engine: Engine,
    target: Target,
    nix: NixOptions,
    listener: Listener,
    *,
    host_store: bool | None = None,
    reads: Callable[[ReadSet], None] | None = None,
) -> Iterator[TargetImage]:
    """Have one image ready in the engine; what was built is kept from Nix's garbage collector meanwhile.

    Args:
        engine: Where it is to run.
        target: What the user named.
        nix: What the user said about the build.
        listener: Whom to tell what happens; `Loaded image: NAME:TAG` among it.
        host_store: Whether store paths are mounted and not loaded; as the user's setting says when None.
        reads: Told what was read to evaluate it, also where that fails.

    Raises:
        UsageError: The target is several images.
        BuildError: It cannot be built.
        LoadError: It cannot be loaded.
        EngineError: The engine has no such image.
    """
    mounts = wants_host_store() if host_store is None else host_store
    with target_images(
        target, nix, lambda: engine, listener, single=True, host_store=mounts, reads=reads
    ) as images:
        if len(images) > 1:
            raise UsageError(
                f"{target.text} holds {len(images)} images, and this command takes one: "
                f"{', '.join(image.name for image in images)}",
                hint=f"nixdock load {target.text}, then run one of them",
            )
        if images[0].artefact is not None:
            place = images[0].in_engine()
            if place.host_store is None:
                listener(Notice(f"Loaded image: {place.name}"))
            else:
                count = len(place.host_store.paths)
                paths = "1 store path" if count == 1 else f"{count} store paths"
                listener(Notice(f"Image {place.name}: {paths} to mount from this machine"))
        yield images[0]


@contextmanager
def target_images(
    target: Target,
    nix: NixOptions,
    connect: Callable[[], Engine],
    listener: Listener,
    *,
    single: bool = False,
    host_store: bool = False,
    reads: Callable[[ReadSet], None] | None = None,
) -> Iterator[tuple[TargetImage, ...]]:
    """Have the images of a target ready to be looked at; they are held as long as the context lasts.

    Args:
        target: What the user named.
        nix: What the user said about the build.
        connect: Connects to the engine; called only when it is needed.
        listener: Whom to tell what happens.
        single: Whether one image is wanted, for the engine's own platform.
        host_store: Whether store paths are to be mounted in containers, and not loaded.
        reads: Told what was read to evaluate them, also where that fails.
    """
    connect = cache(connect)
    if isinstance(target, ImageTarget):
        yield (_of_engine(target, nix, connect(), listener),)
        return
    key = key_of(target, nix)
    # Images of the engine need neither Nix nor what reads archives.
    from nixdock.image.manifest import Platform  # noqa: PLC0415
    from nixdock.nix.builder import BuildRequest, build  # noqa: PLC0415
    from nixdock.nix.store import hold_roots  # noqa: PLC0415
    from nixdock.usecases.artefact import open_artefact  # noqa: PLC0415

    with hold_roots() as roots:
        needs = BuildRequest(expectations=True, streams=True, single=single, lazily=True, reads=reads)
        artefacts = build(target, nix, listener, roots=roots, request=needs)
        platform = connect().version.platform if single else Platform.of_this_machine()
        claims = Claims()
        mounting = None
        if host_store:
            from nixdock.usecases.host_store import StoreMounting  # noqa: PLC0415 - few mount it

            mounting = StoreMounting(nix, roots, listener)
        yield tuple(
            _of_artefact(image, artefact, key, connect, listener, mounting=mounting, claims=claims)
            for artefact in artefacts
            for image in open_artefact(artefact, listener, platform)
        )


def brings_expectations(target: Target, image: TargetImage) -> bool:
    """Whether it is said of an image what must hold: in its expression, or in the file beside that.

    Args:
        target: What the user named.
        image: An image of the target.

    Raises:
        UsageError: There is more than one such file.
    """
    if image.artefact is None:
        return False
    declared = image.artefact.expectations is not None
    return declared or (isinstance(target, PathTarget) and find_suite_beside(target.file) is not None)


def _of_engine(target: ImageTarget, nix: NixOptions, engine: Engine, listener: Listener) -> TargetImage:
    """An image that only the engine has: its bytes are asked for when somebody wants them."""
    reference = target.reference
    details = engine.find_image(reference)
    if details is None:
        raise explain_missing(engine, target)
    place = EngineImage(engine, reference, reference, details)

    @cache
    def subject() -> Subject:
        from nixdock.checks.subject import Subject  # noqa: PLC0415 - few commands look at files
        from nixdock.formats import open_images  # noqa: PLC0415
        from nixdock.formats.source import open_chunks  # noqa: PLC0415

        stream = io.BufferedReader(cast("io.RawIOBase", open_chunks(engine.save([reference]))), _PIECE)
        return Subject(open_images(stream, listener=listener)[0], reference)

    return TargetImage(reference, key_of(target, nix, details), subject, lambda: place, lambda: details.id)


def _of_artefact(
    image: Image,
    artefact: Artefact,
    key: str,
    connect: Callable[[], Engine],
    listener: Listener,
    *,
    mounting: StoreMounting | None,
    claims: Claims,
) -> TargetImage:
    name = image.references[0].familiar if image.references else str(image.config_digest)

    @cache
    def subject() -> Subject:
        from nixdock.checks.subject import Subject  # noqa: PLC0415 - few commands look at files

        artefact.hold()
        return Subject(image, name)

    @cache
    def in_engine() -> EngineImage:
        # Nix may have taken long, for which the engine cannot help.
        connect().patience.renew()
        return load() if mounting is None else mounting.place(connect(), image, name, artefact, load)

    def load() -> EngineImage:
        from nixdock.engine.loading.load import load_image  # noqa: PLC0415 - static checks load nothing

        loaded = load_image(connect(), image, listener=listener, hold=artefact.hold, claims=claims)
        return find_loaded(connect(), loaded.name, loaded.details)

    def identity() -> str:
        if any(layer.known_diff_id is None for layer in image.layers):
            artefact.hold()
        return str(image.config_digest)

    return TargetImage(name, key, subject, in_engine, identity, artefact)


def explain_missing(engine: Engine, target: ImageTarget) -> EngineError:
    """Return the error of an image that the engine does not have.

    It is never pulled behind the user's back. What has a like name comes first in the hint: a file
    beside us, then builds of the same image under other tags.

    Args:
        engine: Where it is not.
        target: What the user named.
    """
    # A tag, or `image:` in front, is no part of a file's name.
    files = () if ":" in target.text else find_near(target.text)
    if files:
        return EngineRefusedError(
            f"there is neither a file '{target.text}' nor an image of this name in the engine",
            status=404,
            hint=_ask(files),
        )
    missing = explain_missing_image(target.reference)
    builds = _find_other_tags(engine, target.reference)
    if builds:
        missing.hint = _ask(builds)
    return missing


def _find_other_tags(engine: Engine, reference: str) -> tuple[str, ...]:
    """Return images of the same repository, the newest first where the engine knows it."""
    repository = Reference.parse(reference).repository
    images = sorted(engine.images(), key=lambda image: image.created, reverse=True)
    named = [Reference.parse(tag) for image in images for tag in image.tags]
    return tuple(name.familiar for name in named if name.repository == repository)[:_MOST]


def _ask(names: tuple[str, ...]) -> str:
    return f"did you mean {' or '.join(names)}?"


def key_of(target: Target, nix: NixOptions, details: ImageDetails | None = None) -> str:
    """Return what a target is, however it is written and from whatever directory: the value of a label.

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
    """Return a flake of this machine by its directory, and any other as it is written."""
    _, _, query = target.reference.partition("?")
    if target.directory is None:
        return target.reference.removeprefix("flake:")
    directory = target.directory.resolve()
    if not target.reference.startswith("path:"):
        # As Nix does, which looks for the flake further up.
        above = (one for one in (directory, *directory.parents) if (one / FLAKE_FILE).exists())
        directory = next(above, directory)
    parameters = [item for item in query.split("&") if item]
    inner = next((item.removeprefix("dir=") for item in parameters if item.startswith("dir=")), "")
    others = "&".join(sorted(item for item in parameters if not item.startswith("dir=")))
    return f"{directory / inner}{'?' if others else ''}{others}"
