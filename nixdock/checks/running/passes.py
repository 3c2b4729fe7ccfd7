"""Checks that held, remembered so that none is run again where nothing can have changed (`check --cached`).

A pass is known by all that the verdict follows from: the image, what is asked of it, how its containers are
made, the engine's kind and version, and nixdock's. What follows from anything else (volumes, files and
variables of the caller's, other containers, other machines) has no such name, and is always run.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, fields, is_dataclass
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from nixdock import __version__, settings
from nixdock.checks.kinds.logs import LogsCheck
from nixdock.checks.model import ContainerSettings
from nixdock.checks.running.bench import ContainerKind
from nixdock.checks.running.service_group import READY
from nixdock.checks.verdict import Status
from nixdock.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nixdock.checks.model import Check, Suite
    from nixdock.checks.running.trials import Choice
    from nixdock.checks.verdict import Verdict
    from nixdock.engine.connection.api import Engine

_VERSION: Final = 1
_MOST: Final = 20_000
"""Passes that are remembered; each takes some hundred bytes."""
_DAYS: Final = 90
"""Days after which a pass that nobody asked for is forgotten."""
_AT_ONCE: Final = 500

_SCHEMA: Final = "CREATE TABLE passes (name TEXT PRIMARY KEY, used REAL NOT NULL) WITHOUT ROWID"

_OWN: Final = frozenset(
    (
        *("annotation", "cap-add", "cap-drop", "cgroupns", "cpu-period", "cpu-quota", "cpu-shares", "cpus"),
        *("cpuset-cpus", "cpuset-mems", "domainname", "entrypoint", "expose", "group-add", "health-cmd"),
        *("health-interval", "health-retries", "health-start-interval", "health-start-period"),
        *("health-timeout", "hostname", "init", "interactive", "label", "memory", "memory-reservation"),
        *("memory-swap", "memory-swappiness", "no-healthcheck", "oom-kill-disable", "oom-score-adj"),
        *("pids-limit", "platform", "publish", "publish-all", "read-only", "runtime"),
        *("shm-size", "stop-signal", "stop-timeout", "sysctl", "tmpfs", "tty", "ulimit", "user", "workdir"),
    )
)
"""docker's options whose effect is all in what is written."""
_NAMED: Final = frozenset(("seccomp", "apparmor"))
"""Security options that name something: a file, or what the machine has of that name."""
_KNOWN: Final = frozenset(
    (*("seccomp=unconfined", "seccomp=builtin"), *("apparmor=unconfined", "apparmor=docker-default"))
)
"""Those of them that name what is the engine's own."""
_NETWORKS: Final = frozenset(("none", "bridge", "default"))


class _UnknownError(Exception):
    """What something follows from cannot be told."""


@dataclass(frozen=True, slots=True)
class Passes:
    """What is remembered.

    Args:
        database: Where it is kept.
    """

    database: Database = field(default_factory=lambda: open_database(settings.cache_dir()))

    def recall(self, names: Iterable[str]) -> frozenset[str]:
        """Return those of some passes that are remembered, and keep these for longer."""
        asked = sorted(set(names))
        found: set[str] = set()
        for start in range(0, len(asked), _AT_ONCE):
            some = asked[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            query = f"SELECT name FROM passes WHERE name IN ({marks})"  # noqa: S608  # marks only
            found |= {row[0] for row in self.database.read(query, some)}
        if found:
            self.keep(found)
        return frozenset(found)

    def keep(self, names: Iterable[str]) -> None:
        """Remember passes; what is old, or too much, is forgotten."""
        now = time.time()
        self.database.write("INSERT OR REPLACE INTO passes VALUES (?, ?)", [(name, now) for name in names])
        self.database.write(
            "DELETE FROM passes WHERE used < ? OR name IN "
            "(SELECT name FROM passes ORDER BY used DESC LIMIT -1 OFFSET ?)",
            [(now - _DAYS * 86400, _MOST)],
        )


def open_database(directory: Path) -> Database:
    """Return the database in a directory; nothing is touched yet."""
    return Database(directory / "passes.sqlite", _SCHEMA, _VERSION)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is remembered of the checks of one suite over one image.

    Args:
        passes: Where it is kept.
        names: The names of the checks' passes, by the checks' keys; READY's is that of the service.
        held: The keys of those that held.
    """

    passes: Passes
    names: Mapping[str, str]
    held: frozenset[str]

    def keep(self, verdicts: Iterable[tuple[str, Verdict]]) -> None:
        """Remember those verdicts, by their checks' keys, that are new and good."""
        new = [
            self.names[key]
            for key, verdict in verdicts
            if verdict.status is Status.PASS and not verdict.is_cached and key in self.names
        ]
        if new:
            self.passes.keep(new)


def recall(
    suite: Suite, choice: Choice, image: str, *, engine: str, common: ContainerSettings, passes: Passes
) -> Remembered:
    """Find out which of the chosen checks need not be run.

    Args:
        suite: The checks.
        choice: Which are chosen.
        image: What the image is known by.
        engine: What `describe_engine` says; empty where every check is static.
        common: What the command line says of all containers.
        passes: What is remembered.
    """
    chosen = [check for check in suite.checks if choice.includes(check) and check.skip is None]
    common = common.over(suite.run)
    names: dict[str, str] = {}
    seeing = [check for check in chosen if check.what.is_late or isinstance(check.what, LogsCheck)]
    for check in chosen:
        if check.is_static:
            _name(names, check.key, "static", image, _define(check))
        elif check not in seeing:
            service = suite.asks_service(check) and (suite.service, suite.ready)
            _name(names, check.key, engine, image, _define(check), common, service, suite.tools)
    _name(names, READY, engine, image, READY, common, suite.service, suite.ready)
    # What looks at what others did follows from all that share its containers.
    sharing = [check for check in chosen if check not in seeing and _shares(check)]
    others = [names.get(check.key) for check in sharing]
    if None not in others:
        service = (suite.service, suite.ready)
        for check in seeing:
            _name(names, check.key, engine, image, _define(check), common, service, suite.tools, others)
    remembered = passes.recall(names.values())
    held = frozenset(key for key, name in names.items() if name in remembered)
    if any(check.key not in held for check in seeing):
        held -= {check.key for check in sharing}
    return Remembered(passes, names, held)


def _shares(check: Check) -> bool:
    """Whether a check is judged in a container that others are judged in, too."""
    return not check.is_static and not isinstance(check.what, ContainerKind)


def is_self_contained(values: Sequence[object]) -> bool:
    """Whether containers made by settings and for checks meet nothing that is not theirs alone.

    Args:
        values: Settings, checks, what else has settings in it.
    """
    try:
        _plain(values)
    except _UnknownError:
        return False
    return True


def describe_engine(engine: Engine) -> str:
    """Return what of an engine a container can tell, in words that are compared."""
    version, info = engine.version, engine.info
    told = ("KernelVersion", "CgroupVersion", "CgroupDriver", "SecurityOptions", "DefaultRuntime")
    return _digest(
        version.product,
        version.version,
        version.os,
        version.architecture,
        info.driver,
        info.containerd_store,
        *(info.raw.get(key) for key in told),
    )


def _define(check: Check) -> object:
    """Return what a check asks; what it is called, and where it is written, changes no verdict."""
    # That one is expected to fail is no pass.
    return object() if check.xfail is not None else (check.what, check.timeout, check.within, check.interval)


def _name(names: dict[str, str], key: str, *facts: object) -> None:
    """Give a pass its name, if all that it follows from can be told."""
    try:
        names[key] = _digest(__version__, *facts)
    except _UnknownError:
        return


def _digest(*facts: object) -> str:
    return hashlib.sha256(repr([_plain(fact) for fact in facts]).encode(errors="surrogatepass")).hexdigest()


def _plain(value: Any) -> object:  # noqa: ANN401 - whatever checks are made of
    """Return what is the same where a value is the same, and nowhere else.

    Raises:
        _UnknownError: It cannot be told.
    """
    match value:
        case None | bool() | int() | float() | str() | bytes():
            return (type(value).__name__, value)
        case Path():
            return _read(value)
        case Mapping():
            return ("mapping", [(_plain(key), _plain(held)) for key, held in value.items()])
        case AbstractSet() | Sequence():
            items = [repr(_plain(item)) for item in value]
            return ("set", sorted(items)) if isinstance(value, AbstractSet) else ("list", items)
        case partial() | FunctionType():
            return _name_call(value)
        case _:
            return _fields(value)


def _fields(value: Any) -> object:  # noqa: ANN401 - as above
    """Return the fields of a dataclass that make it what it is."""
    if not is_dataclass(value) or isinstance(value, type):
        raise _UnknownError
    if isinstance(value, ContainerSettings):
        _refuse_outer(value)
    held = [(one.name, _plain(getattr(value, one.name))) for one in fields(value) if one.compare]
    return (f"{type(value).__module__}.{type(value).__qualname__}", held)


def _name_call(call: partial[Any] | FunctionType) -> object:
    """Return a function by its name; one without a name is like no other."""
    if isinstance(call, partial):
        return ("call", _plain(call.func), _plain(call.args), _plain(call.keywords))
    if "<" in call.__qualname__:
        raise _UnknownError
    return (call.__module__, call.__qualname__)


def _read(file: Path) -> object:
    """Return what stands in a file, such as a recording, or that there is none."""
    try:
        return ("file", hashlib.sha256(file.read_bytes()).hexdigest())
    except FileNotFoundError:
        return ("file", None)
    except OSError as error:
        raise _UnknownError from error


def _refuse_outer(made: ContainerSettings) -> None:
    """Refuse settings by which a container meets what is not its own: files, variables, machines.

    Raises:
        _UnknownError: It does.
    """
    for option, value in made.options:
        if not _is_own(option, value):
            raise _UnknownError
    if made.raw:
        raise _UnknownError


def _is_own(option: str, value: str) -> bool:
    match option:
        case "env":
            return "=" in value
        case "network" | "net":
            return value in _NETWORKS
        case "security-opt":
            return value in _KNOWN or value.partition("=")[0] not in _NAMED
    return option in _OWN
