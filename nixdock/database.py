"""A small SQLite file of things that may be forgotten.

What is kept here saves work and nothing else, so no fault of the file may stop anything: a file that
cannot be made, read or written is as good as an empty one, a damaged one (or one of another version)
is made anew, and one that another process keeps locked is done without after a short wait.
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any, Final

from nixdock.log import get_logger
from nixdock.settings import close_to_others, make_private

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

log = get_logger(__name__)

PATIENCE: Final = 2.0
"""Seconds to wait for another process that writes; a write takes a few milliseconds."""


class Database:
    """One file; each call opens and closes it, so that threads and processes share it freely.

    Args:
        path: The file; its directory is made when something is first written.
        schema: The statements that make its tables.
        version: Of the schema; a file of another version is thrown away.
        patience: Seconds to wait for a lock.
    """

    def __init__(self, path: Path, schema: str, version: int, *, patience: float = PATIENCE) -> None:
        self.path = path
        self._schema = schema
        self._version = version
        self._patience = patience
        self._given_up = False

    def read(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query; none where the file cannot be read."""
        try:
            if not self.path.exists():
                return []
            with self._opened() as connection:
                return connection.execute(query, parameters).fetchall()
        except (sqlite3.Error, OSError) as error:
            self._fail("read", error)
            return []

    def write(self, statement: str, rows: Iterable[Sequence[Any]]) -> bool:
        """Execute a statement for each row, all or none; return whether that was possible."""
        try:
            make_private(self.path.parent)
            self.path.touch(mode=0o600)
            with self._opened() as connection, connection:
                connection.executemany(statement, rows)
        except (sqlite3.Error, OSError) as error:
            self._fail("write", error)
            return False
        return True

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        if self._given_up:
            raise sqlite3.OperationalError("given up before")
        close_to_others(self.path)
        connection = sqlite3.connect(self.path, timeout=self._patience, isolation_level="IMMEDIATE")
        try:
            # What a crash of the machine damages is made anew; waiting for the disk is not worth it.
            connection.execute("PRAGMA synchronous = OFF")
            self._prepare(connection)
            yield connection
        finally:
            connection.close()

    def _prepare(self, connection: sqlite3.Connection) -> None:
        if connection.execute("PRAGMA user_version").fetchone()[0] == self._version:
            return
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            # Asked again under the lock: another process may have been faster.
            if connection.execute("PRAGMA user_version").fetchone()[0] == self._version:
                return
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (name,) in tables:
                connection.execute(f'DROP TABLE "{name}"')
            for statement in filter(str.strip, self._schema.split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {self._version}")

    def _fail(self, what: str, error: Exception) -> None:
        log.debug("database.failed", path=str(self.path), what=what, error=repr(error))
        if isinstance(error, sqlite3.OperationalError | OSError):
            # Locked, read-only or full: it would be so again, and each try costs the wait.
            self._given_up = True
        elif isinstance(error, sqlite3.DatabaseError):
            # Damaged: the next call finds no file and makes one.
            for suffix in ("", "-journal"):
                with contextlib.suppress(OSError):
                    self.path.with_name(self.path.name + suffix).unlink()
