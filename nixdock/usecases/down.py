"""`down`: stop and remove what was left running."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nixdock.engine.containers.owner import SETTINGS, TARGET, find_ours
from nixdock.engine.containers.unfinished import TakenPlace
from nixdock.errors import UsageError
from nixdock.events import ignore
from nixdock.image.reference import Reference
from nixdock.nix.target import ImageTarget, PathTarget, parse
from nixdock.services.identity import is_attended, stop_and_remove
from nixdock.usecases.prepare import key_of, name_image
from nixdock.workers import do_together

if TYPE_CHECKING:
    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ContainerSummary
    from nixdock.events import Listener
    from nixdock.nix.command import NixOptions
    from nixdock.nix.target import Target

_SHORT_ID: Final = 12
_AT_ONCE: Final = 8
"""How many containers are stopped at a time."""


def down(
    engine: Engine,
    text: str | None,
    nix: NixOptions,
    listener: Listener = ignore,
    *,
    grace: int | None = None,
) -> tuple[str, ...]:
    """Stop and remove the containers that a target or a container's name stands for.

    Args:
        engine: Where they run.
        text: A container's name, or a target; the directory's own target when None.
        nix: The attributes that choose among a target's images.
        listener: Told of those that take long to end.
        grace: Seconds that each has to end, for ever when negative; its own stop timeout when None.

    Returns:
        The names of what was removed; empty where nothing of an existing target ran.

    Raises:
        UsageError: A name that stands for nothing.
    """
    ours = find_ours(engine)
    named = _with_replaced([one for one in ours if text and _is_called(one, text)], ours)
    if not named:
        target = _parse(text, nix)
        image = engine.find_image(target.reference) if isinstance(target, ImageTarget) else None
        key = key_of(target, nix, image)
        named = [
            container for container in ours if _is_of(container, key) and not _is_a_living_job(container)
        ]
        if not named and isinstance(target, PathTarget):
            # Where nothing of it runs, a file must be there at least.
            parse(text)
        if isinstance(target, ImageTarget):
            reference = name_image(target.reference, image)
            named += [item for item in ours if _image_of(item) == reference and item not in named]
            if not named:
                others = ", ".join(sorted(container.name for container in ours))
                raise UsageError(
                    f"there is no container of nixdock called {target.reference}, nor one of this image",
                    hint=f"there are: {others}" if others else "there is none at all",
                )
    return _remove(engine, named, listener, grace)


def down_all(engine: Engine, listener: Listener = ignore, *, grace: int | None = None) -> tuple[str, ...]:
    """Stop and remove all that nixdock left on an engine; what a living run looks after is left to it.

    Args:
        engine: Where it is.
        listener: As for `down`.
        grace: As for `down`.
    """
    left = [container for container in find_ours(engine) if not is_attended(container)]
    return _remove(engine, left, listener, grace)


def _image_of(container: ContainerSummary) -> str:
    """Return the name of a container's image, of the whole one where it has store paths mounted."""
    name = name_image(container.image)
    try:
        return Reference.parse(name).whole.familiar
    except ValueError:
        return name


def _with_replaced(named: list[ContainerSummary], ours: list[ContainerSummary]) -> list[ContainerSummary]:
    """Add what belongs to a replacement that has not ended: whoever takes a container's place, or had it."""
    idents = {container.id for container in named}
    places = {container.id: place.old for container in ours if (place := TakenPlace.of(container))}
    idents |= {old for new, old in places.items() if new in idents}
    idents |= {new for new, old in places.items() if old in idents}
    return [container for container in ours if container.id in idents]


def _remove(
    engine: Engine, containers: list[ContainerSummary], listener: Listener, grace: int | None
) -> tuple[str, ...]:
    # Each may take its time to end: they take it together.
    jobs = [partial(stop_and_remove, engine, one, listener, grace=grace) for one in containers]
    for result in do_together(jobs, _AT_ONCE):
        if result is not None:
            raise result
    return tuple(container.name for container in containers)


def _is_called(container: ContainerSummary, text: str) -> bool:
    """Whether a text is a container's name or its ID, which docker's commands print short."""
    return text in {container.name, container.id} or (
        len(text) >= _SHORT_ID and container.id.startswith(text)
    )


def _parse(text: str | None, nix: NixOptions) -> Target:
    """Decide what a target is; a file that is gone may have been brought up."""
    try:
        return parse(text, expression=nix.expression)
    except UsageError:
        if text is None or nix.expression is not None or not text.endswith(".nix") or Path(text).exists():
            raise
        return PathTarget(text, Path(text.removeprefix("path:")).absolute())


def _is_of(container: ContainerSummary, key: str) -> bool:
    """Whether a container was made of a target; without attributes all of them are meant."""
    label = container.labels.get(TARGET, "")
    return label == key or label.startswith(f"{key} -A ")


def _is_a_living_job(container: ContainerSummary) -> bool:
    """Whether it is somebody's run that will end by itself, which only its name stops."""
    return not container.labels.get(SETTINGS) and is_attended(container)
