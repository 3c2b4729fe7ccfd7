"""Programs that need to be told where their files are: a script sets their environment and runs them."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Wrapping:
    """What a program is told before it starts.

    Attributes:
        env: Variables that are set where the user has not set them.
        prefix: Folders that are put before those of a search path such as PATH or PERL5LIB.
        flags: Arguments before the user's.
    """

    env: dict[str, str]
    prefix: dict[str, tuple[str, ...]]
    flags: tuple[str, ...]

    @classmethod
    def parse(cls, data: dict[str, Any], out: Path) -> Wrapping:
        """Read it from its JSON value, in which `$out` stands for the store path."""

        def expand(text: str) -> str:
            return text.replace("$out", str(out))

        return cls(
            env={name: expand(value) for name, value in data.get("env", {}).items()},
            prefix={name: tuple(map(expand, folders)) for name, folders in data.get("prefix", {}).items()},
            flags=tuple(map(expand, data.get("flags", ()))),
        )

    def script(self, shell: Path, program: Path) -> str:
        """Return the shell script that runs a program so."""
        lines = [f"#!{shell}/bin/bash"]
        for name, value in self.env.items():
            lines.append(f"export {name}=${{{name}-{shlex.quote(value)}}}")
        for name, folders in self.prefix.items():
            path = ":".join(shlex.quote(folder) for folder in folders)
            lines.append(f"export {name}={path}${{{name}:+:${name}}}")
        words = [shlex.quote(word) for word in (str(program), *self.flags)]
        lines.append(f'exec -a "$0" {" ".join(words)} "$@"')
        return "\n".join(lines) + "\n"


def wrap(out: Path, name: str, wrapping: Wrapping, shell: Path) -> None:
    """Put a script in the place of a program, which is kept beside it under a hidden name.

    A program that the packages do not have is none to wrap: not every Debian has the same.
    """
    program = out / "bin" / name
    if not program.exists():
        return
    hidden = program.with_name(f".{name}-wrapped")
    program.rename(hidden)
    program.write_text(wrapping.script(shell, hidden))
    program.chmod(0o755)
