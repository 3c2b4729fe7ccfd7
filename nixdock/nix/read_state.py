"""What the things that an evaluation read were at a time, and which of them are others now.

A file whose device, number, size, times and mode are the same is the same; unless it was written so shortly
before it was looked at that it could have been written once more within the same tick of the file
system's clock. Then, and where anything differs, its content decides.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import time
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nixdock.nix.store import store_dir

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_ABSENT: Final = "absent"
_FILE: Final = "file"
_FOLDER: Final = "folder"
_LINK: Final = "link"
_OTHER: Final = "other"
_UNREADABLE: Final = "unreadable"
_STORED: Final = "stored"
_LISTED: Final = "\0"
"""Between a directory and what is in it; no name of a file has it."""
_OF_GIT: Final = ".git"
_TICK: Final = 2_000_000_000
"""Nanoseconds: the coarsest clock of a file system (FAT's)."""
_FINE_TICK: Final = 20_000_000
"""The coarsest of those that have parts of a second: the kernel's own between two interrupts."""
_ALWAYS: Final = 1 << 62
_SECOND: Final = 1_000_000_000
_MOST_LINKS: Final = 40
"""Links on one way, as the kernel has it."""


class Aspect(StrEnum):
    """What was read of a path."""

    CONTENT = "content"
    """The bytes of a file."""
    LISTING = "listing"
    """Names and kinds of what is in a directory."""
    COPY = "copy"
    """What the store has of it: bytes and whether it can be executed, a link's text, a directory's names."""
    WORK_TREE = "work tree"
    """The same without what Git keeps of itself."""
    SIZE = "size"
    """How large a file is."""
    KIND = "kind"
    """Whether it is there, and what it is."""
    PLACE = "place"
    """Where it leads to."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is not as it was.

    Args:
        what: What it is, in words that can begin a sentence: a file's path, `the environment variable X`.
        how: What became of it: `has changed`, `is new`, `is gone`.
        path: The file, if it is one.
    """

    what: str
    how: str
    path: Path | None = None

    def shown_from(self, directory: Path) -> str:
        """Return it as a sentence, in which a user in a directory finds the file."""
        if self.path is None or not self.path.is_relative_to(directory):
            return f"{self.what} {self.how}"
        return f"{self.path.relative_to(directory)} {self.how}"


Identity = tuple[int, ...]
"""Of a file that is the same as long as this is: device, number, size, times, mode."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen of one aspect of a path.

    Args:
        value: What was seen.
        identity: What spares a second look at the bytes; None where only they can tell.
        written: When it was last written, in nanoseconds; 0 where that does not matter.
    """

    value: str
    identity: Identity | None = None
    written: int = 0


@dataclass(frozen=True, slots=True)
class ReadState:
    """What all that was read of was at a time.

    Args:
        observations: What was seen.
        environment: Of each variable what stands for its value.
        links: The links on the way to what was read, and when each was written.
    """

    observations: Mapping[tuple[Aspect, Path], Observation]
    environment: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[Path, int] = field(default_factory=dict)

    def differences(self) -> tuple[Change, ...]:
        """Return what is not as it was; empty where all is."""
        eye = _Eye(self.observations)
        changes: list[Change] = []
        for (aspect, path), before in self.observations.items():
            now = eye.see(aspect, path)
            if now.value != before.value:
                changes += _describe(path, before.value, now.value)
        for name, before_value in self.environment.items():
            if _see_variable(name) != before_value:
                changes.append(Change(f"the environment variable {name}", "has another value"))
        return tuple(dict.fromkeys(changes))

    def written_since(self, moment: int) -> tuple[Path, ...]:
        """Return what may have been written since a time, in nanoseconds: it may not be what was read."""
        times = [(path, seen.written) for (_, path), seen in self.observations.items()]
        times += self.links.items()
        return tuple(
            path
            for path, written in times
            if written >= moment - (_FINE_TICK if written % _SECOND else _TICK)
        )

    def renewed(self) -> ReadState | None:
        """Return the same with what spares a look at bytes that could not be spared before; None without any.

        That is of files that were written shortly before: their time tells by now.
        """
        eye = _Eye(self.observations)
        unclear = [
            key
            for key, before in self.observations.items()
            if before.identity is None and before.value.startswith(f"{_FILE} ")
        ]
        seen = {key: eye.see(*key) for key in unclear}
        clear = {
            key: now
            for key, now in seen.items()
            if now.identity is not None and now.value == self.observations[key].value
        }
        return replace(self, observations={**self.observations, **clear}) if clear else None

    def absent(self) -> frozenset[Path]:
        """Return those of the paths that are not there."""
        return frozenset(path for (_, path), seen in self.observations.items() if seen.value == _ABSENT)

    def joined(self, other: ReadState) -> ReadState:
        """Return what this and another one saw."""
        return ReadState(
            {**self.observations, **other.observations},
            {**self.environment, **other.environment},
            {**self.links, **other.links},
        )

    def as_json(self) -> Any:  # noqa: ANN401  # JSON
        """Return it as what `from_json` reads."""
        return {
            "observations": [
                [aspect, str(path), seen.value, seen.identity]
                for (aspect, path), seen in self.observations.items()
            ],
            "environment": dict(self.environment),
        }

    @classmethod
    def from_json(cls, value: Any) -> ReadState:  # noqa: ANN401  # JSON
        """Read what `as_json` wrote.

        Raises:
            ValueError: It is something else; so do TypeError and KeyError.
        """
        observations = {
            (Aspect(aspect), Path(path)): Observation(str(seen), tuple(identity) if identity else None)
            for aspect, path, seen, identity in value["observations"]
        }
        return cls(observations, {str(name): str(seen) for name, seen in value["environment"].items()})


def observe_state(aspects: Sequence[tuple[Aspect, Path]], environment: Sequence[str] = ()) -> ReadState:
    """Look at aspects of paths: of directories that are copied at all that is in them, too."""
    eye = _Eye({})
    observations: dict[tuple[Aspect, Path], Observation] = {}
    waiting = list(reversed(aspects))
    while waiting:
        aspect, path = waiting.pop()
        if (aspect, path) in observations:
            continue
        observations[aspect, path] = seen = eye.see(aspect, path)
        if aspect in (Aspect.COPY, Aspect.WORK_TREE):
            waiting += ((aspect, path / name) for _, name in _entries_of(seen.value))
    return ReadState(observations, {name: _see_variable(name) for name in environment}, eye.links)


def _see_variable(name: str) -> str:
    # One that is not set is empty to Nix; a value may be a secret.
    value = os.environ.get(name, "")
    return hashlib.sha256(value.encode(errors="surrogateescape")).hexdigest() if value else ""


@dataclass(slots=True)
class _Eye:
    """Looks at paths; no directory on the way is resolved twice.

    Args:
        known: What was seen before, to spare the bytes of what has not changed since.
    """

    known: Mapping[tuple[Aspect, Path], Observation]
    links: dict[Path, int] = field(default_factory=dict)
    _resolved: dict[str, str] = field(default_factory=dict)
    _now: int = field(default_factory=time.time_ns)

    def see(self, aspect: Aspect, path: Path) -> Observation:
        """Return what is to be seen of an aspect of a path."""
        # Of what is copied, a link is itself read, and not what it leads to.
        itself = aspect in (Aspect.COPY, Aspect.WORK_TREE)
        place = _join(self._resolve(str(path.parent)), path.name) if itself else self._resolve(str(path))
        led = "" if place == str(path) else f" at {place}"
        if aspect is Aspect.PLACE:
            return Observation(place)
        try:
            if Path(place).is_relative_to(store_dir()):
                # Nothing below the store ever changes, but it may be collected.
                os.lstat(place)
                return Observation(f"{_STORED}{led}")
            if aspect is Aspect.KIND:
                return Observation(f"{_kind(os.lstat(place))}{led}", None, _written_above(place))
            return self._see(aspect, path, place, led)
        except (FileNotFoundError, NotADirectoryError):
            dangling = aspect is Aspect.KIND and os.path.lexists(path)
            return Observation(_LINK if dangling else _ABSENT, None, _written_above(place))
        except OSError:
            return Observation(_UNREADABLE, None, _written_above(place))

    def _see(self, aspect: Aspect, path: Path, place: str, led: str) -> Observation:
        # The times come last: what is written while we look counts as written since.
        status = os.lstat(place)
        kind = _kind(status)
        identity: Identity | None = None
        value = f"{kind}{led}"
        is_made_up = kind == _OTHER
        if aspect is Aspect.SIZE:
            value = f"{kind}{led} of {status.st_size}"
        elif kind == _FILE and aspect is not Aspect.LISTING:
            before = self.known.get((aspect, path))
            identity = self._identify(status)
            if before and before.identity and before.identity == identity:
                return before
            with Path(place).open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
                status, length = os.fstat(file.fileno()), file.tell()
            executable = " executable" if aspect is not Aspect.CONTENT and status.st_mode & 0o100 else ""
            is_made_up = length != status.st_size
            identity = identity if identity == self._identify(status) and not is_made_up else None
            value = f"{kind} {content}{executable}{led}"
        elif kind == _LINK:
            value = f"{kind}{led} to {_read_link(place)}"
        elif kind == _FOLDER and aspect is not Aspect.CONTENT:
            value = f"{kind}{led}{_LISTED}{_list(place, aspect)}"
        # A device or a pipe, or a file in /proc, has something else to say each time.
        written = _ALWAYS if is_made_up else _written(status if kind == _FILE else os.lstat(place))
        return Observation(value, identity, written)

    def _identify(self, status: os.stat_result) -> Identity | None:
        times = (status.st_mtime_ns, status.st_ctime_ns)
        if max(times) > self._now - _TICK:
            return None
        return (status.st_dev, status.st_ino, status.st_size, *times, status.st_mode)

    def _resolve(self, text: str, links: int = 0) -> str:
        """Return where a path leads to, as far as it does; keep the links on the way."""
        if text in ("/", ""):
            return "/"
        if text in self._resolved:
            return self._resolved[text]
        parent, _, name = text.rpartition("/")
        above = self._resolve(parent, links)
        if name in ("", "."):
            found = above
        elif name == "..":
            found = above.rpartition("/")[0] or "/"
        else:
            found = _join(above, name)
            target = _read_link(found)
            if target is not None and links < _MOST_LINKS:
                self.links[Path(found)] = _written(os.lstat(found))
                found = self._resolve(target if target.startswith("/") else _join(above, target), links + 1)
        self._resolved[text] = found
        return found


def _join(directory: str, name: str) -> str:
    return f"{directory.rstrip('/')}/{name}"


def _read_link(path: str) -> str | None:
    try:
        return str(Path(path).readlink())
    except OSError:
        return None


def _written(status: os.stat_result) -> int:
    return max(status.st_mtime_ns, status.st_ctime_ns)


def _written_above(place: str) -> int:
    """Return when something was last put into or taken from the directory in which a place is."""
    for directory in Path(place).parents:
        with contextlib.suppress(OSError):
            # Not when its mode was last set, as Nix does at each start with those of its profiles.
            return directory.stat().st_mtime_ns
    return 0


def _kind(status: os.stat_result) -> str:
    mode = status.st_mode
    if stat.S_ISREG(mode):
        return _FILE
    if stat.S_ISDIR(mode):
        return _FOLDER
    return _LINK if stat.S_ISLNK(mode) else _OTHER


def _list(place: str, aspect: Aspect) -> str:
    """Return the entries of a directory, each a sign of its kind and its name, with a slash between two."""
    with os.scandir(place) as entries:
        listed = [
            f"{_sign(entry)}{entry.name}"
            for entry in entries
            if not (aspect is Aspect.WORK_TREE and entry.name == _OF_GIT)
        ]
    return "/".join(sorted(listed))


def _sign(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return "l"
    return "d" if entry.is_dir() else "f" if entry.is_file() else "o"


def _entries_of(value: str) -> list[tuple[str, str]]:
    """Return kind and name of what is in a directory, by what was seen of it; none of other things."""
    head, _, listed = value.partition(_LISTED)
    if not head.startswith(_FOLDER) or not listed:
        return []
    return [(entry[0], entry[1:]) for entry in listed.split("/")]


def _describe(path: Path, before: str, now: str) -> Iterator[Change]:
    old, new = set(_entries_of(before)), set(_entries_of(now))
    if old or new:
        names = {name for _, name in new}, {name for _, name in old}
        for _, name in sorted(old ^ new, key=lambda entry: entry[1]):
            inner = path / name
            how = "is gone" if name not in names[0] else "is new" if name not in names[1] else "has changed"
            yield Change(str(inner), how, inner)
        if old != new:
            return
    how = "is gone" if now == _ABSENT else "is new" if before == _ABSENT else "has changed"
    yield Change(str(path), how, path)
