"""Loading a set of images: several at a time, each layer sent once, and what fails is no other's failure."""

from __future__ import annotations

from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Final

from nixdock.engine.connection.refusals import EngineUnreachableError
from nixdock.engine.loading.ledger import Ledger
from nixdock.engine.loading.load import LoadedImage, load_image
from nixdock.engine.loading.together import Claims
from nixdock.errors import BuildError, EngineError, LoadError, NixdockError
from nixdock.events import Meter, Work, WorkAdvanced
from nixdock.formats.memory import Memory
from nixdock.image.computed import ComputedLayer, settle_layers
from nixdock.usecases.artefact import (
    EngineLostError,
    PartlyBuiltError,
    PartlyLoadedError,
    check_tags,
    name_apart,
    open_artefact,
)
from nixdock.workers import do_together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nixdock.engine.connection.api import Engine
    from nixdock.events import Event as Told
    from nixdock.events import Listener
    from nixdock.image.manifest import Platform
    from nixdock.image.model import Image
    from nixdock.image.reference import Reference
    from nixdock.nix.artefact import Artefact

AT_A_TIME: Final = 4
"""Images on their way at one time; an engine unpacks one with one processor, and waits for its disk.

Of 1, 2, 4 and 8, for 30 small images on two busy processors, 4 took two thirds of what 1 took, and 8 as much.
"""


def load_set(
    engine: Engine,
    artefacts: Sequence[Artefact],
    listener: Listener,
    *,
    platform: Platform,
    tags: Sequence[Reference] = (),
    failures: Sequence[NixdockError] = (),
) -> tuple[LoadedImage, ...]:
    """Load the images of several artefacts.

    Args:
        engine: Where they go.
        artefacts: What was built; all of it is held at once.
        listener: Whom to tell what happens.
        platform: Which image of an index to take.
        tags: Names to give, which only one image can be given.
        failures: Why others of the set could not be built.

    Raises:
        PartlyLoadedError: Some could not be built, read or loaded; it has those that are.
        UsageError: Names are given and there are several images.
    """
    stopped = Event()
    memory = Memory(opened={})

    def tell(event: Told) -> None:
        if stopped.is_set() and isinstance(event, WorkAdvanced):
            raise CancelledError
        listener(event)

    opened = do_together(
        [partial(open_artefact, artefact, tell, platform, memory) for artefact in artefacts],
        AT_A_TIME,
        stopped,
    )
    images = [image for one in opened if not isinstance(one, NixdockError) for image in one]
    check_tags(images, tags)
    hold = artefacts[0].hold
    _settle(images, hold, tell)
    ended = _load(engine, tuple(name_apart(images, listener)), tell, tags, hold=hold, stopped=stopped)
    # In the order of the set, whatever came first.
    wrong = [*failures, *(one for one in (*opened, *ended) if isinstance(one, NixdockError))]
    loaded = tuple(one for one in ended if isinstance(one, LoadedImage))
    if wrong:
        raise _gather(loaded, list({one.message: one for one in wrong}.values()))
    return loaded


def _settle(images: Sequence[Image], hold: Callable[[], bool], listener: Listener) -> None:
    """Have each layer that is not known yet hashed once, and not by each image that has it."""
    layers = dict.fromkeys(layer for image in images for layer in image.layers)
    unknown = [layer for layer in layers if isinstance(layer, ComputedLayer) and layer.known_diff_id is None]
    if not unknown:
        return
    hold()
    # What cannot be read is told by the image that it is part of.
    with suppress(LoadError), Meter(listener, Work.READ, f"layers of {len(images)} images") as meter:
        settle_layers(unknown, meter.advance)


def _load(
    engine: Engine,
    images: Sequence[Image],
    listener: Listener,
    tags: Sequence[Reference],
    *,
    hold: Callable[[], bool],
    stopped: Event,
) -> list[LoadedImage | NixdockError]:
    claims, ledger = Claims(), Ledger(engine)
    lost: list[EngineUnreachableError] = []

    def load(image: Image) -> LoadedImage:
        if lost:
            # It has been waited for already.
            raise lost[0]
        try:
            return load_image(
                engine, image, tags=tags, listener=listener, ledger=ledger, hold=hold, claims=claims
            )
        except EngineUnreachableError as error:
            lost.append(error)
            raise

    return do_together([partial(load, image) for image in images], AT_A_TIME, stopped)


def _gather(loaded: Sequence[LoadedImage], failures: Sequence[NixdockError]) -> NixdockError:
    """Return one error for all that went wrong."""
    if len(failures) == 1 and not loaded:
        return failures[0]
    if any(isinstance(one, BuildError) for one in failures):
        return PartlyBuiltError(loaded, failures)
    if all(isinstance(one, EngineError) for one in failures):
        return EngineLostError(loaded, failures)
    return PartlyLoadedError(loaded, failures)
