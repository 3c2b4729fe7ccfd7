"""Programs that look for their files at Debian's absolute paths: they are made to load `guide.c` first."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import elf
from .patch import walk

if TYPE_CHECKING:
    from collections.abc import Iterator

_HASH = re.compile(r"^[0-9a-z]{32}-")


@dataclass(frozen=True)
class Guide:
    """What a unit's programs are told.

    Attributes:
        places: What a path begins with, and the folders below which it is looked for instead, in this order.
        last: What a path begins with, and the directories where it is looked for if it is not where it says.
        moves: What a path begins with, and what it begins with instead: whatever is done with it.
        libraries: Whether libraries that are loaded by their absolute path count too.
        env: Variables that are set where they are not.
        prefix: Directories that a search path such as PERL5LIB begins with.
        suffix: Directories that a search path such as PATH ends in.
        compiler: What the names of the compilers begin with where the programs are for another machine than
            this one (`aarch64-linux-gnu`); empty where tcc compiles for the right one.
    """

    places: dict[str, tuple[str, ...]]
    last: dict[str, tuple[str, ...]]
    moves: dict[str, str]
    libraries: bool
    env: dict[str, str]
    prefix: dict[str, tuple[str, ...]]
    suffix: dict[str, tuple[str, ...]]
    compiler: str = ""

    @classmethod
    def parse(cls, data: dict[str, Any], out: Path) -> Guide:
        """Read it from its JSON value, in which `$out` stands for the store path."""

        def expand(text: str) -> str:
            return text.replace("$out", str(out))

        def expand_all(table: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
            return {name: tuple(map(expand, directories)) for name, directories in table.items()}

        return cls(
            places=expand_all(data.get("places", {})),
            last=expand_all(data.get("last", {})),
            moves=data.get("moves", {}),
            libraries=data.get("libraries", False),
            env={name: expand(value) for name, value in data.get("env", {}).items()},
            prefix=expand_all(data.get("prefix", {})),
            suffix=expand_all(data.get("suffix", {})),
            compiler=data.get("compiler", ""),
        )

    def tables(self) -> str:
        """Return the C text that says what guide.c is to do."""
        return _table("place", "from", "to", "mode", self._places()) + _table(
            "variable", "name", "value", "mode", self._variables()
        )

    def _places(self) -> Iterator[tuple[str, str, int]]:
        for prefix, other in self.moves.items():
            yield prefix, other, 2
        for mode, table in ((0, self.places), (1, self.last)):
            for prefix, directories in table.items():
                for directory in directories:
                    yield prefix, directory, mode

    def _variables(self) -> Iterator[tuple[str, str, int]]:
        for name, value in self.env.items():
            yield name, value, 0
        for mode, table in ((1, self.prefix), (2, self.suffix)):
            for name, directories in table.items():
                yield name, ":".join(directories), mode


def add_guide(out: Path, guide: Guide) -> None:
    """Make every program of a unit load its guide first."""
    # Units are merged into one directory at times: each has a name of its own.
    library = out / "lib" / f"guide-{_HASH.sub('', out.name)}.so"
    library.parent.mkdir(exist_ok=True)
    source = guide.tables() + Path(__file__).with_name("guide.c").read_text()
    words = ["-DGUIDE_LIBRARIES"] * guide.libraries + ["-DGUIDE_MOVES"] * bool(guide.moves)
    if guide.compiler:
        compile_for(guide.compiler, source, library, words)
    else:
        words = ["tcc", "-nostdinc", "-nostdlib", "-shared", *words, "-o", str(library), "-"]
        subprocess.run(words, input=source.encode(), check=True)
    seen: set[int] = set()
    for path in sorted(walk(out)):
        inode = path.lstat().st_ino
        if inode not in seen and not path.is_symlink() and is_program(path):
            seen.add(inode)
            path.chmod(0o755)
            subprocess.run(["patchelf", "--add-needed", str(library), str(path)], check=True)


def compile_for(machine: str, source: str, library: Path, words: list[str]) -> None:
    """Make a shared library for another machine, by the parts of gcc that need no headers and no libraries.

    Args:
        machine: What Debian's programs for it begin with; they are on PATH.
        source: The C text.
        library: The file to make.
        words: Options of the compiler.
    """
    prefix = machine.replace("x86-64", "x86_64")
    found = subprocess.run(
        [f"{prefix}-cpp", "-print-prog-name=cc1"], stdout=subprocess.PIPE, text=True, check=True
    )
    text, code = Path("guide.s"), Path("guide.o")
    options = ["-quiet", "-nostdinc", "-O2", "-fPIC", "-ffreestanding", "-fno-stack-protector"]
    subprocess.run(
        [found.stdout.strip(), *options, *words, "-", "-o", text], input=source.encode(), check=True
    )
    subprocess.run([f"{prefix}-as", "-o", code, text], check=True)
    subprocess.run([f"{prefix}-ld", "-shared", "-o", library, code], check=True)
    text.unlink()
    code.unlink()


def is_program(path: Path) -> bool:
    """Say whether a file is a program that is linked dynamically."""
    with path.open("rb") as file:
        found = elf.read(file)
    return found is not None and found.interpreter is not None


def _table(kind: str, first: str, second: str, third: str, rows: Iterator[tuple[str, str, int]]) -> str:
    lines = [f"{{{json.dumps(one)}, {json.dumps(two)}, {three}}}" for one, two, three in rows]
    body = ",\n  ".join([*lines, "{0, 0, 0}"])
    return (
        f"struct {kind} {{ const char *{first}; const char *{second}; int {third}; }};\n"
        f"static const struct {kind} {kind}s[] = {{\n  {body}\n}};\n"
    )
