"""What a layer has of the Nix store, by the headers of its tar, and whether this machine has the same."""

from __future__ import annotations

import os
import posixpath
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nixdock.errors import BuildError, LoadError
from nixdock.formats.tar_members import BLOCK, TarWalk
from nixdock.image.computed import ComputedLayer
from nixdock.nix.store import find_invalid, store_dir, store_path_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nixdock.formats.tar_members import MemberAllowance, TarMember
    from nixdock.image.computed import StoreContent
    from nixdock.image.model import Layer

_WHITEOUT: Final = ".wh."
_OTHERS_WRITE: Final = 0o022
_OWNER_WRITES: Final = 0o200
ROOT: Final = (0, 0)
"""User and group of all that is in a store."""


class StoreKeptError(LoadError):
    """No store path of an image can be mounted in its place; the sentence says why."""


@dataclass(slots=True)
class StoreView:
    """What a layer has of the store.

    Args:
        layer: The layer.
        found: For each store path in its tar, by name, the members that it has of it, by their paths.
        spans: The members in order: of which store path each is, where it begins, and where it ends.
        links: Hard links: of which store path each is, and into which one it leads.
        is_only_store: Whether nothing else is in it than store paths, and what they are in.
    """

    layer: Layer
    found: dict[str, dict[str, TarMember]] = field(default_factory=dict)
    spans: list[tuple[str | None, int, int]] = field(default_factory=list)
    links: list[tuple[str | None, str]] = field(default_factory=list)
    is_only_store: bool = True

    @property
    def made_of(self) -> StoreContent | None:
        """What it is made of, where that is store paths alone."""
        return self.layer.store if isinstance(self.layer, ComputedLayer) else None

    def scan(self, room: MemberAllowance) -> None:
        """Read the headers of its tar."""
        top = store_dir()
        ways = frozenset(map(str, (top, *top.parents)))
        with self.layer.open() as stream:
            begin = 0
            for member in TarWalk(stream, self.layer.name, room):
                end = member.offset + member.size + -member.size % BLOCK
                self.spans.append((self._place(member, str(top), ways), begin, end))
                begin = end

    def _place(self, member: TarMember, top: str, ways: frozenset[str]) -> str | None:
        """Take note of a member, and return the name of the store path that it is of."""
        path = posixpath.normpath(f"/{member.name}").replace("//", "/")
        if path in ways:
            if member.kind != "directory":
                raise StoreKeptError(f"its {path} is no directory")
            if path != "/" and ((member.uid, member.gid) != ROOT or member.mode & _OTHERS_WRITE):
                raise StoreKeptError(f"others than root may write to its {path}")
            return None
        directory, _, base = path.rpartition("/")
        if base.startswith(_WHITEOUT) and (directory or "/") in ways:
            removed = f"{directory}/{base.removeprefix(_WHITEOUT)}"
            if directory == top or removed in ways or base.startswith(f"{_WHITEOUT}{_WHITEOUT}"):
                raise StoreKeptError(f"one of its layers removes files of {top}")
        name = _store_name(path, top)
        if member.kind == "hardlink":
            target = _store_name(posixpath.normpath(f"/{member.target}").replace("//", "/"), top)
            if target is not None and target != name:
                self.links.append((name, target))
        if name is None:
            self.is_only_store = False
            return None
        self.found.setdefault(name, {})[path] = member
        return name

    def targets_outside(self, taken: set[str]) -> Iterator[str]:
        """Yield the names of store paths that hard links lead into from what stays in the image."""
        yield from (target for name, target in self.links if name is None or name not in taken)

    def parts_without(self, taken: frozenset[str]) -> tuple[tuple[int, int], ...] | None:
        """Return the parts of its tar without some store paths; None where that is all of it."""
        if taken.isdisjoint(self.found):
            return None
        if self.is_only_store and taken.issuperset(self.found):
            return ()
        parts: list[tuple[int, int]] = []
        for name, begin, end in self.spans:
            if name is not None and name in taken:
                continue
            if parts and parts[-1][1] == begin:
                parts[-1] = (parts[-1][0], end)
            else:
                parts.append((begin, end))
        return tuple(parts)


def _store_name(path: str, top: str) -> str | None:
    return path[len(top) + 1 :].partition("/")[0] if path.startswith(f"{top}/") else None


def find_same(found: dict[str, dict[str, TarMember]]) -> set[str]:
    """Return which of an image's store paths this machine has with the very same files."""
    there = [path for path in (f"{store_dir()}/{name}" for name in found) if _is_there(path)]
    try:
        invalid = find_invalid(there) if there else frozenset()
    except BuildError:
        return set()
    return {
        posixpath.basename(path)
        for path in there
        if path not in invalid and _is_same(path, found[posixpath.basename(path)])
    }


def _is_there(path: str) -> bool:
    place = Path(path)
    try:
        return store_path_of(place) == place and not stat.S_ISLNK(place.lstat().st_mode)
    except (OSError, ValueError):
        return False


def _is_same(top: str, members: dict[str, TarMember]) -> bool:
    """Whether a store path's files are those of the image."""
    try:
        there = dict(_walk(top))
    except OSError:
        return False
    return there.keys() == members.keys() and all(
        _is_like(path, there[path], member) for path, member in members.items()
    )


def _walk(path: str) -> Iterator[tuple[str, os.stat_result]]:
    status = os.lstat(path)
    yield path, status
    waiting = [path] if stat.S_ISDIR(status.st_mode) else []
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                yield entry.path, status
                if stat.S_ISDIR(status.st_mode):
                    waiting.append(entry.path)


def _is_like(path: str, status: os.stat_result, member: TarMember) -> bool:
    if (member.uid, member.gid) != ROOT:
        return False
    if member.kind == "symlink":
        return stat.S_ISLNK(status.st_mode) and os.readlink(path) == member.target  # noqa: PTH115
    if member.kind == "hardlink":
        return stat.S_ISREG(status.st_mode)
    # Root may write wherever it likes, so that says nothing.
    if (member.mode ^ stat.S_IMODE(status.st_mode)) & ~_OWNER_WRITES:
        return False
    if member.kind == "directory":
        return stat.S_ISDIR(status.st_mode)
    return member.kind == "file" and stat.S_ISREG(status.st_mode) and status.st_size == member.size
