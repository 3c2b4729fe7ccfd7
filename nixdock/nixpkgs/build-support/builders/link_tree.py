"""Trees of symbolic links to the files of packages.

Folders become folders and files become links. Of two files in the same place the first one wins. Where
one package has a folder and another has a link to a folder in its place (`sbin -> bin`), the contents of
both come together behind whichever was there first.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

Conflict = Callable[[Path, Path], None]
"""Told of a file that is in the way, and of the one that gives way to it."""


def join(source: Path, target: Path, conflict: Conflict) -> None:
    """Link all that is below a folder into another one.

    Args:
        source: The folder of a package.
        target: The folder that is being put together.
        conflict: Told of each file that is not linked as its place is taken.
    """
    _join(source, source, target, target, conflict)


def resolves_outside(link: Path, root: Path) -> bool:
    """Say whether a relative link leads out of a folder."""
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
                # A link out of the tree gives way to a folder that has what it leads to, and more.
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
