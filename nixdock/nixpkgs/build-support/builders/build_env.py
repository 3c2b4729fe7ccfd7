"""Several packages as one environment (`buildEnv`).

As in `nix-env`'s profiles: a directory that only one package has is a link to it, one that several have is a
directory of links. Of two different files in the same place the package with the lower priority number wins;
with equal numbers it is an error, unless collisions are to be ignored.
"""

from __future__ import annotations

import filecmp
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import orders

_LOWEST = 1000
"""The priority of what is only needed: behind that of all packages."""


@dataclass(frozen=True, slots=True)
class EnvironmentEntry:
    """What a place in the environment is to be, and who says so."""

    path: Path
    priority: int


class Environment:
    """An environment that is being put together.

    Args:
        wanted: The places that are to be there, such as `/bin`; `/` is everything.
        ignore_collisions: Whether the first of two files is simply taken.
        check_contents: Whether equal contents are no collision.
    """

    def __init__(self, wanted: list[str], *, ignore_collisions: bool, check_contents: bool) -> None:
        self._wanted = ["/" + place.strip("/") for place in wanted]
        self._ignore = ignore_collisions
        self._check = check_contents
        self._links: dict[str, EnvironmentEntry] = {}
        self._directories: set[str] = set()

    def add(self, path: Path, priority: int) -> None:
        """Add a package."""
        for entry in sorted(path.iterdir()):
            self._add("/" + entry.name, entry, priority)

    def write(self, out: Path) -> None:
        """Make the links."""
        for place in sorted(self._directories):
            (out / place.lstrip("/")).mkdir(parents=True, exist_ok=True)
        for place, found in sorted(self._links.items()):
            link = out / place.lstrip("/")
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(found.path)

    def _is_wanted(self, place: str) -> bool:
        return any(wanted in {"/", place} or place.startswith(wanted + "/") for wanted in self._wanted)

    def _holds_wanted(self, place: str) -> bool:
        return any(wanted.startswith(place + "/") for wanted in self._wanted)

    def _add(self, place: str, entry: Path, priority: int) -> None:
        if place == "/nix-support" or place.startswith("/nix-support/"):
            return
        if not self._is_wanted(place):
            if self._holds_wanted(place) and entry.is_dir():
                self._descend(place, entry, priority)
            return
        if place in self._directories:
            if entry.is_dir():
                self._descend(place, entry, priority)
            else:
                orders.refuse(f"collision between the folder {place} and {entry}")
            return
        known = self._links.get(place)
        if known is None:
            self._links[place] = EnvironmentEntry(entry, priority)
        elif known.path == entry or known.path.resolve() == entry.resolve():
            return
        elif known.path.is_dir() and entry.is_dir():
            # Two have the directory: it becomes one of our own, with what both have.
            del self._links[place]
            self._directories.add(place)
            self._descend(place, known.path, known.priority)
            self._descend(place, entry, priority)
        else:
            self._choose(place, known, EnvironmentEntry(entry, priority))

    def _descend(self, place: str, directory: Path, priority: int) -> None:
        if self._is_wanted(place):
            self._directories.add(place)
        for entry in sorted(directory.iterdir()):
            self._add(f"{place}/{entry.name}", entry, priority)

    def _choose(self, place: str, known: EnvironmentEntry, new: EnvironmentEntry) -> None:
        if new.priority < known.priority:
            self._links[place] = new
        elif new.priority == known.priority and not self._is_same(known.path, new.path):
            message = f"collision between `{known.path}' and `{new.path}'"
            if not self._ignore:
                orders.refuse(f"{message}; use meta.priority (lib.hiPrio), or ignoreCollisions = true")
            orders.tell(f"warning: {message}")

    def _is_same(self, one: Path, other: Path) -> bool:
        if not (self._check and one.is_file() and other.is_file()):
            return False
        return os.access(one, os.X_OK) == os.access(other, os.X_OK) and filecmp.cmp(one, other, shallow=False)


def main() -> None:
    """Build what Nix orders: `packages` (each `paths` and a `priority`), `pathsToLink`, and the rest."""
    order = orders.read()
    values: dict[str, Any] = order.values
    environment = Environment(
        values["pathsToLink"],
        ignore_collisions=values["ignoreCollisions"],
        check_contents=values["checkCollisionContents"],
    )
    packages: list[dict[str, Any]] = values["packages"]
    if values["closure"]:
        # What they need gives way to them, whatever its own priority.
        needed = Path(values["closure"]).read_text().split()
        packages = [*packages, *({"paths": [path], "priority": _LOWEST} for path in needed)]
    for package in packages:
        for text in package["paths"]:
            path = Path(text)
            if path.is_dir():
                environment.add(path, package["priority"])
            elif not values["ignoreSingleFileOutputs"] and package["priority"] != _LOWEST:
                if not path.exists():
                    orders.refuse(f"there is no {path}; a folder beside the expression is given as ./NAME")
                orders.refuse(f"the store path {path} is a file and cannot be merged into an environment")
    out = Path(f"{order.out}{values['extraPrefix']}")
    out.mkdir(parents=True)
    environment.write(out)
    if values["manifest"]:
        (order.out / "manifest").symlink_to(values["manifest"])


if __name__ == "__main__":
    main()
