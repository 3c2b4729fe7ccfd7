"""Removing what dead runs left behind.

A replacement of a service that was cut short is undone (`nixdock.engine.containers.unfinished`). Of dead runs
containers are removed first, then the networks, volumes and images they used. The images are
those that a run made of its own containers, on the way to others, and are known by their name. Last are
the store paths that containers needed which are gone (`nixdock.engine.containers.mounts`). A user's
`docker commit` of a container of ours has our labels too, and so have the containers made of that: they are
left alone.
"""

from __future__ import annotations

import contextlib
import time
from functools import partial
from typing import TYPE_CHECKING

from nixdock.engine.connection.refusals import EngineLateError
from nixdock.engine.containers.mounts import sweep_roots
from nixdock.engine.containers.owner import PROCESS, STEP, find_ourselves, is_detached, is_left_over, is_ours
from nixdock.engine.containers.unfinished import undo_unfinished
from nixdock.errors import EngineError
from nixdock.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.containers.owner import OwnerProcess

log = get_logger(__name__)


def sweep(engine: Engine) -> tuple[str, ...]:
    """Remove what runs of nixdock left that were killed or passed their deadline.

    What fails is left to the next run: sweeping must never keep anybody from working.

    Raises:
        EngineLateError: The time for the whole run is up.

    Returns:
        The names of the containers that were removed.
    """
    removed = sweep_containers(engine)
    sweep_used(engine)
    return removed


def sweep_containers(engine: Engine) -> tuple[str, ...]:
    """Remove the containers of dead runs, as `sweep` does: another may want their names and ports."""
    removed: tuple[str, ...] = ()
    with _passing_over_failures():
        removed = tuple(_sweep_containers(engine, find_ourselves(), time.monotonic()))
    if removed:
        log.info("sweep.removed", containers=removed)
    return removed


def sweep_used(engine: Engine) -> None:
    """Remove what containers of dead runs used, as `sweep` does: it is in nobody's way."""
    ourselves, now = find_ourselves(), time.monotonic()
    with _passing_over_failures():
        for network in engine.networks(labels=[PROCESS]):
            if is_left_over(network.get("Labels") or {}, observer=ourselves, now=now):
                _try(engine.remove_network, network["Id"])
        for volume in engine.volumes(labels=[PROCESS]):
            if is_left_over(volume.get("Labels") or {}, observer=ourselves, now=now):
                _try(engine.remove_volume, volume["Name"])
        _sweep_images(engine, ourselves, now)
        sweep_roots(engine)


@contextlib.contextmanager
def _passing_over_failures() -> Iterator[None]:
    try:
        yield
    except EngineLateError:
        raise
    except EngineError as error:
        log.warning("sweep.failed", error=error.message)


def _sweep_containers(engine: Engine, ourselves: OwnerProcess, now: float) -> Iterator[str]:
    found = engine.containers(labels=[PROCESS])
    undone = undo_unfinished(engine, found)
    for container in found:
        if container.id in undone:
            continue
        if not is_left_over(container.labels, observer=ourselves, now=now) or is_detached(container.id):
            continue
        if is_ours(engine, container) and _try(engine.remove_container, container.id):
            yield container.name


def _sweep_images(engine: Engine, ourselves: OwnerProcess, now: float) -> None:
    # The newest come first, as they must: they are built on each other.
    for image in engine.images(filters={"reference": [STEP]}):
        left_over = is_left_over(image.raw.get("Labels") or {}, observer=ourselves, now=now)
        for tag in image.tags if left_over else ():
            if tag.startswith(f"{STEP}:"):
                _try(partial(engine.remove_image, keep_parents=True), tag)


def _try(remove: Callable[[str], None], name: str) -> bool:
    """Remove one thing; return whether that succeeded."""
    try:
        remove(name)
    except EngineError as error:
        log.warning("sweep.failed", name=name, error=error.message)
        return False
    return True
