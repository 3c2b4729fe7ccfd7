"""What nixdock has loaded, and into which engine: for knowing layers again, and for pruning.

Images cannot be marked, for their bytes are the artefact's. An engine is known by its own identity. What
stands here may be out of date (somebody removed an image): whoever uses it asks the engine.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from nixdock import settings
from nixdock.database import Database
from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.events import Notice
from nixdock.image.reference import Digest, Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ImageSummary
    from nixdock.events import Listener

_VERSION: Final = 1
_AT_ONCE: Final = 500

_SCHEMA: Final = """
CREATE TABLE images (
    engine TEXT NOT NULL, image TEXT NOT NULL, config TEXT NOT NULL, repository TEXT NOT NULL,
    loaded REAL NOT NULL, PRIMARY KEY (engine, image, repository)) WITHOUT ROWID;
CREATE TABLE blobs (
    engine TEXT NOT NULL, image TEXT NOT NULL, blob TEXT NOT NULL,
    PRIMARY KEY (engine, image, blob)) WITHOUT ROWID;
CREATE INDEX blobs_by_digest ON blobs (engine, blob)
"""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """An image that nixdock loaded.

    Args:
        image: The engine's ID of it.
        config: Its config digest.
        repository: The name that it was loaded by, without its tag; empty without a name.
        loaded: When, in seconds since 1970.
    """

    image: str
    config: str
    repository: str
    loaded: float


def open_database(directory: Path) -> Database:
    """Return the database in a directory; nothing is touched yet."""
    return Database(directory / "engines.sqlite", _SCHEMA, _VERSION)


@dataclass(frozen=True, slots=True)
class Ledger:
    """What was loaded into an engine.

    Args:
        engine: The engine; it is asked for its identity when that is needed.
        database: Where it is kept.
    """

    engine: Engine
    database: Database = field(default_factory=lambda: open_database(settings.state_dir()))

    @property
    def _key(self) -> str:
        return self.engine.traits.identity

    def record(
        self, image: str, config: Digest, repositories: Iterable[str], blobs: Iterable[Digest]
    ) -> None:
        """Note that an image is in the engine, all its blobs included."""
        key, now = self._key, time.time()
        names = sorted(set(repositories)) or [""]
        self.database.write(
            "INSERT OR REPLACE INTO images VALUES (?, ?, ?, ?, ?)",
            [(key, image, str(config), repository, now) for repository in names],
        )
        self.database.write(
            "INSERT OR IGNORE INTO blobs VALUES (?, ?, ?)",
            [(key, image, str(blob)) for blob in set(blobs)],
        )

    def touch(self, image: str) -> None:
        """Note that an image was wanted again, if it is one that nixdock loaded."""
        query = """SELECT 1 FROM images AS one JOIN images AS newer ON newer.engine = one.engine
            AND newer.repository = one.repository AND newer.image <> one.image AND newer.loaded >= one.loaded
            WHERE one.image = ? LIMIT 1"""
        if not self.database.read(query, [image]):
            # The newest of its name already, wherever it is: that it is wanted says nothing new.
            return
        self.database.write(
            "UPDATE images SET loaded = ? WHERE engine = ? AND image = ?", [(time.time(), self._key, image)]
        )

    def forget(self, image: str) -> None:
        """Note that an image is no longer in the engine."""
        key = self._key
        self.database.write("DELETE FROM images WHERE engine = ? AND image = ?", [(key, image)])
        self.database.write("DELETE FROM blobs WHERE engine = ? AND image = ?", [(key, image)])

    def find_config(self, image: str) -> Digest | None:
        """Return the config digest of an image by the engine's ID of it, if nixdock loaded it."""
        rows = self.database.read(
            "SELECT config FROM images WHERE engine = ? AND image = ? LIMIT 1", [self._key, image]
        )
        try:
            return Digest.parse(rows[0][0]) if rows else None
        except ValueError:
            return None

    def find_related(self, blobs: Sequence[Digest], limit: int) -> tuple[str, ...]:
        """Return the images that have most of these blobs in common, best first, and of equals the newest."""
        key = self._key
        counts: dict[str, int] = {}
        loaded: dict[str, float] = {}
        for start in range(0, len(blobs), _AT_ONCE):
            some = [str(blob) for blob in blobs[start : start + _AT_ONCE]]
            marks = ", ".join("?" * len(some))
            query = (
                "SELECT image, COUNT(*), (SELECT MAX(loaded) FROM images WHERE images.engine = blobs.engine"  # noqa: S608  # marks only
                f" AND images.image = blobs.image) FROM blobs WHERE engine = ? AND blob IN ({marks})"
                " GROUP BY image"
            )
            for image, count, when in self.database.read(query, [key, *some]):
                counts[image] = counts.get(image, 0) + count
                loaded[image] = when or 0.0
        return tuple(sorted(counts, key=lambda image: (-counts[image], -loaded[image], image))[:limit])

    def blobs_of(self, image: str) -> frozenset[Digest]:
        """Return the blobs that an image was loaded with."""
        rows = self.database.read("SELECT blob FROM blobs WHERE engine = ? AND image = ?", [self._key, image])
        return frozenset(Digest.parse(row[0]) for row in rows)

    def knows_repository(self, repository: str) -> bool:
        """Whether an image of this name was ever loaded into the engine."""
        query = "SELECT 1 FROM images WHERE engine = ? AND repository = ? LIMIT 1"
        return bool(self.database.read(query, [self._key, repository]))

    def entries(self) -> tuple[LedgerEntry, ...]:
        """Return all images loaded, newest first."""
        query = "SELECT image, config, repository, loaded FROM images WHERE engine = ? ORDER BY loaded DESC"
        return tuple(LedgerEntry(*row) for row in self.database.read(query, [self._key]))


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
    wanted = set(repositories)
    return tuple(
        OldBuild(entry.image, repository, _names(there[entry.image], repository))
        for repository, entries in builds.items()
        # An image without its store paths goes by the name of the whole one.
        if not wanted or not wanted.isdisjoint({repository, _whole(repository)})
        for entry in entries[keep:]
        if entry.image not in used and _is_removable(there[entry.image], repository)
    )


def remove_builds(engine: Engine, builds: Iterable[OldBuild], listener: Listener) -> tuple[OldBuild, ...]:
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


def _whole(repository: str) -> str:
    name = _parse(repository)
    return repository if name is None else name.whole.repository


def _is_removable(image: ImageSummary, repository: str) -> bool:
    """Whether it has this name or none: one that only goes by other names is somebody else's."""
    return not image.tags or bool(_names(image, repository))


def _parse(tag: str) -> Reference | None:
    try:
        return Reference.parse(tag)
    except ValueError:
        return None
