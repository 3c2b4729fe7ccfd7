"""Remove images that nixdock loaded and that newer builds of the same name have replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.engine.loading.ledger import Ledger
from nixdock.events import Notice
from nixdock.image.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ImageSummary
    from nixdock.engine.loading.ledger import LedgerEntry
    from nixdock.events import Listener


@dataclass(frozen=True, slots=True)
class OldBuild:
    """An older build that nobody uses.

    Args:
        image: The engine's ID of it.
        repository: The name that newer builds have now.
        names: What is taken from it; nothing where it has no name any more, and goes by its ID.
    """

    image: str
    repository: str
    names: tuple[Reference, ...]

    @property
    def label(self) -> str:
        """What it is called in messages."""
        return ", ".join(name.familiar for name in self.names) or self.image


def find_old_builds(engine: Engine, *, keep: int, repositories: Iterable[str] = ()) -> tuple[OldBuild, ...]:
    """Find the images that `prune` would remove.

    Only what nixdock itself loaded into this engine counts, and of that only what no container uses,
    running or not. Images that are gone are forgotten.

    Args:
        engine: The engine.
        keep: How many builds of each name stay, the newest first.
        repositories: Only images of these names; of all when empty.

    Raises:
        EngineError: The engine cannot be asked.
    """
    ledger = Ledger(engine)
    there = {image.id: image for image in engine.images(every=True)}
    used = {container.image_id for container in engine.containers()}
    builds: dict[str, list[LedgerEntry]] = {}
    for entry in ledger.entries():
        if entry.image not in there:
            ledger.forget(entry.image)
        elif entry.repository:
            builds.setdefault(entry.repository, []).append(entry)
    wanted = set(repositories) or builds.keys()
    return tuple(
        OldBuild(entry.image, repository, _names(there[entry.image], repository))
        for repository, entries in builds.items()
        if repository in wanted
        for entry in entries[keep:]
        if entry.image not in used and _is_removable(there[entry.image], repository)
    )


def remove(engine: Engine, builds: Iterable[OldBuild], listener: Listener) -> tuple[OldBuild, ...]:
    """Remove images; one that somebody has begun to use meanwhile stays, and that is told.

    Args:
        engine: The engine.
        builds: What `find_old_builds` gave.
        listener: Told what could not be removed.

    Returns:
        What was removed.
    """
    ledger = Ledger(engine)
    removed = []
    for build in builds:
        try:
            for name in build.names or (build.image,):
                engine.remove_image(str(name))
        except EngineRefusedError as error:
            if error.status != 404:
                listener(Notice(f"{build.label} stays: {error.message}"))
                continue
        ledger.forget(build.image)
        removed.append(build)
    return tuple(removed)


def _names(image: ImageSummary, repository: str) -> tuple[Reference, ...]:
    return tuple(
        name for name in map(_parse, image.tags) if name is not None and name.repository == repository
    )


def _is_removable(image: ImageSummary, repository: str) -> bool:
    """Whether it has this name or none: one that only goes by other names is somebody else's."""
    return not image.tags or bool(_names(image, repository))


def _parse(tag: str) -> Reference | None:
    try:
        return Reference.parse(tag)
    except ValueError:
        return None
