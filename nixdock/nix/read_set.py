"""What an evaluation read: files, listings, sources, what was not there, names of the environment.

Nix tells by two ways at once: the builtins of `traced.nix` tell what they read, and Nix itself which
sources it copied as they stand. An evaluation that fails has told what it read up to the error.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nixdock.nix.command import DIRECTORY
from nixdock.nix.package_set import is_remote
from nixdock.nix.read_state import Aspect, ReadState, observe_state
from nixdock.nix.store import store_dir
from nixdock.settings import here, is_there

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nixdock.nix.flake import Tracked

_READ: Final = "trace: nixdock read: "
_COPIED: Final = re.compile(r"copied source '(?P<path>/.*)' -> '(?P<copy>/[^']*)'(?: \(hash .*\))?")
_COPIES: Final = "copied source "
_OURS: Final = str(DIRECTORY / "traced.nix")
"""What is always copied: where that is not told, copies are not told at all."""
_PATHS: Final = ("files", "directories", "trees", "work_trees", "indexes", "present", "absences")
_TEXTS: Final = ("environment", "unknowable")
_IN_NIX: Final = "/__corepkgs__"
"""Where the files are that Nix 2.8 has in itself."""
_IN_CURRENT_NIX: Final = Path("/fetchurl.nix")
"""How a current Nix names the one file that others import of those."""


@dataclass(frozen=True, slots=True)
class ReadSet:
    """What an evaluation read; what lies below the store is left out, for it never changes.

    Args:
        files: Files that were imported, read or hashed.
        directories: Directories that were listed.
        trees: Files and directories that were copied into the store, with all that is in them.
        work_trees: Directories of flakes: the same without what Git keeps of itself. Where Git says which
            files it tracks, each of them is a tree instead.
        indexes: Where Git notes which files it tracks. As it writes the times of files there, too, only how
            large it is counts.
        present: What was asked for and is there; only that it is, and what it is, was read.
        absences: What was asked for and is not there.
        environment: Names of variables of the environment.
        unknowable: What was read besides, which nobody can look at again: `currentTime`, a
            fetch without hash.
    """

    files: frozenset[Path] = frozenset()
    directories: frozenset[Path] = frozenset()
    trees: frozenset[Path] = frozenset()
    work_trees: frozenset[Path] = frozenset()
    indexes: frozenset[Path] = frozenset()
    present: frozenset[Path] = frozenset()
    absences: frozenset[Path] = frozenset()
    environment: frozenset[str] = frozenset()
    unknowable: frozenset[str] = frozenset()

    @property
    def paths(self) -> frozenset[Path]:
        """All paths that were read, or asked for in vain."""
        return frozenset[Path]().union(*(getattr(self, name) for name in _PATHS))

    def watched(self) -> frozenset[Path]:
        """Return what to wait for a change of: the paths, and the links on the way to each.

        Nothing of it is below the store. A tree is to be watched with all that is in it, and of what is
        not there the nearest directory that is.
        """
        state = observe_state([(Aspect.PLACE, path) for path in self.paths])
        return frozenset(path for path in (*self.paths, *state.links) if not _is_stored(path))

    def observe(self) -> ReadState:
        """Return what all of it is now: `ReadState.differences` says later what has changed since."""
        aspects: list[tuple[Aspect, Path]] = []
        for aspect, paths in (
            (Aspect.CONTENT, self.files),
            (Aspect.LISTING, self.directories),
            (Aspect.COPY, self.trees),
            (Aspect.WORK_TREE, self.work_trees),
            (Aspect.SIZE, self.indexes),
            (Aspect.KIND, self.present | self.absences),
        ):
            aspects += ((aspect, path) for path in sorted(paths))
        state = observe_state(aspects, sorted(self.environment))
        # Nix looks for what a file names beside where a link says that the file is: another link to the same
        # file may say something else.
        links = sorted(link for link in state.links if not _is_stored(link))
        return state.joined(observe_state([(Aspect.COPY, link) for link in links]))

    def as_json(self) -> dict[str, list[str]]:
        """Return it as what `from_json` reads."""
        return {name: sorted(map(str, getattr(self, name))) for name in (*_PATHS, *_TEXTS)}

    @classmethod
    def from_json(cls, value: Mapping[str, Sequence[str]]) -> ReadSet:
        """Read what `as_json` wrote.

        Raises:
            KeyError: It is something else; so does TypeError.
        """
        paths = {name: frozenset(map(Path, value[name])) for name in _PATHS}
        return cls(
            **paths, environment=frozenset(value["environment"]), unknowable=frozenset(value["unknowable"])
        )


@dataclass(slots=True)
class ReadRecorder:
    """Hears what an evaluation tells, message by message, and has its read set.

    Args:
        constant: A directory whose name stands for its content: what is read in it is left out.
    """

    constant: Path | None = None
    _read: dict[str, set[str]] = field(default_factory=dict)
    _heard_copy: bool = False
    _misheard: bool = False
    _failed: bool = False

    def hear(self, text: str) -> bool:
        """Take a message of Nix; whether it was one for us alone."""
        # A name that is no UTF-8 cannot be told.
        self._misheard |= "\ufffd" in text and text.startswith((_READ, _COPIES))
        if text.startswith(_READ):
            try:
                kind, what = json.loads(text.removeprefix(_READ))
            except (ValueError, TypeError):
                self._misheard = True
            else:
                self._read.setdefault(str(kind), set()).add(str(what))
            return True
        if text.startswith(_COPIES):
            copied = _COPIED.fullmatch(text)
            if copied and copied["path"] == _OURS:
                self._heard_copy = True
            elif copied:
                self._read.setdefault("tree", set()).add(copied["path"])
            else:
                self._misheard = True
        return False

    def add_flake(self, directory: Path, tracked: Tracked | None) -> None:
        """Take a flake that is evaluated, and which files of it Nix takes, where Git says so."""
        # Of Nix's own reading of it nothing is told.
        self._heard_copy = True
        self._read.setdefault("unknown", set()).add("a flake")
        if tracked is None:
            self._read.setdefault("work tree", set()).add(str(directory))
        else:
            self._read.setdefault("index", set()).add(str(tracked.index))
            self._read.setdefault("tree", set()).update(map(str, tracked.files))

    def read_set(self) -> ReadSet:
        """Return what was read so far."""
        take = self._take
        imported = frozenset(path / "default.nix" if path.is_dir() else path for path in take("import"))
        if not is_there(_IN_CURRENT_NIX):
            imported -= {_IN_CURRENT_NIX}
        filtered = take("filtered")
        listed = frozenset(path for path in filtered if path.is_dir())
        # An entry of the search path may be relative to the working directory, or something that is fetched.
        candidates = {
            text if text.startswith("/") or is_remote(text) else str(here() / text)
            for text in self._read.get("candidate", ())
        }
        present = take("present") | take("entry")
        return ReadSet(
            files=imported | take("file"),
            directories=take("directory") | listed,
            trees=take("tree") | (filtered - listed),
            work_trees=take("work tree"),
            indexes=take("index"),
            present=present | {path for path in self._keep(candidates) if is_there(path)},
            absences=take("absent") | {path for path in self._keep(candidates) if not is_there(path)},
            environment=frozenset(self._read.get("environment", ())),
            unknowable=frozenset(self._unknowable(candidates)),
        )

    def _unknowable(self, candidates: Iterable[str]) -> Iterable[str]:
        yield from self._read.get("unknown", ())
        yield from (f"the search path's {text}" for text in candidates if not text.startswith("/"))
        if self._misheard or not self._heard_copy:
            yield "what this version of Nix tells in other words"
        if self._failed:
            yield "what was evaluated a second time"

    def fail(self) -> None:
        """Take it that the evaluation failed: what it would have read further is not known."""
        self._failed = True

    def _take(self, kind: str) -> frozenset[Path]:
        return self._keep(self._read.get(kind, ()))

    def _keep(self, texts: Iterable[str]) -> frozenset[Path]:
        """Return those of some paths that can change."""
        paths = [
            Path(way)
            for text in texts
            if text.startswith("/") and not text.startswith(_IN_NIX)
            for way in _ways(text)
        ]
        # What is named as if it were below such a directory may lead out of it.
        constant = {path for path in paths if self.constant and path.is_relative_to(self.constant)}
        stored = [path for path in paths if _is_stored(path)]
        places = observe_state([(Aspect.PLACE, path) for path in stored]).observations
        constant |= {path for (_, path), seen in places.items() if _is_stored(Path(seen.value))}
        return frozenset(path for path in paths if path not in constant or ".." in path.parts)


def _ways(text: str) -> Iterable[str]:
    """Return what a path can mean: Nix 2.8 follows a link before `..`, and a current Nix does not."""
    return dict.fromkeys((text, "/" + os.path.normpath(text).lstrip("/"))) if "/.." in text else (text,)


def _is_stored(path: Path) -> bool:
    return path.is_relative_to(store_dir())
