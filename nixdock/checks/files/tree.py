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

from nixdock.checks.files.entry import LayerEntry
from nixdock.checks.files.layer_index import make_room
from nixdock.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nixdock.checks.files.facts import ContentFacts
    from nixdock.checks.files.layer_index import LayerIndex
    from nixdock.formats.tar_members import MemberAllowance

LINK_LIMIT = 40
"""Symbolic links that Linux follows in one path (MAXSYMLINKS in linux/include/linux/namei.h)."""

_PATH_LIMIT = 4096
"""Bytes of the longest path, and one (PATH_MAX in linux/include/uapi/linux/limits.h)."""

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_ROOT = LayerEntry("", "directory", 0o755, 0, 0, 0, -1, "", 0)
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

    entries: Mapping[str, LayerEntry]
    names: Mapping[str, frozenset[str] | set[str]]
    facts: Mapping[str, ContentFacts] | None = None

    def find(self, path: str, *, follow: bool = True) -> LayerEntry | None:
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

    def list(self, directory: LayerEntry) -> tuple[str, ...]:
        """Return the names in a directory, in order."""
        return tuple(sorted(self.names.get(directory.path, ())))

    def walk(self, path: str = "") -> Iterator[LayerEntry]:
        """Yield a path and everything below it, each directory before what is in it."""
        pending = [path] if path in self.entries else []
        while pending:
            here = pending.pop()
            yield self.entries[here]
            below = sorted(self.names.get(here, ()), reverse=True)
            pending += [f"{here}/{name}" if here else name for name in below]

    def glob(self, pattern: str) -> tuple[LayerEntry, ...]:
        """Return the paths that match a pattern; `*` stays within one name, `**` does not.

        Symbolic links to directories are followed where the pattern goes on behind them.
        """
        parts = [part for part in pattern.split("/") if part]
        found = {"": self.entries[""]}
        for number, part in enumerate(parts, start=1):
            step = self._below if part == "**" else self._children
            last = number == len(parts)
            found = {
                entry.path: entry
                for directory in found.values()
                for entry in step(directory, part, last=last)
            }
        return tuple(found[path] for path in sorted(found))

    def _below(self, directory: LayerEntry, _part: str, *, last: bool) -> Iterator[LayerEntry]:
        for entry in self.walk(directory.path):
            if entry.is_directory or last:
                yield entry

    def _children(self, directory: LayerEntry, part: str, *, last: bool) -> Iterator[LayerEntry]:
        for name in self.names.get(directory.path, ()):
            if not fnmatch.fnmatchcase(name, part):
                continue
            entry = self.entries[f"{directory.path}/{name}" if directory.path else name]
            if last:
                yield entry
            elif (inner := self._directory(entry)) is not None:
                yield inner

    def _directory(self, entry: LayerEntry) -> LayerEntry | None:
        """Return the directory that a path is or leads to, or None."""
        try:
            found = self.find(entry.absolute)
        except TooManyLinksError:
            return None
        return found if found is not None and found.is_directory else None


def is_pattern(path: str) -> bool:
    """Whether a path is a pattern of paths."""
    return _MAGIC.search(path) is not None


def build_tree(indexes: Sequence[LayerIndex]) -> Tree:
    """Lay indexes over each other, bottom first."""
    builder = _Builder()
    room = make_room("the image, with the folders that it does not name,")
    for number, index in enumerate(indexes):
        builder.add(_Layer(index, number, room))
    complete = bool(indexes) and all(index.facts is not None for index in indexes)
    return Tree(builder.entries, builder.names, builder.facts if complete else None)


class _Layer:
    """One layer as engines unpack it: into a directory of its own, in which links that it has are followed.

    What was tried with Docker 20.10 and 28 (overlay2 and containerd) and Podman: directories that are not
    named are made with the mode 0755, also over one that is below; a whiteout goes when something is put
    in its place later, and a directory there shows what is below again; a character device 0/0 is one to the
    kernel (overlayfs.rst); a hard link sets mode and owner of all names of its file.
    """

    def __init__(self, index: LayerIndex, number: int, room: MemberAllowance) -> None:
        self.entries: dict[str, LayerEntry | None] = {}
        """By path; None is a whiteout."""
        self.facts: dict[str, ContentFacts] = {}
        self.opaque: list[str] = []
        self.unlinked: list[LayerEntry] = []
        """Hard links to what is not in this layer, or not before them."""
        self._number = number
        self._room = room
        self._names: dict[str, set[str]] = {"": set()}
        self._links: set[str] = set()
        self._ways: dict[str, str] = {}
        """Where directories are to which links may lead."""
        self._same: dict[str, set[str]] = {}
        self._linked: dict[int, tuple[set[str], LayerEntry]] = {}
        facts = index.facts or {}
        for entry in index.entries:
            self._take(entry, facts.get(entry.path))
        for names, link in self._linked.values():
            for name in names:
                self._set_owner(name, link)

    def _take(self, entry: LayerEntry, fact: ContentFacts | None) -> None:
        if not entry.path:
            return  # the root of a container is the engine's own
        if len(entry.path) >= _PATH_LIMIT:
            message = f"layer {self._number + 1} has a path of {len(entry.path)} characters"
            raise LoadError(message, hint="Linux allows 4095: no engine can unpack it")
        directory, _, name = entry.path.rpartition("/")
        directory = self._resolve(directory)
        self._ensure(directory)
        if name == _OPAQUE:
            if directory:
                self.opaque.append(directory)
            return
        hidden = name[len(_WHITEOUT) :] if name.startswith(_WHITEOUT) else ""
        path = f"{directory}/{hidden or name}".lstrip("/")
        if hidden and self.entries.get(path) is not None:
            # It hides what is below alone (image specification, layer.md); no engine unpacks it.
            self.opaque.append(path)
        elif hidden or entry.kind == "whiteout":
            self._put(path, None, None)
        elif entry.kind == "hardlink":
            self._link(path, entry)
        else:
            if path != entry.path or entry.layer != self._number:
                entry = entry._replace(path=path, layer=self._number)
            self._put(path, entry, fact)

    def _resolve(self, directory: str) -> str:
        """Follow the links of this layer on the way to a directory."""
        if not self._links:
            return directory
        pending: list[str] = []
        while directory and directory not in self._ways:
            pending.append(directory)
            directory = directory.rpartition("/")[0]
        here = self._ways.get(directory, "")
        for path in reversed(pending):
            self._room.take(0, len(path))
            here = self._ways[path] = self._follow(f"{here}/{posixpath.basename(path)}".lstrip("/"))
        return here

    def _follow(self, path: str) -> str:
        """Return where a path leads, to whose directory no link leads any more."""
        here, names, followed = path, list[str](), 0
        while True:
            if here in self._links and followed < LINK_LIMIT:
                followed += 1
                link = self.entries[here]
                target = link.target[:_PATH_LIMIT] if link is not None else ""
                goal = posixpath.normpath(posixpath.join("/", posixpath.dirname(here), target)).strip("/")
                names += reversed(goal.split("/")) if goal else ()
                here = ""
            if not names:
                return here
            here = f"{here}/{names.pop()}".lstrip("/")

    def _ensure(self, directory: str) -> None:
        """Make the directories that a layer has something in without naming them."""
        missing: list[str] = []
        while directory not in self._names:
            missing.append(directory)
            directory = directory.rpartition("/")[0]
        for path in reversed(missing):
            self._room.take(1, len(path))
            self._put(path, LayerEntry(path, "directory", 0o755, 0, 0, 0, -1, "", 0, self._number), None)

    def _put(self, path: str, entry: LayerEntry | None, fact: ContentFacts | None) -> None:
        is_directory = entry is not None and entry.is_directory
        if path in self.entries and not (is_directory and path in self._names):
            self._remove(path)
        directory, _, name = path.rpartition("/")
        self._names[directory].add(name)
        self.entries[path] = entry
        if is_directory:
            self._names.setdefault(path, set())
        elif entry is not None and entry.kind == "symlink":
            self._links.add(path)
        if fact is not None:
            self.facts[path] = fact

    def _remove(self, path: str) -> None:
        self._ways.clear()
        pending = [path]
        while pending:
            here = pending.pop()
            pending += [f"{here}/{name}" for name in self._names.pop(here, ())]
            self.entries.pop(here, None)
            self.facts.pop(here, None)
            self._links.discard(here)
            self._same.pop(here, set()).discard(here)

    def _link(self, path: str, link: LayerEntry) -> None:
        found = self.entries.get(link.target)
        if found is None or found.is_directory:
            self.unlinked.append(link._replace(path=path, layer=self._number))
            return
        self._put(path, found._replace(path=path), self.facts.get(link.target))
        names = self._same.setdefault(link.target, {link.target})
        names.add(path)
        self._same[path] = names
        # The last of its names counts, and there may be many: set when all are known.
        self._linked[id(names)] = (names, link)

    def _set_owner(self, name: str, link: LayerEntry) -> None:
        one = self.entries[name]
        if one is not None:
            mode = one.mode if one.kind == "symlink" else link.mode
            self.entries[name] = one._replace(mode=mode, uid=link.uid, gid=link.gid, mtime=link.mtime)


class _Builder:
    def __init__(self) -> None:
        self.entries: dict[str, LayerEntry] = {"": _ROOT}
        self.names: dict[str, set[str]] = {"": set()}
        self.facts: dict[str, ContentFacts] = {}

    def add(self, layer: _Layer) -> None:
        # What a layer hides is below it, wherever in its tar that is said.
        for directory in layer.opaque:
            for name in tuple(self.names.get(directory, ())):
                self._remove(f"{directory}/{name}")
        for path, entry in layer.entries.items():
            if entry is None:
                self._remove(path)
        for entry in filter(None, layer.entries.values()):
            self._put(entry, layer.facts.get(entry.path))
        for link in layer.unlinked:
            # No engine takes it; what it means is clear all the same.
            same = self.entries.get(link.target)
            if same is not None and not same.is_directory:
                self._put(same._replace(path=link.path), self.facts.get(link.target))

    def _put(self, entry: LayerEntry, fact: ContentFacts | None) -> None:
        path = entry.path
        before = self.entries.get(path)
        if before is not None and before.is_directory and not entry.is_directory:
            self._remove(path)
        directory, _, name = path.rpartition("/")
        self.names[directory].add(name)
        self.entries[path] = entry
        if entry.is_directory:
            self.names.setdefault(path, set())
        if fact is not None:
            self.facts[path] = fact
        else:
            self.facts.pop(path, None)

    def _remove(self, path: str) -> None:
        if path not in self.entries:
            return
        pending = [path]
        while pending:
            here = pending.pop()
            pending += [f"{here}/{name}" for name in self.names.pop(here, ())]
            self.entries.pop(here, None)
            self.facts.pop(here, None)
        directory, _, name = path.rpartition("/")
        self.names[directory].discard(name)
