"""Removal of what dead runs left behind: containers first, then the networks, volumes and images they used.

The images are those that a run made of its own containers, on the way to others, and are known by their
name. A user's `docker commit` of a container of ours has our labels too, and so have the containers made of
that: they are left alone, see `nixdock.engine.containers.owner`.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from nixdock.engine.connection.refusals import EngineLateError
from nixdock.engine.containers.owner import PROCESS, STEP, find_ourselves, is_detached, is_left_over, is_ours
from nixdock.errors import EngineError
from nixdock.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.containers.owner import Process

log = get_logger(__name__)


def sweep(engine: Engine) -> tuple[str, ...]:
    """Remove what runs of nixdock left that were killed or passed their deadline.

    What fails is left to the next run: sweeping must never keep anybody from working.

    Raises:
        EngineLateError: The time for the whole run is up.

    Returns:
        The names of the containers that were removed.
    """
    ourselves, now = find_ourselves(), time.monotonic()
    removed: tuple[str, ...] = ()
    try:
        removed = tuple(_sweep_containers(engine, ourselves, now))
        for network in engine.networks(labels=[PROCESS]):
            if is_left_over(network.get("Labels") or {}, observer=ourselves, now=now):
                _try(engine.remove_network, network["Id"])
        for volume in engine.volumes(labels=[PROCESS]):
            if is_left_over(volume.get("Labels") or {}, observer=ourselves, now=now):
                _try(engine.remove_volume, volume["Name"])
        _sweep_images(engine, ourselves, now)
    except EngineLateError:
        raise
    except EngineError as error:
        log.warning("sweep.failed", error=error.message)
    if removed:
        log.info("sweep.removed", containers=removed)
    return removed


def _sweep_containers(engine: Engine, ourselves: Process, now: float) -> Iterator[str]:
    for container in engine.containers(labels=[PROCESS]):
        if not is_left_over(container.labels, observer=ourselves, now=now) or is_detached(container.id):
            continue
        if is_ours(engine, container) and _try(engine.remove_container, container.id):
            yield container.name


def _sweep_images(engine: Engine, ourselves: Process, now: float) -> None:
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
