"""The user's own files among all that Nix reads: where in them a fault is, and what stands there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nixdock.nix.build_log import EXPRESSION, Position
from nixdock.nix.command import DIRECTORY
from nixdock.nix.store import store_dir, store_path_of
from nixdock.nix.target import FLAKE_FILE
from nixdock.text import split_lines

if TYPE_CHECKING:
    from nixdock.nix.build_log import Message

OF_ARGUMENTS: Final = "--arg"
"""The place of what an option of the user's says."""

_RELATIVE: Final = re.compile(
    r"(?:(?<=import )|(?<=callPackage )|(?<![\w.])(?!\./\.?(?![\w./+-])))\.{1,2}/[\w./+-]*"
)
"""A path as Nix files name their neighbours; `./.` elsewhere is a source, not a file to read."""
_MOST_FILES: Final = 50


@dataclass(frozen=True, slots=True)
class SourceText:
    """What a source says.

    Args:
        whole: All of it.
        before: What stands before a place.
        after: The rest of the line from a place on.
    """

    whole: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Sources:
    """Which of the files in an error are the user's.

    Args:
        directory: What paths are shown relative to.
        expression: The text of `-E`.
        foreign: Directories of package sets: a fault in one is told where the user's file led to it.
        flake: The flake's directory, if it is one of this machine: its copy in the store is told as itself.
        file: The file that is evaluated, if it is one.
    """

    directory: Path
    expression: str | None = None
    foreign: tuple[Path, ...] = ()
    flake: Path | None = None
    file: Path | None = None

    def find_place(self, error: Message) -> Position | None:
        """Return the place of a fault in the user's own files: the innermost one that led to it.

        Without one it is the innermost place of all, unless at least a file of the user's is known.
        """
        told = [place for place in (error.told, error.position, *error.frames) if place is not None]
        places = [self._map_flake(place) for place in told]
        for place in places:
            if not self._is_foreign(place):
                return place
        others = [
            place for place in places if place.file.startswith("/") and Path(place.file).parent != DIRECTORY
        ]
        return others[0] if others and not self.find_file(error) else None

    def find_file(self, error: Message) -> str | None:
        """Return the user's own file that was being evaluated, where Nix tells no place in it."""
        own = (Path(file) for file in error.files if not self._is_foreign(Position(file, 1, 1)))
        path = next(own, self.file)
        if path is None:
            return None
        return str(path.relative_to(self.directory) if path.is_relative_to(self.directory) else path)

    def find_untracked(self, path: str) -> str | None:
        """Return the file of the user's flake that its copy in the store lacks, as Git does not track it."""
        copy, tree = store_path_of(Path(path)), self._work_tree()
        file = tree / Path(path).relative_to(copy) if copy and tree else None
        if file is None or not file.exists():
            return None
        return str(file.relative_to(self.directory) if file.is_relative_to(self.directory) else file)

    def find_name(
        self, name: str, *, file: Path | None = None, after: Position | None = None
    ) -> Position | None:
        """Return where a name stands in the user's own files for the first time, comments left out.

        Args:
            name: The name.
            file: The one file to look in; None is the evaluated one, then those that it names.
            after: A place in the file to look in, from which on it is looked for.
        """
        word = re.compile(rf"(?<![\w'-]){re.escape(name)}(?![\w'-])")
        start = (after.line, after.column) if after else (1, 1)
        if after:
            files = [after.file]
        elif file or not self.expression:
            files = [str(path) for path in ([_nix_file(file)] if file else self._own_files())]
        else:
            files = [EXPRESSION]
        for path in files:
            for number, line in enumerate(self._lines(Position(path, 1, 1)), start=1):
                for found in word.finditer(line.partition("#")[0]):
                    if (number, found.start() + 1) >= start:
                        return Position(path, number, found.start() + 1)
        return None

    def is_inherited_from_packages(self, place: Position, name: str) -> bool:
        """Whether the name at a place is one that `inherit (pkgs)` takes."""
        text = self.text_from(place)
        return text.after.startswith(name) and bool(
            re.search(r"\binherit\s*\(\s*\w*pkgs\w*\s*\)[^;]*\Z", text.before, re.IGNORECASE)
        )

    def _own_files(self) -> list[Path]:
        """Return the evaluated file, what it names of files beside it, and what those name."""
        first = self.flake / FLAKE_FILE if self.flake else self.file
        found = [first] if first else []
        for path in found:
            if len(found) > _MOST_FILES:
                break
            for word in _RELATIVE.findall("\n".join(_read_lines(path))):
                other = _nix_file((path.parent / word).resolve())
                if other.suffix == ".nix" and other not in found and other.is_file():
                    found.append(other)
        return found

    def tell(self, place: Position) -> str:
        """Return a place as messages name it; what has no file, nor is that of -E, came with an option."""
        if place.file == EXPRESSION and self.expression is None:
            return OF_ARGUMENTS
        return place.shown_from(self.directory)

    def excerpt(self, place: Position) -> str | None:
        """Return the line of a place with the one before it, and a mark below the column."""
        lines = self._lines(place)
        if not 0 < place.line <= len(lines):
            return None
        width = len(str(place.line))
        shown = [
            f"{number:{width}} | {lines[number - 1]}"
            for number in (place.line - 1, place.line)
            if number and (lines[number - 1] or number == place.line)
        ]
        # A tab stays one, so that the mark stands below its column whatever the width of tabs.
        before = re.sub(r"[^\t]", " ", lines[place.line - 1][: place.column - 1])
        return "\n".join([*shown, f"{' ' * width} | {before}^"])

    def text_from(self, place: Position) -> SourceText:
        """Return what a source says, before a place, from it on, and in all."""
        lines = self._lines(place)
        line = lines[place.line - 1] if 0 < place.line <= len(lines) else ""
        before = "\n".join([*lines[: max(0, place.line - 1)], line[: place.column - 1]])
        return SourceText("\n".join(lines), before, line[place.column - 1 :])

    def _lines(self, place: Position) -> list[str]:
        if not place.file.startswith("/"):
            return split_lines(self.expression or "")
        return _read_lines(Path(place.file))

    def _map_flake(self, place: Position) -> Position:
        """Return a place in a flake's copy in the store as the place in the flake's own directory."""
        path = Path(place.file)
        copy = store_path_of(path)
        if self.flake is None or copy is None:
            return place
        lines = _read_lines(path)
        # Of a flake in a Git work tree the copy is one of the whole tree.
        for folder in filter(None, (self.flake, self._work_tree())):
            original = folder / path.relative_to(copy)
            if lines and lines == _read_lines(original):
                return Position(str(original), place.line, place.column)
        return place

    def _work_tree(self) -> Path | None:
        """Return the Git work tree that the flake is in, if it is in one."""
        folders = (self.flake, *self.flake.parents) if self.flake else ()
        return next((folder for folder in folders if (folder / ".git").exists()), None)

    def _is_foreign(self, place: Position) -> bool:
        if place.file.startswith("«"):
            # A flake takes no arguments: an expression is what nixdock asks it with.
            return place.file != EXPRESSION or self.flake is not None
        directories = (DIRECTORY, store_dir(), *self.foreign)
        return any(Path(place.file).is_relative_to(directory) for directory in directories)


def _nix_file(path: Path) -> Path:
    """Return the file that `import` reads."""
    return path / "default.nix" if path.is_dir() else path


def _read_lines(path: Path) -> list[str]:
    try:
        return split_lines(path.read_bytes().decode(errors="replace"))
    except OSError:
        return []
