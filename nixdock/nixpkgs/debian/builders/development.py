"""What others are built with: the units of Debian's packages whose names end in `-dev`.

Debian's compilers search `include/<triplet>` and `lib/<triplet>` by themselves, and one folder holds the
headers and the libraries of all packages. In a store path everything is where builds look, by links: in
`include`, `lib` and `lib/pkgconfig`. A library is beside the link by whose name it is linked, and what a
program is to be built with besides is written where builds read it.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from .patch import library_directories
from .tree import merge

if TYPE_CHECKING:
    from collections.abc import Sequence

_PROPAGATED = "nix-support/propagated-build-inputs"


def complete(out: Path, others: Sequence[Path], needs: Sequence[Path]) -> None:
    """Put everything where builds look for it.

    Args:
        out: The store path of the unit, patched.
        others: The units of the same kind, and of its tools, that it needs.
        needs: All units that it needs.
    """
    for folder in sorted((out / "include").glob("*-linux-gnu*")):
        _lift(folder, out / "include", out)
    for folder in [one for one in library_directories(out) if one.name != "lib"]:
        for name in ("pkgconfig", "cmake"):
            if (folder / name).is_dir():
                _lift(folder / name, out / "lib" / name, out)
    _add_libraries(out, needs)
    _add_tools(out, others)
    propagate(out, others, needs)


def propagate(out: Path, others: Sequence[Path], needs: Sequence[Path]) -> None:
    """Write which units a build gets by this one: those like it, and the libraries."""
    linked = {root for link in _links(out) for root in needs if root in link.parents}
    libraries = [one for one in needs if one not in others and (one in linked or _is_library(one))]
    found = dict.fromkeys([*libraries, *others])
    file = out / _PROPAGATED
    if file.parent.is_symlink():
        # A metapackage has linked that of the one package that it stands for.
        file.parent.unlink()
    elif file.parent.is_dir():
        shutil.rmtree(file.parent)
    if found:
        file.parent.mkdir(parents=True)
        file.write_text(" ".join(map(str, found)) + "\n")


def join(out: Path, units: Sequence[Path]) -> None:
    """Make one of several units of this kind: a library that Debian has in pieces."""
    # Builds look into these if they are directories, not links to such.
    for name in ("bin", "include", "lib", "share"):
        found = [unit / name for unit in units if (unit / name).is_dir()]
        if found:
            merge(out / name, found)
    (out / _PROPAGATED).parent.mkdir(parents=True)
    (out / _PROPAGATED).write_text(" ".join(map(str, units)) + "\n")


def _lift(source: Path, target: Path, out: Path) -> None:
    """Link the content of a directory in another one; where both have a directory, inside of that."""
    target.mkdir(exist_ok=True)
    for entry in sorted(source.iterdir()):
        place = target / entry.name
        if entry.is_dir() and place.is_dir():
            _lift(entry, place, out)
        elif not os.path.lexists(place):
            place.symlink_to(os.path.relpath(entry, target) if out in entry.parents else entry)


def _add_libraries(out: Path, needs: Sequence[Path]) -> None:
    """Link each library beside the link by whose name programs are linked: CMake asks for it there."""
    for directory in library_directories(out):
        for name in sorted(path.name for path in directory.glob("*.so")):
            for need in needs:
                for found in sorted((need / "lib" / directory.relative_to(out / "lib")).glob(f"{name}.*")):
                    place = directory / found.name
                    if not os.path.lexists(place):
                        place.symlink_to(found)


def _add_tools(out: Path, others: Sequence[Path]) -> None:
    """Link the programs that Debian splits off (`libglib2.0-dev-bin`): descriptions name them here."""
    for other in others:
        if "-dev-bin-" in other.name and (other / "bin").is_dir():
            _lift(other / "bin", out / "bin", out)


def _links(out: Path) -> list[Path]:
    return [
        path.readlink()
        for directory in library_directories(out)
        for path in directory.iterdir()
        if path.is_symlink()
    ]


def _is_library(root: Path) -> bool:
    """Say whether a unit holds libraries and no programs, or what descriptions of libraries name."""
    return (root / "share/pkgconfig").is_dir() or (
        not (root / "bin").exists()
        and any(next(directory.glob("*.so*"), None) for directory in library_directories(root))
    )


def main() -> None:
    """Build what Nix orders: the attributes `order` (as a file) and `out` of the derivation."""
    order = json.loads(Path(os.environ["orderPath"]).read_text())  # noqa: SIM112 - Nix names it
    join(Path(os.environ["out"]), [Path(unit) for unit in order["units"]])  # noqa: SIM112 - Nix names it


if __name__ == "__main__":
    main()
