"""What was learned of artefacts by reading them, so that no byte is read twice for it.

Three tables. `archives`: what stands where in a file that did not change since (by device, inode,
size and times). `layers`: size and diff ID of a layer that is made of store paths, whose content
never changes, by everything that its bytes follow from. `valid`: store paths that Nix knew, by the file
that each was then. All can be had again by reading, or by asking.
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from nixdock import settings
from nixdock.database import Database
from nixdock.image.reference import Digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from nixdock.formats.source import FileIdentity

Opened = TypeVar("Opened")

_VERSION: Final = 2
_ARCHIVES: Final = 500
"""Archives that are remembered; what one holds takes some kilobytes."""

_ARCHIVE_SIZE: Final = 4 * 1024 * 1024
"""Characters that may be remembered of an archive; one with more is read again."""

_AT_ONCE: Final = 500
"""Values in one query; SQLite takes 999 at least."""

_SCHEMA: Final = """
CREATE TABLE archives (identity TEXT PRIMARY KEY, content TEXT NOT NULL, kept REAL NOT NULL);
CREATE TABLE layers (recipe TEXT PRIMARY KEY, size INTEGER NOT NULL, diff_id TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE valid (path TEXT PRIMARY KEY, identity TEXT NOT NULL) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class Memory:
    """What nixdock remembers of artefacts.

    Args:
        database: Where it is kept.
        opened: Layers by their recipes, where images that are opened together are to share them: what one
            learns of a layer all know; each opening has its own when None.
    """

    database: Database = field(default_factory=lambda: open_database(settings.cache_dir()))
    opened: dict[str, Any] | None = field(default=None, repr=False, compare=False)

    def recall_archive(self, identity: FileIdentity | Digest) -> Any | None:  # noqa: ANN401  # the reader's own JSON
        """Return what was learned of a file, or None where nothing is known of it as it is now.

        By a config digest it is what was learned of an image, whatever file that is read from.
        """
        rows = self.database.read("SELECT content FROM archives WHERE identity = ?", [str(identity)])
        try:
            return json.loads(rows[0][0]) if rows else None
        except (ValueError, RecursionError):
            return None

    def keep_archive(self, identity: FileIdentity | Digest, content: Any) -> None:  # noqa: ANN401  # as above
        """Remember what was learned of a file, or of an image."""
        text = json.dumps(content)
        if len(text) > _ARCHIVE_SIZE:
            return
        row = (str(identity), text, time.time())
        self.database.write("INSERT OR REPLACE INTO archives VALUES (?, ?, ?)", [row])
        self.database.write(
            "DELETE FROM archives WHERE identity IN "
            "(SELECT identity FROM archives ORDER BY kept DESC LIMIT -1 OFFSET ?)",
            [(_ARCHIVES,)],
        )

    def recall_layers(self, recipes: Sequence[str]) -> dict[str, tuple[Digest, int]]:
        """Return diff ID and size of those layers that are known, by their recipes."""
        found: dict[str, tuple[Digest, int]] = {}
        for start in range(0, len(recipes), _AT_ONCE):
            some = recipes[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            query = f"SELECT recipe, diff_id, size FROM layers WHERE recipe IN ({marks})"  # noqa: S608  # marks only
            for recipe, diff_id, size in self.database.read(query, some):
                with contextlib.suppress(ValueError):
                    found[recipe] = (Digest.parse(diff_id), int(size))
        return found

    def share(self, recipe: str, layer: Opened) -> Opened:
        """Return the layer that was opened first of those with this recipe, where they have one opening."""
        shared: Opened = layer if self.opened is None else self.opened.setdefault(recipe, layer)
        return shared

    def keep_layer(self, recipe: str, diff_id: Digest, size: int) -> None:
        """Remember diff ID and size of a layer."""
        self.database.write("INSERT OR REPLACE INTO layers VALUES (?, ?, ?)", [(recipe, size, str(diff_id))])

    def recall_valid(self, identities: Mapping[str, str]) -> set[str]:
        """Return the store paths that were valid, and are the same files since."""
        found: set[str] = set()
        paths = list(identities)
        for start in range(0, len(paths), _AT_ONCE):
            some = paths[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            query = f"SELECT path, identity FROM valid WHERE path IN ({marks})"  # noqa: S608  # marks only
            found |= {
                path for path, identity in self.database.read(query, some) if identities[path] == identity
            }
        return found

    def keep_valid(self, identities: Mapping[str, str]) -> None:
        """Remember store paths as valid."""
        if identities:
            self.database.write("INSERT OR REPLACE INTO valid VALUES (?, ?)", list(identities.items()))

    def forget_layer(self, recipe: str) -> None:
        """Forget a layer whose bytes turned out to be others."""
        self.database.write("DELETE FROM layers WHERE recipe = ?", [(recipe,)])


def open_database(directory: Path) -> Database:
    """Return the database in a directory; nothing is touched yet."""
    return Database(directory / "artefacts.sqlite", _SCHEMA, _VERSION)
