"""A file that may be forgotten: no fault of it stops anything."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nixdock.database import Database

SCHEMA = "CREATE TABLE things (name TEXT PRIMARY KEY, number INTEGER)"
INSERT = "INSERT OR REPLACE INTO things VALUES (?, ?)"
ALL = "SELECT name, number FROM things ORDER BY name"


def make(path: Path, version: int = 1, patience: float = 2.0) -> Database:
    return Database(path, SCHEMA, version, patience=patience)


def test_what_was_written_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "db"
    assert make(path).read(ALL) == []
    assert not path.exists()
    assert make(path).write(INSERT, [("a", 1), ("b", 2)])
    assert make(path).read(ALL) == [("a", 1), ("b", 2)]


def test_nobody_else_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "nixdock"
    before = os.umask(0)
    try:
        make(folder / "db").write(INSERT, [("a", 1)])
        made = [oct(path.stat().st_mode & 0o777) for path in (folder, folder / "db")]
        folder.chmod(0o755)
        (folder / "db").chmod(0o644)
        assert make(folder / "db").write(INSERT, [("b", 2)])
    finally:
        os.umask(before)
    assert (
        made == [oct(path.stat().st_mode & 0o777) for path in (folder, folder / "db")] == ["0o700", "0o600"]
    )


def test_what_cannot_be_looked_at_is_as_good_as_empty(tmp_path: Path) -> None:
    assert make(tmp_path / ("x" * 300) / "db").read(ALL) == []
    assert not make(tmp_path / ("x" * 300) / "db").write(INSERT, [("a", 1)])


@pytest.mark.parametrize("damage", [b"", b"rubbish" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "db"
    make(path).write(INSERT, [("a", 1)])
    path.write_bytes(damage)
    database = make(path)
    assert database.read(ALL) == []
    database.write(INSERT, [("b", 2)])
    database.write(INSERT, [("b", 2)])
    assert make(path).read(ALL) == [("b", 2)]


def test_a_file_damaged_in_the_middle_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "db"
    make(path).write(INSERT, [(f"name-{n}", n) for n in range(5000)])
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xaa" * 20_000)
    database = make(path)
    assert database.read(ALL) == []
    assert database.write(INSERT, [("b", 2)])
    assert make(path).read(ALL) == [("b", 2)]


def test_another_version_is_thrown_away(tmp_path: Path) -> None:
    path = tmp_path / "db"
    make(path, version=1).write(INSERT, [("a", 1)])
    assert make(path, version=2).read(ALL) == []
    make(path, version=2).write(INSERT, [("b", 2)])
    assert make(path, version=2).read(ALL) == [("b", 2)]


def test_a_locked_file_is_done_without_and_waited_for_only_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "db"
    make(path).write(INSERT, [("a", 1)])
    opened = 0
    connect: Callable[..., sqlite3.Connection] = sqlite3.connect

    def count(*words: Any, **options: Any) -> sqlite3.Connection:
        nonlocal opened
        opened += 1
        return connect(*words, **options)

    other = connect(path)
    other.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr(sqlite3, "connect", count)
    database = make(path, patience=0.05)
    assert not database.write(INSERT, [("b", 2)])
    assert database.read(ALL) == []
    assert not database.write(INSERT, [("c", 3)])
    assert opened == 1
    other.close()
    assert make(path).read(ALL) == [("a", 1)]


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    database = make(tmp_path / "file" / "db")
    assert not database.write(INSERT, [("a", 1)])
    assert database.read(ALL) == []


@pytest.mark.skipif(not Path("/dev/full").exists() or os.geteuid() != 0, reason="needs root to mount")
def test_a_full_disk_is_done_without(tmp_path: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", tmp_path], check=True)
    try:
        database = make(tmp_path / "db")
        assert database.write(INSERT, [("a", 1)])
        assert not database.write(INSERT, [(f"name {n}" * 100, n) for n in range(1000)])
        assert make(tmp_path / "db").read(ALL) == [("a", 1)]
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_a_read_only_file_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "db"
    make(path).write(INSERT, [("a", 1)])
    script = (
        "import sys; from pathlib import Path; from nixdock.database import Database\n"
        f"database = Database(Path(sys.argv[1]), {SCHEMA!r}, 1)\n"
        f"print(database.read({ALL!r}), database.write({INSERT!r}, [('b', 2)]))\n"
    )
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    # Root may write everywhere, so the file system says no.
    read_only = [
        "unshare",
        "-m",
        "sh",
        "-c",
        'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && exec "$2" -c "$3" "$1/db"',
        "sh",
    ]
    done = subprocess.run(
        [*read_only, tmp_path, sys.executable, script]
        if os.geteuid() == 0
        else [sys.executable, "-c", script, path],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[('a', 1)] False"


def write_many(path: Path, first: int) -> None:
    database = make(path, patience=30)
    for number in range(first, first + 50):
        assert database.write(INSERT, [(str(number), number)])


def test_processes_share_it(tmp_path: Path) -> None:
    path = tmp_path / "db"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=write_many, args=(path, 100 * n)) for n in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(make(path).read(ALL)) == 150
