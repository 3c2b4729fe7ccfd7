"""The file system of an image: its layers' entries laid over each other, and paths followed in it.

Nothing here asks the host's file system: `/bin/sh -> /nix/store/...` is followed within the image.
Whiteouts: OCI image specification, layer.md, "Whiteouts". Following: as Linux does, at most 40 links.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.checks.files.entry import ContentFacts, Entry
from nixdock.checks.files.layer_index import index_layers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from nixdock.checks.files.layer_index import LayerIndex
    from nixdock.image.model import Layer

LINK_LIMIT = 40
"""Symbolic links that Linux follows in one path (MAXSYMLINKS in linux/include/linux/namei.h)."""

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_ROOT = Entry("", "directory", 0o755, 0, 0, 0, -1, "", 0)
_MAGIC = re.compile(r"[*?\[]")


class TooManyLinksError(Exception):
    """A path whose symbolic links lead in a circle."""


@dataclass(frozen=True, slots=True)
class Tree:
    """All paths of an image.

    Args:
        entries: By path, without the leading slash.
        names: The names in each directory.
        facts: What is known of contents, by path; None where they were not looked at.
    """

    entries: Mapping[str, Entry]
    names: Mapping[str, frozenset[str] | set[str]]
    facts: Mapping[str, ContentFacts] | None = None

    def find(self, path: str, *, follow: bool = True) -> Entry | None:
        """Return what a path leads to, or None.

        Args:
            path: Absolute, as a program in the image would say it.
            follow: Whether a symbolic link at its end is followed; those before it always are.

        Raises:
            TooManyLinksError: Its links lead in a circle.
        """
        pending = [part for part in reversed(path.split("/")) if part not in {"", "."}]
        here = ""
        links = 0
        while pending:
            name = pending.pop()
            if name == "..":
                here = posixpath.dirname(here)
                continue
            entry = self.entries.get(f"{here}/{name}" if here else name)
            if entry is None:
                return None
            if entry.kind == "symlink" and (pending or follow):
                links += 1
                if links > LINK_LIMIT:
                    raise TooManyLinksError(path)
                if entry.target.startswith("/"):
                    here = ""
                pending += [part for part in reversed(entry.target.split("/")) if part not in {"", "."}]
                continue
            if pending and not entry.is_directory:
                return None
            here = entry.path
        return self.entries.get(here)

    def list(self, directory: Entry) -> tuple[str, ...]:
        """Return the names in a directory, in order."""
        return tuple(sorted(self.names.get(directory.path, ())))

    def walk(self, path: str = "") -> Iterator[Entry]:
        """Yield a path and everything below it, each directory before what is in it."""
        pending = [path] if path in self.entries else []
        while pending:
            here = pending.pop()
            yield self.entries[here]
            below = sorted(self.names.get(here, ()), reverse=True)
            pending += [f"{here}/{name}" if here else name for name in below]

    def glob(self, pattern: str) -> tuple[Entry, ...]:
        """Return the paths that match a pattern; `*` stays within one name, `**` does not.

        Symbolic links to directories are followed where the pattern goes on behind them.
        """
        parts = [part for part in pattern.split("/") if part]
        found = {"": self.entries[""]}
        for number, part in enumerate(parts, start=1):
            step = self._below if part == "**" else self._children
            last = number == len(parts)
            found = {
                entry.path: entry for folder in found.values() for entry in step(folder, part, last=last)
            }
        return tuple(found[path] for path in sorted(found))

    def _below(self, folder: Entry, _part: str, *, last: bool) -> Iterator[Entry]:
        for entry in self.walk(folder.path):
            if entry.is_directory or last:
                yield entry

    def _children(self, folder: Entry, part: str, *, last: bool) -> Iterator[Entry]:
        for name in self.names.get(folder.path, ()):
            if not fnmatch.fnmatchcase(name, part):
                continue
            entry = self.entries[f"{folder.path}/{name}" if folder.path else name]
            if last:
                yield entry
            elif (inner := self._directory(entry)) is not None:
                yield inner

    def _directory(self, entry: Entry) -> Entry | None:
        """Return the directory that a path is or leads to, or None."""
        try:
            found = self.find(entry.absolute)
        except TooManyLinksError:
            return None
        return found if found is not None and found.is_directory else None


def is_pattern(path: str) -> bool:
    """Whether a path is a pattern of paths."""
    return _MAGIC.search(path) is not None


def read_tree(layers: Iterable[Layer], *, contents: bool = False, cache: Path | None = None) -> Tree:
    """Read the file system of an image.

    Args:
        layers: Bottom first.
        contents: Whether the files' contents are to be looked at too.
        cache: The folder of indexes; the user's own when None.

    Raises:
        LoadError: A layer cannot be read.
    """
    return build_tree(index_layers(tuple(layers), contents=contents, cache=cache))


def build_tree(indexes: Sequence[LayerIndex]) -> Tree:
    """Lay indexes over each other, bottom first."""
    builder = _Builder()
    for number, index in enumerate(indexes):
        builder.add(index, number)
    complete = bool(indexes) and all(index.facts is not None for index in indexes)
    return Tree(builder.entries, builder.names, builder.facts if complete else None)


class _Builder:
    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {"": _ROOT}
        self.names: dict[str, set[str]] = {"": set()}
        self.facts: dict[str, ContentFacts] = {}

    def add(self, index: LayerIndex, number: int) -> None:
        # A whiteout hides what is below its layer, wherever in the layer's tar it stands.
        own: list[Entry] = []
        for entry in index.entries:
            folder, _, name = entry.path.rpartition("/")
            if name == _OPAQUE:
                self._empty(folder)
            elif name.startswith(_WHITEOUT):
                self._remove(f"{folder}/{name[len(_WHITEOUT) :]}".lstrip("/"))
            else:
                own.append(entry)
        facts = index.facts or {}
        links: list[Entry] = []
        for entry in own:
            if entry.kind == "hardlink":
                links.append(entry)
            else:
                self._put(entry._replace(layer=number), facts.get(entry.path))
        for link in links:
            same = self.entries.get(link.target)
            if same is not None:
                self._put(same._replace(path=link.path), self.facts.get(link.target))

    def _put(self, entry: Entry, fact: ContentFacts | None) -> None:
        path = entry.path
        before = self.entries.get(path)
        if before is not None and before.is_directory and not entry.is_directory:
            self._remove(path)
        folder, _, name = path.rpartition("/")
        if path:
            self._ensure(folder, entry.layer)
            self.names[folder].add(name)
        self.entries[path] = entry
        if entry.is_directory:
            self.names.setdefault(path, set())
        if fact is not None:
            self.facts[path] = fact
        else:
            self.facts.pop(path, None)

    def _ensure(self, folder: str, layer: int) -> None:
        """Make the directories that a layer has something in without naming them, as engines do."""
        missing: list[str] = []
        while not ((before := self.entries.get(folder)) is not None and before.is_directory):
            missing.append(folder)
            folder = folder.rpartition("/")[0]
        for path in reversed(missing):
            self._put(Entry(path, "directory", 0o755, 0, 0, 0, -1, "", 0, layer), None)

    def _empty(self, folder: str) -> None:
        for name in tuple(self.names.get(folder, ())):
            self._remove(f"{folder}/{name}".lstrip("/"))

    def _remove(self, path: str) -> None:
        if not path or path not in self.entries:
            return
        pending = [path]
        while pending:
            here = pending.pop()
            pending += [f"{here}/{name}" for name in self.names.pop(here, ())]
            self.entries.pop(here, None)
            self.facts.pop(here, None)
        folder, _, name = path.rpartition("/")
        self.names[folder].discard(name)
