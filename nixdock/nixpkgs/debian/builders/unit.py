"""Builds one unit: a store path made of one or more Debian packages.

Told by a JSON file what to make (`UnitOrder`); Nix writes it, see `default.nix`.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import development, patch, python_env
from .guide import Guide, add_guide
from .patch import Loader, Patcher, library_directories, replace_strings
from .tree import UnitTree, relative


@dataclass(frozen=True)
class UnitOrder:
    """What to build.

    Attributes:
        out: The store path.
        debs: The packages, the one that names the unit first.
        needs: The store paths of the units that it may refer to.
        libc: The C library's store path; `out` itself when the C library is what is built.
        shell: The unit whose shell scripts run by, or None.
        python: The unit of Python, where it may refer to it.
        python_modules: The units whose Python modules its scripts may import.
        perl: The unit of Perl, where it may refer to it.
        perl_modules: The units whose Perl modules its scripts may use.
        development: Of a unit that others are built with, the units with headers and tools that come with it;
            None of any other unit.
        drop: Patterns of files to leave out, by their place in the store path.
        keeps_etc: Whether what Debian has in `/etc` is in `etc` of the store path.
        texts: Patterns of files to read as scripts are.
        links: Links to add, as place to target; relative targets are places in the unit.
        strings: Strings to replace inside of programs, by the pattern of the files.
        guide: What programs are told of where their files are.
        finish: A shell script that adds the rest, run in the store path by a static busybox.
    """

    out: Path
    debs: tuple[Path, ...]
    needs: tuple[Path, ...]
    libc: Path
    shell: Path | None
    python: Path | None
    python_modules: tuple[Path, ...]
    perl: Path | None
    perl_modules: tuple[Path, ...]
    development: tuple[Path, ...] | None
    drop: tuple[str, ...]
    keeps_etc: bool
    texts: tuple[str, ...]
    links: dict[str, str]
    strings: dict[str, dict[str, str]]
    guide: Guide | None
    finish: str

    @classmethod
    def parse(cls, data: dict[str, Any], out: Path) -> UnitOrder:
        """Read an order from its JSON value."""
        return cls(
            out=out,
            debs=tuple(map(Path, data["debs"])),
            needs=tuple(map(Path, data["needs"])),
            libc=Path(data["libc"]) if data["libc"] else out,
            shell=Path(data["shell"]) if data["shell"] else None,
            python=Path(data["python"]) if data["python"] else None,
            python_modules=tuple(map(Path, data["pythonModules"])),
            perl=Path(data["perl"]) if data["perl"] else None,
            perl_modules=tuple(map(Path, data["perlModules"])),
            development=tuple(map(Path, data["development"])) if data["development"] is not None else None,
            drop=tuple(data["drop"]),
            keeps_etc=data["keepsEtc"],
            texts=tuple(data["texts"]),
            links=data["links"],
            strings=data["strings"],
            guide=Guide.parse(data["guide"], out) if data["guide"] else None,
            finish=data["finish"],
        )

    @property
    def libraries(self) -> list[Path]:
        """The needed units that a program may be linked with: not the C library, whose compiler knows it."""
        return [need for need in self.needs if need not in (self.libc, self.python, self.perl, self.shell)]


def build(order: UnitOrder) -> None:
    """Make the store path."""
    order.out.mkdir()
    tree = UnitTree(order.out, order.needs, order.drop, keeps_etc=order.keeps_etc)
    for deb in order.debs:
        tree.unpack(deb)
    tree.link()
    add_links(order.out, order.links)
    tree.remove_empty()
    if tree.is_empty():
        tree.stand_in()
        if order.development is not None:
            development.propagate(order.out, order.development, order.libraries)
        return
    Patcher(tree, Loader(order.libc), order.shell, order.texts).patch()
    if order.python is not None:
        python_env.give_modules(order.out, order.python, list(order.python_modules))
    if order.perl is not None:
        patch.give_perl_modules(order.out, order.perl, list(order.perl_modules))
    python_env.compile_modules(order.out)
    if order.development is not None:
        development.complete(order.out, order.development, order.libraries)
    lift_libraries(order.out)
    adjust(order)
    if tree.has_sbin:
        (order.out / "sbin").symlink_to("bin")


def add_links(out: Path, links: dict[str, str]) -> None:
    """Make links, in the place of what may be there; one to a place that the unit lacks is left out."""
    for place, target in sorted(links.items()):
        path = out / place
        if target.startswith("/") or os.path.lexists(out / target):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.symlink_to(relative(place, target))


def adjust(order: UnitOrder) -> None:
    """Do what Debian's packages do not say."""
    for pattern, strings in order.strings.items():
        for path in sorted(order.out.glob(pattern)):
            if not path.is_symlink():
                replace_strings(path, strings)
    if order.guide is not None:
        add_guide(order.out, order.guide)
    if order.finish:
        subprocess.run(["busybox", "sh", "-eu", "-c", order.finish], cwd=order.out, check=True)


def lift_libraries(out: Path) -> None:
    """Link the libraries of `lib/<triplet>` in `lib`, where expressions look for them."""
    *inner, lib = list(library_directories(out)) or [out / "lib"]
    for directory in inner:
        for path in sorted(directory.iterdir()):
            if not path.is_dir() and not (lib / path.name).exists():
                (lib / path.name).symlink_to(f"{directory.name}/{path.name}")


def main() -> None:
    """Build what Nix orders: the attributes `order` (as a file) and `out` of the derivation."""
    data = json.loads(Path(os.environ["orderPath"]).read_text())  # noqa: SIM112 - Nix names it
    build(UnitOrder.parse(data, Path(os.environ["out"])))  # noqa: SIM112 - Nix names it


if __name__ == "__main__":
    main()
