"""The store paths of an image, and what refers to what: by scanning contents, as Nix does itself."""

from __future__ import annotations

import fnmatch
import json
import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nixdock.checks.files.facts import find_references
from nixdock.checks.masking import STORE_HASH

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nixdock.checks.files.tree import Tree

STORE = "nix/store"
_BASE_NAME = re.compile(rf"{STORE_HASH}-.+")
_CONFIG = "the image's config"


def is_store_name(name: str) -> bool:
    """Whether a name in /nix/store is that of a store path (`.links` is not)."""
    return _BASE_NAME.fullmatch(name) is not None


def list_store_paths(tree: Tree) -> tuple[str, ...]:
    """Return the base names of the store paths in an image, by their names without the hash."""
    directory = tree.entries.get(STORE)
    names = tree.list(directory) if directory is not None and directory.is_directory else ()
    return tuple(sorted(filter(is_store_name, names), key=lambda name: (name[33:], name)))


def measure_store_paths(tree: Tree) -> dict[str, int]:
    """Return the bytes of all files of each store path."""
    sizes: dict[str, int] = {}
    for name in list_store_paths(tree):
        contents = {(entry.layer, entry.offset): entry.size for entry in tree.walk(f"{STORE}/{name}")}
        sizes[name] = sum(contents.values())
    return sizes


@dataclass(frozen=True, slots=True)
class StoreReference:
    """A store path that is named somewhere.

    Args:
        name: Its base name, as it is written there.
        origin: The file that names it, or the image's config.
    """

    name: str
    origin: str


@dataclass(frozen=True, slots=True)
class StorePaths:
    """The store paths in an image.

    Args:
        names: Their base names.
        references: From each store path, and from "" for all that is none, to those it names.
    """

    names: tuple[str, ...]
    references: Mapping[str, tuple[StoreReference, ...]] = field(repr=False)

    def missing(self) -> tuple[StoreReference, ...]:
        """Return one reference to each store path that is named but not in the image."""
        hashes = {name[:32] for name in self.names}
        found: dict[str, StoreReference] = {}
        for references in self.references.values():
            for reference in references:
                if reference.name[:32] not in hashes:
                    found.setdefault(reference.name[:32], reference)
        return tuple(sorted(found.values(), key=lambda reference: reference.name[33:]))

    def chain(self, name: str) -> tuple[str, ...]:
        """Return the shortest way from outside the store to a store path, as lines to show.

        Each line but the first is a file, or the config, that names the next store path; it is
        empty where nothing refers to the path.
        """
        by_hash = {present[:32]: present for present in self.names}
        came_from: dict[str, tuple[str, str]] = {}
        pending = deque([""])
        while pending:
            here = pending.popleft()
            if here == name:
                return self._lines(name, came_from)
            for reference in self.references.get(here, ()):
                there = by_hash.get(reference.name[:32])
                if there is not None and there not in came_from and there != here:
                    came_from[there] = (here, reference.origin)
                    pending.append(there)
        return ()

    @staticmethod
    def _lines(name: str, came_from: Mapping[str, tuple[str, str]]) -> tuple[str, ...]:
        steps: list[tuple[str, str]] = []
        here = name
        while here:
            before, origin = came_from[here]
            steps.append((origin, here))
            here = before
        return tuple(
            f"{'  ' * depth}{origin} -> /nix/store/{target}"
            for depth, (origin, target) in enumerate(reversed(steps))
        )


def find_store_paths(tree: Tree, config: Mapping[str, Any]) -> StorePaths:
    """Find the store paths of an image and all references to them.

    Args:
        tree: With its contents looked at.
        config: The image's config as JSON.
    """
    references: dict[str, dict[str, StoreReference]] = {}

    def add(owner: str, names: Iterable[str], origin: str) -> None:
        known = references.setdefault(owner, {})
        for name in names:
            if name[:32] != owner[:32]:
                known.setdefault(name[:32], StoreReference(name, origin))

    # What its history says each layer was made of is a comment: a layered image names there its customisation
    # layer, which it unpacks and does not contain.
    used = {key: value for key, value in config.items() if key != "history"}
    add("", _references_of(json.dumps(used).encode()), _CONFIG)
    for entry in tree.entries.values():
        owner = _owner(entry.path)
        if entry.kind == "symlink":
            add(owner, _references_of(entry.target.encode(errors="surrogateescape")), entry.absolute)
    for path, fact in (tree.facts or {}).items():
        if fact.references:
            add(_owner(path), fact.references, f"/{path}")
    return StorePaths(
        list_store_paths(tree), {owner: tuple(known.values()) for owner, known in references.items()}
    )


def _owner(path: str) -> str:
    if not path.startswith(f"{STORE}/"):
        return ""
    name = path[len(STORE) + 1 :].partition("/")[0]
    return name if is_store_name(name) else ""


def _references_of(data: bytes) -> set[str]:
    found: set[str] = set()
    find_references(data, found)
    return found


def matches_any(name: str, patterns: Iterable[str]) -> bool:
    """Whether a store path's base name, with or without its hash, matches a shell's pattern: `gcc-*`."""
    bare = name[33:]
    return any(
        fnmatch.fnmatchcase(bare, pattern) or fnmatch.fnmatchcase(name, pattern) for pattern in patterns
    )
