"""What is wrong with an image's programs: what loads them, what they load, for which machine they are."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

from nixdock.checks.files.facts import MACHINES
from nixdock.checks.files.tree import TooManyLinksError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nixdock.checks.files.entry import LayerEntry
    from nixdock.checks.files.facts import ContentFacts, ElfFacts
    from nixdock.checks.files.tree import Tree
    from nixdock.checks.subject import Subject

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What engines give a container whose image sets no PATH (moby, oci/defaults.go)."""

_SYSTEM_LIBRARIES = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib")
_TRIPLETS = {
    62: "x86_64-linux-gnu",
    183: "aarch64-linux-gnu",
    3: "i386-linux-gnu",
    40: "arm-linux-gnueabihf",
    243: "riscv64-linux-gnu",
}
EXECUTE = 0o111
"""Any of a mode's bits for executing."""

_MANY = 3


class Gravity(Enum):
    """How sure it is that something breaks."""

    FAULT = "fault"
    """What the image starts, has in its PATH or asks for in its config will fail."""

    ADVICE = "advice"
    """Whether anything ever asks for it, the image's bytes do not tell."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that a rule found.

    Args:
        rule: The rule's name.
        gravity: How grave it is.
        message: What was found, and where.
        remedy: What to write into the image's expression.
    """

    rule: str
    gravity: Gravity
    message: str
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        """Return it as JSON."""
        return {
            "rule": self.rule,
            "gravity": self.gravity.value,
            "message": self.message,
            "remedy": self.remedy,
        }


class Programs:
    """The programs and libraries of an image.

    Args:
        subject: The image, whose files' contents are looked at.
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.tree: Tree = subject.tree(contents=True)
        self.facts: Mapping[str, ContentFacts] = self.tree.facts or {}

    def find(self, path: str) -> LayerEntry | None:
        """Return what a path leads to; None where nothing, or a circle of links."""
        try:
            return self.tree.find(path)
        except TooManyLinksError:
            return None

    @property
    def path(self) -> list[str]:
        """The directories of PATH; what is found by a relative one is refused (Go's os/exec, ErrDot)."""
        directories = self.subject.env.get("PATH", DEFAULT_PATH).split(":")
        return [directory for directory in directories if directory.startswith("/")]

    def find_program(self, word: str) -> LayerEntry | None:
        """Return the program that a command's first word names, by PATH where it has no slash."""
        if "/" in word:
            directory = self.subject.run_config.get("WorkingDir") or "/"
            return self.find(posixpath.join("/", directory, word))
        for directory in self.path if word else ():
            entry = self.find(posixpath.join(directory, word))
            if entry is not None and entry.kind == "file" and entry.mode & EXECUTE:
                return entry
        return None

    @cached_property
    def commands(self) -> frozenset[str]:
        """The paths of what is started by the image itself, or by its name in a directory of PATH."""
        found = {entry.path for entry in map(self.find_program, self.first_words) if entry is not None}
        for path in self.path:
            directory = self.find(path)
            for name in self.tree.list(directory) if directory is not None else ():
                entry = self.find(posixpath.join(path, name))
                if entry is not None:
                    found.add(entry.path)
        return frozenset(found)

    @property
    def command(self) -> list[str]:
        """What the image starts; an entry point that is one empty word is none (moby, daemon/create.go)."""
        config = self.subject.run_config
        entry = config.get("Entrypoint") or []
        return [*(entry if entry != [""] else ()), *(config.get("Cmd") or ())]

    @property
    def first_words(self) -> list[str]:
        """What the image starts: its command, and the program of its health check."""
        config = self.subject.run_config
        command = self.command[:1]
        test = (config.get("Healthcheck") or {}).get("Test") or ()
        if test[:1] == ["CMD"]:
            command += test[1:2]
        elif test[:1] == ["CMD-SHELL"]:
            command += (config.get("Shell") or ["/bin/sh"])[:1]
        return command

    @property
    def is_unprivileged(self) -> bool:
        """Whether the image says to run as another user than root."""
        user = self.subject.run_config.get("User") or ""
        return user.partition(":")[0] not in {"", "0", "root"}

    def gravity(self, entry: LayerEntry) -> Gravity:
        """Return how grave it is that a program cannot be executed: nobody may ever ask for it."""
        return Gravity.FAULT if entry.path in self.commands else Gravity.ADVICE

    def elf(self, entry: LayerEntry) -> ElfFacts | None:
        """Return what a file is as an ELF file."""
        fact = self.facts.get(entry.path)
        return fact.elf if fact else None

    def executables(self) -> Iterator[tuple[LayerEntry, ContentFacts]]:
        """Yield the files that somebody may execute, and that are programs or scripts.

        What has a name as a library is one, even where it can be started as well (libc.so.6 can, and
        asks for a dynamic linker that nobody uses).
        """
        for path, fact in self.facts.items():
            entry = self.tree.entries[path]
            is_program = fact.elf is not None and not fact.elf.soname
            if entry.mode & EXECUTE and (is_program or fact.shebang):
                yield entry, fact


def find_interpreters(programs: Programs) -> Iterator[Remark]:
    """Look for the dynamic linkers that programs ask for."""
    lacking: dict[tuple[str, Gravity], list[str]] = defaultdict(list)
    for entry, fact in programs.executables():
        if fact.elf is not None and fact.elf.interpreter and programs.find(fact.elf.interpreter) is None:
            lacking[fact.elf.interpreter, programs.gravity(entry)].append(entry.absolute)
    for (interpreter, gravity), users in sorted(lacking.items(), key=str):
        yield Remark(
            "interpreter",
            gravity,
            f"the dynamic linker {interpreter} is not in the image, and {_who(users, 'ask')} for it",
            "a program that was not built by Nix: use autoPatchelfHook, or patchelf --set-interpreter",
        )


def find_libraries(programs: Programs) -> Iterator[Remark]:
    """Load every program as a dynamic linker would, and look for what it would not find."""
    lacking: dict[tuple[str, Gravity], list[str]] = defaultdict(list)
    for entry, fact in programs.executables():
        elf = fact.elf
        if elf is not None and elf.interpreter and programs.find(elf.interpreter) is not None:
            for library, user in _unresolved(programs, entry, elf):
                lacking[library, programs.gravity(entry)].append(user)
    for (library, gravity), users in sorted(lacking.items(), key=str):
        names = sorted(set(users))
        yield Remark(
            "libraries",
            gravity,
            f"the library {library} is not found where {_who(names, 'look')} for it",
            "put its package into buildInputs, so that it gets into the RUNPATH (autoPatchelfHook does)",
        )


def _unresolved(programs: Programs, entry: LayerEntry, elf: ElfFacts) -> Iterator[tuple[str, str]]:
    """Yield each library that is not found, and the file that needs it."""
    linker = programs.find(elf.interpreter)
    # glibc's own directory is compiled into its linker as a default (elf/dl-load.c, system_dirs).
    own = (posixpath.dirname(linker.absolute),) if linker is not None else ()
    triplet = _TRIPLETS.get(elf.machine, "")
    system = (*own, *_SYSTEM_LIBRARIES, f"/lib/{triplet}", f"/usr/lib/{triplet}")
    environment = tuple(filter(None, programs.subject.env.get("LD_LIBRARY_PATH", "").split(":")))
    loaded: set[str] = set()
    pending: list[tuple[LayerEntry, ElfFacts, tuple[str, ...]]] = [(entry, elf, ())]
    while pending:
        user, facts, inherited = pending.pop()
        directories = tuple(_expand(directory, user) for directory in facts.search)
        for name in facts.needed:
            if name in loaded:
                continue
            loaded.add(name)
            library = _find_library(
                programs, name, (*environment, *directories, *inherited, *system), facts.machine
            )
            if library is None:
                yield name, user.absolute
            elif (its := programs.elf(library)) is not None:
                pending.append((library, its, directories))


def _find_library(
    programs: Programs, name: str, directories: tuple[str, ...], machine: int
) -> LayerEntry | None:
    paths = (name,) if "/" in name else tuple(f"{directory}/{name}" for directory in directories)
    for path in paths:
        entry = programs.find(path)
        if entry is None or entry.kind != "file":
            continue
        elf = programs.elf(entry)
        if elf is None or elf.machine == machine:
            return entry
    return None


def _expand(directory: str, user: LayerEntry) -> str:
    origin = posixpath.dirname(user.absolute)
    return directory.replace("${ORIGIN}", origin).replace("$ORIGIN", origin)


def find_shebangs(programs: Programs) -> Iterator[Remark]:
    """Look for the interpreters of executable scripts."""
    lacking: dict[tuple[str, str, Gravity], list[str]] = defaultdict(list)
    for entry, fact in programs.executables():
        words = fact.shebang.split()
        if not words:
            continue
        if programs.find(words[0]) is None:
            lacking[words[0], "", programs.gravity(entry)].append(entry.absolute)
        elif posixpath.basename(words[0]) == "env":
            program = next((word for word in words[1:] if not word.startswith("-") and "=" not in word), "")
            if program and programs.find_program(program) is None:
                lacking[program, " in PATH", programs.gravity(entry)].append(entry.absolute)
    for (interpreter, where, gravity), scripts in sorted(lacking.items(), key=str):
        remedy = {
            "/usr/bin/env": "pkgs.dockerTools.usrBinEnv, or patchShebangs",
            "/bin/sh": "pkgs.dockerTools.binSh, or patchShebangs",
        }.get(interpreter, "patchShebangs, or put the interpreter into the image")
        yield Remark(
            "shebang",
            gravity,
            f"the interpreter {interpreter} is not in the image{where}, and {_who(scripts, 'ask')} for it",
            remedy,
        )


def find_architecture(programs: Programs) -> Iterator[Remark]:
    """Compare programs with the architecture that the image states."""
    stated = programs.subject.config.get("architecture")
    if not stated:
        yield Remark("architecture", Gravity.ADVICE, "the image's config states no architecture")
        return
    others: dict[str, list[LayerEntry]] = defaultdict(list)
    total = 0
    for entry, fact in programs.executables():
        if fact.elf is not None and fact.elf.executable:
            total += 1
            machine = MACHINES.get(fact.elf.machine, f"machine {fact.elf.machine}")
            if machine != stated and not (machine == "386" and stated == "amd64"):
                others[machine].append(entry)
    for machine, entries in sorted(others.items()):
        started = any(programs.gravity(entry) is Gravity.FAULT for entry in entries)
        files = [entry.absolute for entry in entries]
        verb = "is" if len(files) == 1 else "are"
        yield Remark(
            "architecture",
            Gravity.FAULT if started or len(files) == total else Gravity.ADVICE,
            f"the image is for {stated}, and {_some(files)} {verb} for {machine}",
            "build the image and its contents for one system: pkgsCross, or the argument architecture",
        )


def _some(names: list[str]) -> str:
    shown = ", ".join(sorted(names)[:_MANY])
    return shown if len(names) <= _MANY else f"{shown} and {len(names) - _MANY} more"


def _who(names: list[str], verb: str) -> str:
    return f"{_some(names)} {verb}{'s' if len(names) == 1 else ''}"
