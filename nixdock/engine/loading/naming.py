"""The names of an image that has just been loaded, and what they stood for before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixdock.errors import LoadError
from nixdock.events import Warned
from nixdock.image.manifest import Platform
from nixdock.image.reference import DEFAULT_TAG

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ImageDetails
    from nixdock.events import Listener
    from nixdock.image.model import Image
    from nixdock.image.reference import Reference


def give_names(
    engine: Engine,
    image: ImageDetails,
    names: Mapping[Reference, ImageDetails | None],
    sent_as: Reference | None,
    own_ids: frozenset[str],
) -> Iterator[tuple[Reference, str]]:
    """Make sure that an image has names; yield those that stood for another one, with its ID.

    Args:
        engine: The engine.
        image: As the engine has it now.
        names: The names, and what each stood for before the loading.
        sent_as: The name that it was sent with; None where it was not sent.
        own_ids: The IDs by which the engine may know it.

    Raises:
        EngineError: The engine does not give them.
    """
    for reference, before in names.items():
        has_it = before is not None and before.id == image.id and sent_as is None
        if not has_it and not (reference == sent_as and _is_named(image, reference)):
            engine.tag_image(image.id, reference.repository, reference.tag or DEFAULT_TAG)
        if before is not None and before.id not in {*own_ids, image.id}:
            yield reference, before.id


def refuse_config(engine: Engine, image: Image, name: str) -> None:
    """Refuse a config that an engine cannot read before anything is sent: not every engine says so.

    Args:
        engine: The engine.
        image: The image.
        name: What messages call it.

    Raises:
        LoadError: It cannot.
    """
    texts = image.check_config().texts
    if texts and engine.traits.reads_words_as_lists_only:
        raise LoadError(
            f"{texts[0]} of {name} is a text, and this engine reads lists of words only",
            hint=f'write {texts[0]} = [ "PROGRAM" "ARGUMENT" ... ]; and build it again',
        )


def warn_of_platform(engine: Engine, image: Image, name: str, listener: Listener) -> None:
    """Say so when an image is made for another machine than the engine's.

    Args:
        engine: The engine.
        image: The image.
        name: What messages call it.
        listener: Told.
    """
    runs = engine.version.platform
    made_for = Platform("linux", image.architecture)
    if made_for.architecture and runs.architecture and not made_for.runs_on(runs):
        listener(
            Warned(
                f"{name} is made for {made_for}, but the engine runs {runs}: "
                "its programs will not start there without emulation"
            )
        )


def _is_named(image: ImageDetails, reference: Reference) -> bool:
    """Whether an image has a name, as far as the engine's own answer about it tells."""
    return bool({str(reference), reference.familiar} & set(image.tags))
