"""Making the files of a unit find each other in the store: loaders, libraries, interpreters, prefixes.

Debian's Perl looks for modules below its own prefix only. A variable would reach the programs that a script
starts, and is ignored by `perl -T`; so a `use lib` stands behind the script's first line.
"""

from __future__ import annotations

import mmap
import os
import re
import stat
import subprocess
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from . import elf
from .tree import UnitTree, report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ORIGIN = ("$ORIGIN", "${ORIGIN}")
_ORIGIN_NAME = re.compile(r"\$(ORIGIN|\{ORIGIN\})")
_SHELLS = {"sh": "sh", "dash": "sh", "bash": "bash"}
_UNWINDER = "libgcc_s.so.1"
_ENDS_THREADS = (b"\0pthread_exit\0", b"\0pthread_cancel\0")
_TEXT = re.compile(r"\.(pc|la)$|^lib/.*\.(so|a)$|^(lib|share)/(.*/)?cmake/.*\.cmake$|^bin/[^/]*[-_]config$")
_PREFIX = re.compile(
    rb"(?:(?<![\w.$}/-])|(?<=-[IL]))/(?:usr/)?(?:lib|include|share)(?:64)?(?=[/\s)\"';]|$)[^\s)\"';]*"
)


@dataclass(frozen=True)
class Loader:
    """The C library's dynamic loader, which every program names.

    Attributes:
        libc: The store path of the C library.
    """

    libc: Path

    def path(self, wanted: str) -> Path | None:
        """Return the loader of the name that a program asks for."""
        name = Path(wanted).name
        for directory in library_directories(self.libc):
            if (directory / name).is_file():
                return directory / name
        return None


def library_directories(root: Path) -> Iterator[Path]:
    """Give the directories in which a program finds libraries without being told, `lib/<triplet>` first."""
    lib = root / "lib"
    if lib.is_dir():
        yield from sorted(path for path in lib.iterdir() if re.fullmatch(r"\w+-linux-gnu\w*", path.name))
        yield lib


_OWN = re.compile(rb"(?<![\w.$}/-])/usr/((?:bin|share|lib|libexec)/[\w.+-]+(?:/[\w.+-]+)*)")
_OPEN = ("-", "_", ".")
"""What the part of a name ends in that a script completes (`/usr/share/aclocal-` and a version)."""
_PREFIX_LINE = re.compile(rb"(?m)^((?:exec_)?prefix=)([\"']?)/usr/?([\"']?)$")
_SOURCE = re.compile(r"\.(py|pl|pm|sh|rb|tcl|lua)$")


class Patcher:
    """Rewrites the files of one unit.

    Args:
        tree: The unit's files, all in place.
        loader: The dynamic loader for its programs.
        shell: The unit whose `bin/sh` and `bin/bash` its scripts run by, None to leave them.
        texts: Patterns of files to read as scripts are, by their place in the store path.
    """

    def __init__(self, tree: UnitTree, loader: Loader, shell: Path | None, texts: Sequence[str] = ()) -> None:
        self.tree = tree
        self.loader = loader
        self.shell = shell
        self._texts = texts
        self._directories = [
            directory for root in (tree.out, *tree.needs) for directory in library_directories(root)
        ]

    def patch(self) -> None:
        """Rewrite every file that needs it, hard-linked ones once."""
        seen: set[int] = set()
        for path in sorted(walk(self.tree.out)):
            status = path.lstat()
            if stat.S_ISREG(status.st_mode) and status.st_ino not in seen:
                seen.add(status.st_ino)
                self._patch_file(path, executable=bool(status.st_mode & 0o111))

    def _patch_file(self, path: Path, *, executable: bool) -> None:
        with path.open("rb") as file:
            start = file.read(4)
            file.seek(0)
            found = elf.read(file) if start == elf.MAGIC else None
        place = str(path.relative_to(self.tree.out))
        if found is not None:
            if found.dynamic:
                self._patch_elf(path, found)
            return
        is_script = start[:2] == b"#!" and executable
        if is_script:
            self._patch_script(path)
        if is_script or _SOURCE.search(path.name) or any(fnmatchcase(place, one) for one in self._texts):
            self._patch_own_paths(path)
        if _TEXT.search(place) and start[:1] not in (b"!", b"\x7f", b""):
            self._patch_prefixes(path)

    def _patch_elf(self, path: Path, found: elf.Elf) -> None:
        if self.tree.out == self.loader.libc and self._is_core(path, found):
            return
        words = []
        if found.interpreter is not None:
            loader = self.loader.path(found.interpreter)
            if loader is None:
                report(f"no loader {found.interpreter} for {path}")
            else:
                words += ["--set-interpreter", str(loader)]
        needed = found.needed
        if self.tree.out != self.loader.libc and _UNWINDER not in needed and ends_threads(path):
            needed += (_UNWINDER,)
            words += ["--add-needed", _UNWINDER]
        runpath = self._runpath(path, found, needed)
        if runpath != list(found.runpath):
            words += ["--set-rpath", ":".join(runpath)]
        if words:
            path.chmod(0o755)
            subprocess.run(["patchelf", *words, str(path)], check=True)
            if found.runpath and not runpath:
                # Taken away at once its text would stay in the file, as a reference.
                subprocess.run(["patchelf", "--remove-rpath", str(path)], check=True)

    def _is_core(self, path: Path, found: elf.Elf) -> bool:
        """Say whether a file of the C library needs nothing but what is loaded before it anyway."""
        name = path.name
        if name.startswith(("libc.so", "ld-linux", "ld-2")):
            return True
        core = all(one.startswith(("libc.so", "ld-linux")) for one in found.needed)
        return core and found.interpreter is None

    def _runpath(self, path: Path, found: elf.Elf, needed: Sequence[str]) -> list[str]:
        """Return the directories of the libraries that a file needs, those it names itself first."""
        directories: dict[str, None] = {}
        private: dict[Path, str] = {}
        known: list[Path] = []
        for named in found.runpath:
            if named.startswith(_ORIGIN):
                directory = Path(_ORIGIN_NAME.sub(str(path.parent), named))
                if directory.is_dir():
                    directories[named] = None
                    private[directory] = named
            elif named.startswith("/nix/store/"):
                # What was linked here has been told where to look; it is kept where it is of use.
                known.append(Path(named))
            else:
                # Several units may have a part of it; the first also for what the program loads later.
                places = {place: str(place.resolve()) for place in self.tree.find_all(named)}
                directories |= dict.fromkeys(list(places.values())[:1])
                private |= places
        for name in needed:
            inside = next((directory for directory in private if (directory / name).exists()), None)
            if inside is not None:
                directories[private[inside]] = None
                continue
            home = next((one for one in (*known, *self._directories) if (one / name).exists()), None)
            if home is None:
                report(f"no package has {name}, which {path.relative_to(self.tree.out)} needs")
            else:
                directories[str(_home(home / name))] = None
        return list(directories)

    def _patch_script(self, path: Path) -> None:
        content = path.read_bytes()
        line, _, rest = content.partition(b"\n")
        words = line[2:].decode(errors="replace").split(None, 1)
        if not words:
            return
        interpreter, argument = words[0], words[1] if len(words) > 1 else ""
        if Path(interpreter).is_relative_to(self.tree.out.parent):
            # A build has named a store path itself.
            return
        if Path(interpreter).name == "env" and argument and not argument.startswith("-"):
            name, _, argument = argument.partition(" ")
            found = self._program(f"/usr/bin/{name}")
        else:
            found = self._program(interpreter)
        if found is None:
            report(f"no package has {interpreter}, by which {path.relative_to(self.tree.out)} runs")
            return
        first = f"#!{found} {argument.strip()}".rstrip()
        path.chmod(0o755)
        path.write_bytes(first.encode() + b"\n" + rest)

    def _patch_own_paths(self, path: Path) -> None:
        """Rewrite what a script says of files of its own unit; unlike a program's, its strings may grow."""
        content = path.read_bytes()

        def replace(match: re.Match[bytes]) -> bytes:
            words = match.group(1).decode().split("/")
            if words[0] == "bin":
                # A program may be another unit's, too.
                program = self.tree.find(f"/usr/{'/'.join(words)}")
                return match.group() if program is None else str(program).encode()
            # The longest part that is there: what follows may be a pattern, or a file to be made.
            for length in range(len(words), 1, -1):
                own = self.tree.out.joinpath(*words[:length])
                if own.exists() or (length == len(words) and self._is_start(own)):
                    return "/".join([str(own), *words[length:]]).encode()
            return match.group()

        changed = _OWN.sub(replace, content)
        if changed != content:
            path.chmod(path.stat().st_mode | 0o200)
            path.write_bytes(changed)

    @staticmethod
    def _is_start(path: Path) -> bool:
        """Say whether this is the start of a name that is there, for a script to complete."""
        return (
            path.name.endswith(_OPEN)
            and path.parent.is_dir()
            and any(one.name.startswith(path.name) for one in path.parent.iterdir())
        )

    def _program(self, wanted: str) -> Path | None:
        name = Path(wanted).name
        if not wanted.startswith(("/bin/", "/usr/bin/")):
            return self.tree.find(wanted) if wanted.startswith("/usr/") else None
        if name in _SHELLS and self.shell is not None:
            return self.shell / "bin" / _SHELLS[name]
        return self.tree.find(wanted)

    def _patch_prefixes(self, path: Path) -> None:
        """Rewrite Debian's absolute paths in linker scripts and in what describes a library to compilers."""
        content = path.read_bytes()

        def replace(match: re.Match[bytes]) -> bytes:
            found = self.tree.find(match.group().decode(errors="replace"))
            return match.group() if found is None else str(found).encode()

        out = str(self.tree.out).encode()
        changed = _PREFIX.sub(replace, content)
        if path.suffix == ".pc":
            changed = re.sub(rb"(?m)^prefix\s*=\s*/usr\s*$", b"prefix=" + out, changed)
            # It is read by a link from another folder, too.
            changed = changed.replace(b"${pcfiledir}", str(path.parent).encode())
        elif path.parent.name == "bin":
            changed = _PREFIX_LINE.sub(rb"\g<1>\g<2>" + out + rb"\g<3>", changed)
        if changed != content:
            path.chmod(path.stat().st_mode | 0o200)
            path.write_bytes(changed)


def ends_threads(path: Path) -> bool:
    """Say whether a program ends threads: the C library then loads its unwinder, from Debian's place only."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(content.find(name) >= 0 for name in _ENDS_THREADS)


def replace_strings(path: Path, strings: dict[str, str]) -> None:
    """Replace strings inside of a program by others that are no longer, filled up with zeros.

    Only whole strings are replaced: between two zero bytes, or up to a `*` that ends the one looked for.
    """
    content = path.read_bytes()
    for old, new in strings.items():
        start = b"\0" + old.removesuffix("*").encode()
        end = b"([^\0]*)\0" if old.endswith("*") else b"()\0"

        def fill(match: re.Match[bytes], new: str = new) -> bytes:
            return (b"\0" + new.encode() + match.group(1)).ljust(len(match.group()), b"\0")

        if len(new) > len(old.removesuffix("*")):
            raise ValueError(f"{new} is longer than {old}")
        content, count = re.subn(re.escape(start) + end, fill, content)
        if not count:
            report(f"{path.name} has no string {old}")
    path.chmod(0o755)
    path.write_bytes(content)


def _home(library: Path) -> Path:
    """Return the directory of a library; of a link out of its directory, the directory that it leads to."""
    real = library.resolve()
    return library.parent if library.parent.resolve() == real.parent else real.parent


def walk(root: Path) -> Iterator[Path]:
    """Give every file below a directory, links included, directories not."""
    for directory, _, files in os.walk(root):
        for name in files:
            yield Path(directory) / name


def perl_module_directories(root: Path) -> list[Path]:
    """Return the directories of a unit in which Perl may look for modules."""
    directories = [root / "share/perl5", *sorted(root.glob("lib/*/perl5/*"))]
    return [directory for directory in directories if directory.is_dir()]


def give_perl_modules(out: Path, perl: Path, modules: list[Path]) -> None:
    """Make the Perl scripts of a unit find its modules and those of the units that it needs."""
    directories = [directory for root in (out, *modules) for directory in perl_module_directories(root)]
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
