"""A container that takes another one's place, and what is to be done where nobody saw to the end of that.

The new one says in a label whose place it takes, and which process of nixdock sees to it. The old one is
removed once the new one is proven, and never before: so where both exist and the process is dead, the
replacement was cut short. Then it is undone: nobody has seen the new one ready.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nixdock import settings
from nixdock.engine.containers.owner import (
    BOOT,
    MACHINE,
    NAMESPACE,
    PROCESS,
    REPLACES,
    STARTED,
    TARGET,
    Owner,
    find_ourselves,
    is_detached,
    is_left_over,
    is_ours,
)
from nixdock.engine.containers.stopping import stop
from nixdock.errors import EngineError
from nixdock.events import ignore
from nixdock.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ContainerSummary
    from nixdock.events import Listener

log = get_logger(__name__)

_GOING: Final = frozenset({"removing", "dead"})
"""States of a container whose removal has begun, or has failed halfway: it is not to be had back."""

_PROCESS: Final = (PROCESS, STARTED, NAMESPACE, BOOT, MACHINE)


@dataclass(frozen=True, slots=True)
class TakenPlace:
    """The place that a container takes.

    Args:
        name: The name that goes with it.
        old: The ID of the container that had it.
        process: The labels of who sees to it.
    """

    name: str
    old: str
    process: Mapping[str, str]

    @classmethod
    def of(cls, container: ContainerSummary) -> TakenPlace | None:
        """Read it from a container's label; None where it takes none, or is kept aside for it failed."""
        match container.labels.get(REPLACES, "").split(" "):
            case [name, old, *process] if len(process) == len(_PROCESS):
                if container.name == name or container.name.startswith(name_aside(name, "new", "")):
                    return cls(name, old, dict(zip(_PROCESS, process, strict=True)))
        return None


def label_place(name: str, old: str) -> dict[str, str]:
    """Return the label of a container that takes another one's place, to which this process sees."""
    process = Owner("", find_ourselves()).labels()
    return {REPLACES: " ".join([name, old, *(process[part] for part in _PROCESS)])}


def name_aside(name: str, what: str, token: str) -> str:
    """Return what a container of a service is called that has not, or no longer, the service's name.

    Args:
        name: The service's name.
        what: `new` until it has it, `old` where another one may have it, `replaced` where that is proven,
            `failed` where it is kept for a look.
        token: Tells it from others.
    """
    return f"{name}.{what}-{token}"


def lock_file(engine: Engine, target: str, name: str) -> Path:
    """Return the file whose lock keeps others away from a service."""
    key = hashlib.sha256(os.fsencode(f"{engine.address.url} {target} {name}")).hexdigest()
    return settings.state_dir() / "locks" / key[:32]


def find_unfinished(
    containers: Iterable[ContainerSummary],
) -> Iterator[tuple[ContainerSummary, ContainerSummary, str]]:
    """Yield the replacements that were cut short: the new container, the old one, and the name of both."""
    known = {container.id: container for container in containers}
    if not any(container.labels.get(REPLACES) for container in known.values()):
        return
    ourselves, now = find_ourselves(), time.monotonic()
    for new in known.values():
        place = TakenPlace.of(new)
        old = None if place is None else known.get(place.old)
        if place is None or old is None or old is new or old.labels.get(TARGET) != new.labels.get(TARGET):
            continue
        if old.state in _GOING or old.name.startswith(name_aside(place.name, "replaced", "")):
            continue
        if is_left_over(place.process, observer=ourselves, now=now):
            yield new, old, place.name


def undo_unfinished(engine: Engine, containers: Iterable[ContainerSummary]) -> tuple[str, ...]:
    """Undo the replacements that were cut short, but for those that somebody works on by now.

    Returns:
        The IDs of all containers that had to do with them.
    """
    seen: list[str] = []
    for new, old, name in find_unfinished(containers):
        seen += [new.id, old.id]
        with ExitStack() as stack:
            try:
                stack.enter_context(
                    settings.locked(lock_file(engine, new.labels.get(TARGET, ""), name), wait=False)
                )
            except BlockingIOError:
                continue
            except OSError:
                # No lock can be had there, by anybody.
                pass
            try:
                undo(engine, new, old, name)
            except EngineError as error:
                log.warning("sweep.failed", name=name, error=error.message)
    return tuple(seen)


def undo(
    engine: Engine, new: ContainerSummary, old: ContainerSummary, name: str, listener: Listener = ignore
) -> bool:
    """Remove the new container, and have the old one run in its place again, if both are nixdock's.

    Returns:
        Whether it runs again.

    Raises:
        EngineError: The engine refused.
    """
    if not (is_ours(engine, new) and is_ours(engine, old)):
        return False
    engine.remove_container(new.id)
    if is_left_over(old.labels, observer=find_ourselves(), now=time.monotonic()) and not is_detached(old.id):
        # It was to live as long as somebody who is dead, too.
        engine.remove_container(old.id)
        return False
    details = engine.find_container(old.id)
    if details is not None and details.is_running:
        # It was asked to end already, and whoever was to see to that is dead: it would be gone at any moment.
        stop(engine, details, listener, name=name)
    return put_back(engine, old.id, name)


def put_back(engine: Engine, container: str, name: str) -> bool:
    """Have a container run under its name again; whether it is there at all.

    Raises:
        EngineError: The engine refused.
    """
    details = engine.find_container(container)
    if details is None:
        return False
    if details.name != name:
        engine.rename_container(container, name)
    if not details.is_running:
        engine.start_container(container)
    return True
