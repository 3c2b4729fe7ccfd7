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

from .tree import merge

MODULES = "lib/python3/dist-packages"
PRIVATE = "lib/python-env"
"""Where a unit with scripts has an environment of its own."""

_SHEBANG = re.compile(rb"\A#!(/nix/store/[^/\s]+/(?:[^\s]*/)?bin/python3(?:\.\d+)?)(?=\s)")


def add_env(out: Path, python: Path, modules: list[Path]) -> None:
    """Make an environment: `bin/python3` with the modules of these store paths."""
    (out / "bin").mkdir(parents=True, exist_ok=True)
    real = (python / "bin/python3").resolve()
    for name in ("python3", "python", real.name):
        (out / "bin" / name).symlink_to(real)
    version = real.name.removeprefix("python")
    (out / "pyvenv.cfg").write_text(
        f"home = {python}/bin\ninclude-system-site-packages = false\nversion = {version}\n"
    )
    merge(out / MODULES, [directory for module in modules if (directory := module / MODULES).is_dir()])


def give_modules(out: Path, python: Path, modules: list[Path]) -> None:
    """Make the Python scripts of a unit find its modules and those of the units that it needs."""
    directories = [module for module in (out, *modules) if (module / MODULES).is_dir()]
    scripts = [path for path in _programs(out) if _runs_by(path, python)]
    if directories and scripts:
        add_env(out / PRIVATE, python, directories)
        for path in scripts:
            use_python(path, out / PRIVATE)


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


def _runs_by(path: Path, python: Path) -> bool:
    with path.open("rb") as file:
        match = _SHEBANG.match(file.read(1024))
    return match is not None and python in Path(match.group(1).decode()).parents


def main() -> None:
    """Build what Nix orders: the attributes `order` (as a file) and `out` of the derivation."""
    order = json.loads(Path(os.environ["orderPath"]).read_text())  # noqa: SIM112 - Nix names it
    out = Path(os.environ["out"])  # noqa: SIM112 - Nix names it
    python = Path(order["python"])
    modules = [Path(module) for module in order["modules"]]
    add_env(out, python, modules)
    for module in modules:
        for path in sorted((module / "bin").iterdir()) if (module / "bin").is_dir() else ():
            target = out / "bin" / path.name
            if not os.path.lexists(target):
                shutil.copy(path, target)
                use_python(target, out)


if __name__ == "__main__":
    main()
