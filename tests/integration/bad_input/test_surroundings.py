"""Machines and users as they are: each command line ends with a sentence and a status, whatever is around it.

What nixdock keeps for itself (cache and state) only ever makes it slower; what the machine refuses is told
as such. No row may end in a traceback, in a fault of nixdock's own, or in a container that is left.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support import surroundings
from support.archives import docker_archive, layer, runnable
from support.surroundings import NOBODY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from support.engines import Engine
    from support.surroundings import Answer, Server

IMAGE = "surrounded:1"
CHECKS = """\
checks:
  there:
    file: /etc/there
    exists: true
  says:
    exec: [/bin/busybox, echo, hi]
    stdout: "hi\\n"
"""
COMMANDS = {
    "lint": ("lint", "{archive}"),
    "load": ("load", "{archive}"),
    "run": ("run", IMAGE),
    "check": ("check", "{archive}", "--checks", "{checks}"),
    "static": ("check", "{archive}", "--checks", "{checks}", "--static"),
    "env": ("env",),
    "plugin": ("plugin", "install"),
    "init": ("init", "{here}/new.nix"),
    "version": ("--version",),
    "prune": ("prune", "--dry-run"),
    "down": ("down", "--all"),
}
SAYS = {"load": f"Loaded image: {IMAGE}\n", "run": "hello\n"}
THREADS = "no more threads can be started"
PLACE = "{here}"
KEPT = {"NIXDOCK_CACHE_DIR": "{here}/cache", "NIXDOCK_STATE_DIR": "{here}/state"}
AT_HOME = {"NIXDOCK_CACHE_DIR": None, "NIXDOCK_STATE_DIR": None}


@dataclass(frozen=True)
class Bench:
    """The server, and the folders and files of the rows."""

    server: Server
    root: Path
    engine: Engine

    def run(
        self, command: str, here: Path, env: Mapping[str, str | None], steps: tuple[tuple[Any, ...], ...]
    ) -> Answer:
        """Run a command in surroundings; `{here}` in them is the row's own folder."""
        names = {
            "here": str(here),
            "archive": str(self.root / "a.tar"),
            "checks": str(self.root / "checks.yaml"),
        }
        names["group"] = str(Path(self.engine.host.removeprefix("unix://")).stat().st_gid)

        def fill(value: Any) -> Any:
            if not isinstance(value, str):
                return value
            text = value.format(**names) if "{" in value else value
            return int(text) if value == "{group}" else text

        words = [fill(word) for word in COMMANDS[command]]
        return self.server.run(
            words,
            {name: fill(value) for name, value in env.items()},
            [[name, *map(fill, rest)] for name, *rest in steps],
        )


@pytest.fixture(scope="module")
def bench(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    # Below /tmp itself, where an ordinary user gets at it.
    root = Path(surroundings.make_folder())
    (root / "a.tar").write_bytes(docker_archive(runnable(layer("etc/there"), tags=(IMAGE,))))
    (root / "checks.yaml").write_text(CHECKS)
    (root / "set").mkdir()
    (root / "set" / "default.nix").write_text("{ ... }: { }")
    for name in ("home", "cache", "state", "work"):
        (root / name).mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(root / "home"),
        "DOCKER_HOST": engine.host,
        "NIX_PATH": f"nixpkgs={root}/set",
        "NIXDOCK_CACHE_DIR": str(root / "cache"),
        "NIXDOCK_STATE_DIR": str(root / "state"),
        "LC_ALL": "C.UTF-8",
    }
    # Its own folder is root's alone; the socket is its group's.
    engine.root.chmod(0o711)
    engine.docker("load", stdin=(root / "a.tar").read_bytes())
    with surroundings.serve(environment, root / "work") as server:
        yield Bench(server, root, engine)
    engine.docker("rmi", "--force", IMAGE)
    engine.root.chmod(0o700)
    surroundings.remove_folder(root)


@pytest.fixture
def here(bench: Bench, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder of the row's own that everybody may write to, with a cache and a state in it."""
    folder = Path(surroundings.make_folder(bench.root))
    (folder / "cache").mkdir()
    (folder / "state").mkdir()
    for path in (folder, folder / "cache", folder / "state"):
        path.chmod(0o777)
    yield folder
    left = bench.engine.docker("ps", "-aq", "--filter", "label=io.nixdock.run")
    if left:
        bench.engine.docker("rm", "-fv", *left.split())
    assert left == ""


def judge(answer: Answer, status: int, sentence: str) -> None:
    assert "Traceback" not in answer.stderr
    assert "a fault of nixdock itself" not in answer.stderr
    assert "escaped" not in answer.stderr
    assert (answer.status, sentence in answer.stderr) == (status, True), (answer, sentence)


USER = (("user", NOBODY, "{group}"),)


def spoil_file(here: Path) -> None:
    for name in ("cache", "state"):
        (here / name).rmdir()
        (here / name).write_text("")


def spoil_link(here: Path) -> None:
    for name in ("cache", "state"):
        (here / name).rmdir()
        (here / name).symlink_to(here / name)


def forbid_search(here: Path) -> None:
    for name in ("cache", "state"):
        (here / name).chmod(0o644)


def forbid_all(here: Path) -> None:
    for name in ("cache", "state"):
        (here / name).chmod(0)


def put_databases(here: Path, data: bytes) -> None:
    for name in ("cache/artefacts.sqlite", "state/images.sqlite"):
        (here / name).write_bytes(data)


def put_folders(here: Path) -> None:
    for name in ("cache/artefacts.sqlite", "state/images.sqlite", "state/locks", "cache/layer-indexes"):
        (here / name).mkdir()
        (here / name / "x").touch()


def put_newer(here: Path) -> None:
    for name in ("cache/artefacts.sqlite", "state/images.sqlite"):
        connection = sqlite3.connect(here / name)
        connection.executescript(
            "CREATE TABLE images (other); CREATE TABLE archives (z); PRAGMA user_version = 999"
        )
        connection.close()


KEEPING: dict[str, tuple[Any, dict[str, str | None], tuple[tuple[Any, ...], ...]]] = {
    "read-only": (None, {}, (("read-only", PLACE),)),
    "full": (None, {}, (("full", "{here}/cache"), ("full", "{here}/state"))),
    "a file in its place": (spoil_file, {}, ()),
    "a link to itself": (spoil_link, {}, ()),
    "below a file": (
        None,
        {"NIXDOCK_CACHE_DIR": "{archive}/c", "NIXDOCK_STATE_DIR": "{archive}/s"},
        (),
    ),
    "may not be searched": (forbid_search, {}, USER),
    "may not be seen": (forbid_all, {}, USER),
    "of a name too long": (
        None,
        {"NIXDOCK_CACHE_DIR": "/tmp/" + "x" * 300, "NIXDOCK_STATE_DIR": "/tmp/" + "y" * 300},
        (),
    ),
    "of any bytes": (
        None,
        {"NIXDOCK_CACHE_DIR": "{here}/\udcff", "NIXDOCK_STATE_DIR": "{here}/\udcfe\n"},
        (),
    ),
    "rubbish": (lambda here: put_databases(here, b"rubbish" * 999), {}, ()),
    "cut short": (lambda here: put_databases(here, b"SQLite format 3\0" + b"\xff" * 5000), {}, ()),
    "empty files": (lambda here: put_databases(here, b""), {}, ()),
    "folders in the files' places": (put_folders, {}, ()),
    "of a newer version": (put_newer, {}, ()),
    "no home": (None, {"HOME": None, **AT_HOME}, ()),
    "no home and no name": (None, {"HOME": None, **AT_HOME}, USER),
    "the home of another": (None, {"HOME": "/root", **AT_HOME}, USER),
    "a home that is a file": (None, {"HOME": "{archive}", **AT_HOME}, ()),
    "a home that is a device": (None, {"HOME": "/dev/null", **AT_HOME}, ()),
    "relative XDG folders": (
        None,
        {
            **AT_HOME,
            "XDG_CACHE_HOME": "r",
            "XDG_STATE_HOME": "r",
            "XDG_CONFIG_HOME": "r",
            "XDG_DATA_HOME": "r",
        },
        (),
    ),
    "empty variables": (
        None,
        {"NIXDOCK_CACHE_DIR": "", "NIXDOCK_STATE_DIR": "", "XDG_CACHE_HOME": "", "XDG_STATE_HOME": ""},
        (),
    ),
    "a umask that leaves nothing": (None, {}, (("umask", 0o777), *USER)),
    "no large files": (None, {}, (("limit", "FSIZE", 2048),)),
    "1970": (None, {}, (("clock", 0),)),
    "before 1970": (None, {}, (("clock", -1e9),)),
    "2100": (None, {}, (("clock", 4.2e9),)),
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("command", ["lint", "load", "static", "run", "env"])
@pytest.mark.parametrize("name", KEEPING)
def test_what_is_kept_only_ever_makes_it_slower(bench: Bench, here: Path, name: str, command: str) -> None:
    prepare, env, steps = KEEPING[name]
    if prepare is not None:
        prepare(here)
    answer = bench.run(command, here, {**KEPT, **env}, steps)
    judge(answer, 0, "")
    assert answer.stdout == SAYS.get(command, answer.stdout)


def test_a_locked_cache_is_done_without(bench: Bench, here: Path) -> None:
    # The state is asked and written for what is not there.
    bench.engine.docker("rmi", "--force", IMAGE)
    bench.run("load", here, KEPT, ())
    locks = [sqlite3.connect(path) for path in here.glob("*/*.sqlite")]
    assert len(locks) == 2
    for lock in locks:
        lock.execute("BEGIN EXCLUSIVE")
    bench.engine.docker("rmi", "--force", IMAGE)
    answer = bench.run("load", here, KEPT, ())
    for lock in locks:
        lock.close()
    judge(answer, 0, "")
    assert answer.stdout == SAYS["load"]


GONE = (("gone", "{here}/cache"),)
Row = tuple[str, str, dict[str, str | None], tuple[tuple[Any, ...], ...], int, str]
VARIABLES: list[tuple[str, str | None]] = [
    *(("LC_ALL", "C"), ("LC_ALL", "POSIX"), ("LC_ALL", "xx_YY.nothing"), ("LC_ALL", None)),
    *(("TERM", None), ("TERM", ""), ("TERM", "dumb"), ("TERM", "garbage")),
    *(("TMPDIR", "/nonexistent"), ("TMPDIR", ""), ("TMPDIR", "relative"), ("TMPDIR", "{archive}")),
    *(("PATH", ""), ("PATH", None), ("PATH", "/nonexistent")),
    *(("NO_COLOR", "1"), ("NO_COLOR", ""), ("FORCE_COLOR", "x")),
    *(("COLUMNS", "garbage"), ("COLUMNS", "-3"), ("COLUMNS", "0"), ("LINES", "x")),
    *(("NIX_PATH", "garbage"), ("NIX_PATH", ":::="), ("NIX_REMOTE", "garbage"), ("NIX_STATE_DIR", "/none")),
    *(("NIX_CONF_DIR", "{archive}"), ("NIX_CONFIG", "garbage"), ("NIX_USER_CONF_FILES", ":")),
    *(("http_proxy", "garbage"), ("http_proxy", "http://["), ("HTTP_PROXY", "\udcff"), ("no_proxy", "[::")),
    *(("GITHUB_STEP_SUMMARY", "/none/x"), ("USER", None), ("USER", "\udcff"), ("SHELL", "")),
    *(("TZ", "garbage"), ("SOURCE_DATE_EPOCH", "x"), ("APT_CONFIG", "/none"), ("PYTHONUTF8", "0")),
    *(("DOCKER_CONFIG", "/none"), ("DOCKER_CONTEXT", "no-such"), ("DOCKER_CERT_PATH", "/none")),
]


def rows(
    around: str,
    *commands: str,
    env: dict[str, str | None] | None = None,
    steps: tuple[tuple[Any, ...], ...] = (),
    status: int = 0,
    says: str = "",
) -> list[Row]:
    """Return a row for each command in the same surroundings."""
    return [(around, command, env or {}, steps, status, says) for command in commands]


NO_THREADS = (("no-threads",),)
NO_PROCESSES = (("limit", "NPROC", 0), *USER)
FULL = (("full", "{here}/cache"),)
READ_ONLY = (("read-only", PLACE),)
ROWS = [
    *rows("no folder", "lint", "load", "run", "version", "down", steps=GONE),
    *rows("no threads", "load", "run", "check", "static", "down", steps=NO_THREADS, status=71, says=THREADS),
    *rows("no threads", "lint", "env", steps=NO_THREADS),
    *rows("no processes", "load", "run", "check", "static", steps=NO_PROCESSES, status=71, says=THREADS),
    *rows("no processes", "env", steps=NO_PROCESSES),
    *rows("4 descriptors", "run", steps=(("limit", "NOFILE", 4),), status=71, says="no more open files"),
    *rows("a place of any bytes", "run", "lint", "down", steps=(("odd-mount", PLACE),)),
    *rows("a full TMPDIR", "lint", "run", env={"TMPDIR": "{here}/cache"}, steps=FULL),
    *rows("a read-only TMPDIR", "lint", "run", env={"TMPDIR": PLACE}, steps=READ_ONLY),
    *rows("a read-only folder", "init", steps=READ_ONLY, status=2, says="cannot write"),
    *rows("another's home", "plugin", env={"HOME": "/root"}, steps=USER, status=2, says="ermission denied"),
    *rows("no home", "plugin", env={"HOME": None}, steps=USER, status=2, says="cannot write"),
    *(row for name, value in VARIABLES for row in rows(f"{name}={value}", "lint", "run", env={name: value})),
    *rows("DOCKER_HOST", "lint", env={"DOCKER_HOST": "garbage"}),
    *rows("DOCKER_HOST", "run", env={"DOCKER_HOST": "tcp://[::1"}, status=2, says="invalid engine address"),
    *rows(
        "DOCKER_HOST", "run", env={"DOCKER_HOST": "tcp://x:99999"}, status=2, says="invalid engine address"
    ),
    *rows("DOCKER_HOST", "load", env={"DOCKER_HOST": "ssh://"}, status=2, says="ssh://[user@]host[:port]"),
    *rows("DOCKER_HOST", "load", env={"DOCKER_HOST": "unix:///none"}, status=125, says="no such socket"),
    *rows("DOCKER_HOST", "load", env={"DOCKER_HOST": "unix://{archive}"}, status=125, says="no engine"),
    *rows("DOCKER_CONFIG", "run", env={"DOCKER_CONFIG": "{archive}"}),
]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]}: {row[1]}" for row in ROWS])
def test_each_surrounding_has_its_sentence(bench: Bench, here: Path, row: Row) -> None:
    _, command, env, steps, status, sentence = row
    answer = bench.run(command, here, env, steps)
    judge(answer, status, sentence)
    if status == 0:
        assert answer.stdout == SAYS.get(command, answer.stdout)
