"""Makes the Python scripts of a build find its modules and those of what it needs, as those of units do.

Its arguments are the output, the store path of Python, that of the environment which has built the output (or
nothing), the directory of the scripts, the number of words that wrappers will be made with, and the store
paths that have modules.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

from .patch import walk
from .python_env import PRIVATE, add_env, closure

_SHEBANG = re.compile(rb"\A#!\s*(?:/usr/bin/env\s+(?:-S\s+)?)?([^\s]*/)?python(?:3(?:\.\d+)?)?(?=\s)")


def wrap(out: Path, python: Path, builder: Path | None, directory: Path, packages: list[Path]) -> None:
    """Give an output an environment of its own if it has Python scripts, and make these run by it."""
    env = out / PRIVATE
    scripts = [path for path in scripts_below(out) if directory in path.parents]
    if builder is not None:
        # Other scripts of the output must not keep what it was built with.
        scripts += [path for path in scripts_below(out, str(builder).encode()) if path not in scripts]
    if not scripts:
        return
    if not env.exists():
        add_env(env, python, [package for package in closure([out, *packages]) if package != python])
    for path in scripts:
        path.chmod(path.stat().st_mode | 0o200)
        path.write_bytes(_SHEBANG.sub(f"#!{env}/bin/python3".encode(), path.read_bytes()))


def scripts_below(out: Path, interpreter: bytes = b"") -> list[Path]:
    """Return the executable Python scripts of an output, those by an interpreter of this path."""
    found = []
    for path in sorted(walk(out)):
        if not path.is_symlink() and path.stat().st_mode & 0o100:
            with path.open("rb") as file:
                match = _SHEBANG.match(file.read(1024))
            if match is not None and (match.group(1) or b"").startswith(interpreter):
                found.append(path)
    return found


def main() -> None:
    """Wrap what the arguments say."""
    out, python, builder, directory, wrapped, *packages = sys.argv[1:]
    origin = Path(builder) if builder else None
    wrap(Path(out), Path(python), origin, Path(directory), list(map(Path, packages)))
    if int(wrapped):
        for path in scripts_below(Path(out)):
            if path.parent == Path(directory):
                path.write_text(named(path.read_text(), path))


def named(text: str, program: Path) -> str:
    """Return a script that says its own name, whatever its file will be called when it is wrapped."""
    try:
        body = ast.parse(text).body
    except SyntaxError:
        return text
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        del body[0]
    while body and isinstance(body[0], ast.ImportFrom) and body[0].module == "__future__":
        del body[0]
    if not body:
        return text
    lines = text.split("\n")
    lines.insert(body[0].lineno - 1, f"import sys; sys.argv[0] = {str(program)!r}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
