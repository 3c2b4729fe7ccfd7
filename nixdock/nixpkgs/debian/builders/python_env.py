"""A Python that finds modules of other store paths: a virtual environment of links.

Debian's Python looks for modules below its own prefix only. An environment has a prefix of its own, in which
the modules' folders are linked together; scripts that run by its `bin/python3` find them, with no variable
that would reach the programs they start.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .tree import merge

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MODULES = "lib/python3/dist-packages"
PRIVATE = "lib/python-env"
"""Where a unit with scripts has an environment of its own."""
PROPAGATED = "nix-support/propagated-build-inputs"

_SHEBANG = re.compile(rb"\A#!(/nix/store/[^/\s]+/(?:[^\s]*/)?bin/python3(?:\.\d+)?)(?=\s)")


def add_env(out: Path, python: Path, modules: Iterable[Path]) -> None:
    """Make an environment: `bin/python3` with the modules of these store paths, and the data beside them."""
    (out / "bin").mkdir(parents=True, exist_ok=True)
    real = (python / "bin/python3").resolve()
    for name in ("python3", "python", real.name):
        (out / "bin" / name).symlink_to(real)
    version = real.name.removeprefix("python")
    (out / "pyvenv.cfg").write_text(
        f"home = {python}/bin\ninclude-system-site-packages = false\nversion = {version}\n"
    )
    found = [directory for module in modules for directory in module_directories(module, python)]
    merge_modules(out / site_packages(python), found)
    # Programs look for their data below the prefix of the Python that they run by.
    for place in ("etc", "share"):
        roots = dict.fromkeys(path.parent.parent.parent / place for path in found)
        if sources := [root for root in roots if root.is_dir()]:
            merge(out / place, sources)


def merge_modules(out: Path, sources: Sequence[Path]) -> None:
    """Link to the modules of several directories, the first of two that are called the same.

    Debian has packages whose modules are in several units. One that was built for itself is whole, and stands
    in the place of Debian's; bytecode counts for the source that it was made of only.
    """
    names: dict[str, list[Path]] = {}
    for source in sources:
        for entry in sorted(source.iterdir()):
            names.setdefault(entry.name, []).append(entry)
    out.mkdir(parents=True, exist_ok=True)
    caches = names.pop("__pycache__", [])
    for name, entries in names.items():
        first = entries[0]
        is_whole = (first / "__init__.py").exists() and "dist-packages" not in first.parts
        if len(entries) > 1 and all(entry.is_dir() for entry in entries) and not is_whole:
            merge_modules(out / name, entries)
        else:
            (out / name).symlink_to(first.resolve())
    for cache in caches:
        for file in sorted(cache.iterdir()):
            module = f"{file.name.partition('.')[0]}.py"
            if names.get(module, [None])[0] == cache.parent / module:
                (out / "__pycache__").mkdir(exist_ok=True)
                (out / "__pycache__" / file.name).symlink_to(file.resolve())


def site_packages(python: Path) -> str:
    """Return where a Python, and what is built for it, has its modules below its prefix."""
    return f"lib/{(python / 'bin/python3').resolve().name}/site-packages"


def module_directories(package: Path, python: Path) -> list[Path]:
    """Return the directories in which a store path has modules of a Python."""
    own, debian = package / site_packages(python), package / MODULES
    if own.is_dir() and own.resolve() != debian.resolve():
        return [own, *([debian] if debian.is_dir() else [])]
    return [debian] if debian.is_dir() else []


def closure(packages: Iterable[Path]) -> list[Path]:
    """Return these store paths and those that they bring along to whoever has them as an input."""
    found: dict[Path, None] = {}
    rest = list(packages)
    while rest:
        package = rest.pop(0)
        if package not in found:
            found[package] = None
            if (file := package / PROPAGATED).is_file():
                rest += map(Path, file.read_text().split())
    return list(found)


def give_modules(out: Path, python: Path, modules: list[Path]) -> None:
    """Make the Python scripts of a unit find its modules and those of the units that it needs.

    Whoever has the unit as an input has those too, and Python.
    """
    directories = [module for module in (out, *modules) if (module / MODULES).is_dir()]
    scripts = [path for path in _programs(out) if runs_by(path, python)]
    if directories and scripts:
        add_env(out / PRIVATE, python, directories)
        for path in scripts:
            use_python(path, out / PRIVATE)
    if (out / MODULES).is_dir():
        own = out / site_packages(python)
        own.parent.mkdir(exist_ok=True)
        if not own.exists():
            own.symlink_to("../python3/dist-packages")
    if scripts or (out / MODULES).is_dir():
        (out / PROPAGATED).parent.mkdir(exist_ok=True)
        (out / PROPAGATED).write_text(" ".join(map(str, (python, *modules))) + "\n")


def use_python(script: Path, env: Path) -> None:
    """Make a script run by the Python of an environment."""
    content = script.read_bytes()
    script.chmod(0o755)
    script.write_bytes(_SHEBANG.sub(f"#!{env}/bin/python3".encode(), content))


def compile_modules(out: Path) -> None:
    """Compile the modules of a unit, which nobody can do later: the store is read-only.

    The builder's Python is Debian's too, so that its bytecode is the right one.
    """
    directories = [str(path) for path in sorted((out / "lib").glob("python3*")) if path.is_dir()]
    if directories:
        words = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", *directories]
        subprocess.run(
            [sys.executable, "-s", "-S", *words],
            # Sets of constants are written in the order of their hashes.
            env={"PYTHONHASHSEED": "0"},
            # A file that does not compile, such as a template, is none of ours.
            check=False,
        )


def _programs(out: Path) -> list[Path]:
    directory = out / "bin"
    return sorted(path for path in directory.iterdir() if not path.is_symlink()) if directory.is_dir() else []


def runs_by(path: Path, python: Path) -> bool:
    """Say whether a file is a script for a Python of the store."""
    with path.open("rb") as file:
        match = _SHEBANG.match(file.read(1024))
    return match is not None and python in Path(match.group(1).decode()).parents


def main() -> None:
    """Build what Nix orders: the attributes `order` (as a file) and `out` of the derivation."""
    order = json.loads(Path(os.environ["orderPath"]).read_text())  # noqa: SIM112 - Nix names it
    out = Path(os.environ["out"])  # noqa: SIM112 - Nix names it
    python = Path(order["python"])
    modules = [package for package in closure(map(Path, order["modules"])) if package != python]
    add_env(out, python, modules)
    for module in modules:
        for path in _programs(module):
            target = out / "bin" / path.name
            if os.path.lexists(target) or path.is_dir():
                continue
            if runs_by(path, python) or runs_by(path, module):
                shutil.copy(path, target)
                use_python(target, out)
            else:
                target.symlink_to(path)


if __name__ == "__main__":
    main()
