"""Trees of symbolic links: of packages joined into one (`symlinkJoin`), or given by name (`linkFarm`).

Folders become folders and files become links. Of two files in the same place the first one wins. Where
one package has a folder and another has a link to a folder in its place (`sbin -> bin`), the contents of
both come together behind whichever was there first.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import orders

Conflict = Callable[[Path, Path], None]
"""Told of a file that is in the way, and of the one that gives way to it."""


def main() -> None:
    """Build what Nix orders: a farm of `entries`, or else a tree of `paths`."""
    order = orders.read()
    if "entries" in order.values:
        make_farm(order.values["entries"], order.out)
    else:
        join_packages(order.values, order.out)


def make_farm(entries: list[dict[str, str]], out: Path) -> None:
    """Make the links of a farm, each a `name` (with directories) and a `path`; the last one wins."""
    out.mkdir()
    for entry in entries:
        place = out / entry["name"]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(entry["path"])


def join_packages(values: dict[str, Any], out: Path) -> None:
    """Join `paths`, and the `stripPrefix` below each of them."""
    out.mkdir(parents=True, exist_ok=True)
    for path in values["paths"]:
        source = Path(path + values["stripPrefix"])
        if source.is_dir():
            join(source, out, lambda kept, left: orders.tell(f"{left} is left out: {kept} is there already"))
        elif values["failOnMissing"]:
            orders.refuse(f"{source} is not a folder, so it cannot be joined")


def join(source: Path, target: Path, conflict: Conflict) -> None:
    """Link all that is below a directory into another one.

    Args:
        source: The directory of a package.
        target: The directory that is being put together.
        conflict: Told of each file that is not linked as its place is taken.
    """
    _join(source, source, target, target, conflict)


def resolves_outside(link: Path, root: Path) -> bool:
    """Say whether a relative link leads out of a directory."""
    goal = os.path.normpath(link.parent / link.readlink())
    return not (goal == str(root) or goal.startswith(f"{root}/"))


def _join(root: Path, source: Path, top: Path, target: Path, conflict: Conflict) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for entry in sorted(source.iterdir()):
        place = target / entry.name
        if entry.is_symlink():
            _link(root, entry, top, place, conflict)
        elif entry.is_dir():
            if place.is_symlink() and not _follow(place, top):
                # A link out of the tree gives way to a directory that has what it leads to, and more.
                _open_up(place, top, conflict)
            if place.exists() and not place.is_dir():
                conflict(place, entry)
                continue
            _join(root, entry, top, place, conflict)
        elif os.path.lexists(place):
            conflict(place, entry)
        else:
            place.symlink_to(entry)


def _link(root: Path, entry: Path, top: Path, place: Path, conflict: Conflict) -> None:
    text = entry.readlink()
    if not text.is_absolute() and resolves_outside(entry, root):
        text = Path(os.path.normpath(entry.parent / text))
    if not os.path.lexists(place):
        place.symlink_to(text)
    elif place.is_symlink() and place.readlink() == text:
        return
    elif entry.is_dir() and place.is_dir():
        if place.is_symlink() and not _follow(place, top):
            _open_up(place, top, conflict)
        _join(entry, entry, top, place, conflict)
    else:
        conflict(place, entry)


def _follow(link: Path, top: Path) -> bool:
    """Say whether writing through a link stays in the tree."""
    return not link.readlink().is_absolute() and not resolves_outside(link, top)


def _open_up(link: Path, top: Path, conflict: Conflict) -> None:
    goal = link.resolve()
    link.unlink()
    if goal.is_dir():
        _join(goal, goal, top, link, conflict)


if __name__ == "__main__":
    main()
