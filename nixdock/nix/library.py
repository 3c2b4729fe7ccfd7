"""nixdock for Nix expressions: a directory that holds it, to be imported and to run in Nix's sandbox.

    <cache>/library/<fingerprint>/default.nix      `library.nix`
    <cache>/library/<fingerprint>/about.json       the Python that it is for
    <cache>/library/<fingerprint>/site-packages/   nixdock, and what reading images and judging them needs

The directory is named by what it was made of and never changes once it is there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

import nixdock
from nixdock.errors import BuildError
from nixdock.kept_directories import find_home, new_directory, remove_old, work_alone

if TYPE_CHECKING:
    from collections.abc import Iterator

NEEDED: Final = ("click", "google-re2", "isal", "PyYAML", "zstandard")
"""The distributions that a static check imports; those that speak with engines or terminals stay out."""

_FILES: Final = (".py", ".so", ".json", ".nix", ".c")
"""What runs: no bytecode, and nothing that only describes a distribution. Its libraries have `.so` within."""


def materialise() -> Path:
    """Return the directory, made anew where nixdock or what it needs has changed.

    Raises:
        BuildError: A part of the installation is missing, or there is no directory to write to.
    """
    home = find_home("library", "nixdock's library")
    files = dict(sorted(_list_files()))
    python = "{}.{}".format(*sys.version_info)
    content = hashlib.sha256(os.fsencode(python))
    for name, file in files.items():
        content.update(f"{name}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    directory = home / content.hexdigest()[:32]
    with work_alone(home):
        if not directory.exists():
            with new_directory(directory) as new:
                _fill(new, files, python)
        os.utime(directory)
        remove_old((path for path in home.iterdir() if path.is_dir()), keep=directory)
    return directory


def _fill(directory: Path, files: dict[str, Path], python: str) -> None:
    shutil.copy(Path(__file__).with_suffix(".nix"), directory / "default.nix")
    (directory / "about.json").write_text(json.dumps({"python": python}), encoding="utf-8")
    for name, file in files.items():
        target = directory / "site-packages" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)


def _list_files() -> Iterator[tuple[str, Path]]:
    """Give each file by its place in `site-packages`."""
    package = Path(nixdock.__file__).parent
    for path in package.rglob("*"):
        if path.is_file() and _runs(path):
            yield str(path.relative_to(package.parent)), path
    for name in NEEDED:
        try:
            files = metadata.files(name) or []
        except metadata.PackageNotFoundError as error:
            raise BuildError(
                f"nixdock's {name} is missing", hint="install nixdock again, with its dependencies"
            ) from error
        for file in files:
            path = Path(str(file.locate()))
            if not file.parts[0].endswith(("..", ".dist-info")) and path.is_file() and _runs(path):
                yield str(file), path


def _runs(path: Path) -> bool:
    return path.name.endswith(_FILES) or ".so." in path.name or path.parent.name == "agent"
