"""Perl scripts that find modules of other store paths: each says itself where they are.

Debian's Perl looks for modules below its own prefix only. A variable would reach the programs that a script
starts, and is ignored by `perl -T`; so a `use lib` stands behind the script's first line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .patch import walk

if TYPE_CHECKING:
    from pathlib import Path


def module_directories(root: Path) -> list[Path]:
    """Return the directories of a unit in which Perl may look for modules."""
    directories = [root / "share/perl5", *sorted(root.glob("lib/*/perl5/*"))]
    return [directory for directory in directories if directory.is_dir()]


def give_modules(out: Path, perl: Path, modules: list[Path]) -> None:
    """Make the Perl scripts of a unit find its modules and those of the units that it needs."""
    directories = [directory for root in (out, *modules) for directory in module_directories(root)]
    if not directories:
        return
    line = f"use lib ({', '.join(repr(str(directory)) for directory in directories)});\n".encode()
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
