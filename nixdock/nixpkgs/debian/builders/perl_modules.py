"""Perl scripts that find modules of other store paths: each says itself where they are.

Debian's Perl looks for modules below its own prefix only. A variable would reach the programs that a script
starts, and is ignored by `perl -T`; so a `use lib` stands behind the script's first line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .patch import walk

if TYPE_CHECKING:
    from pathlib import Path


def module_folders(root: Path) -> list[Path]:
    """Return the folders of a unit in which Perl may look for modules."""
    folders = [root / "share/perl5", *sorted(root.glob("lib/*/perl5/*"))]
    return [folder for folder in folders if folder.is_dir()]


def give_modules(out: Path, perl: Path, modules: list[Path]) -> None:
    """Make the Perl scripts of a unit find its modules and those of the units that it needs."""
    folders = [folder for root in (out, *modules) for folder in module_folders(root)]
    if not folders:
        return
    line = f"use lib ({', '.join(repr(str(folder)) for folder in folders)});\n".encode()
    start = f"#!{perl}/bin/perl".encode()
    for path in sorted(walk(out)):
        if path.is_symlink():
            continue
        with path.open("rb") as file:
            is_script = file.read(len(start)) == start
        if is_script:
            first, _, rest = path.read_bytes().partition(b"\n")
            path.chmod(0o755)
            path.write_bytes(first + b"\n" + line + rest)
