"""What is known of a file's content: the store paths it names, its shebang, what it asks for as ELF.

ELF's layout: System V ABI, "Object Files" and "Program Loading and Dynamic Linking"; numbers: elf.h.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.checks.masking import STORE_HASH
from nixdock.image.detect import ELF_MAGIC
from nixdock.outcome import Capture

if TYPE_CHECKING:
    from nixdock.checks.files.entry import LayerEntry
    from nixdock.outcome import Output

STORE = b"/nix/store/"
# A name may have 211 characters (nix/src/libstore/path.cc, checkName).
_NAME = rb"[0-9a-zA-Z+\-._?=]{1,211}"
_REFERENCE = re.compile(STORE + STORE_HASH.encode() + b"-" + _NAME)
_LONGEST = len(STORE) + 32 + 1 + 211
_SHEBANG_LIMIT = 255
_ELF_IN_MEMORY = 32 << 20

_EXECUTABLE = 2
_LOAD, _DYNAMIC, _INTERP = 1, 2, 3
_NEEDED, _STRTAB, _SONAME, _RPATH, _RUNPATH = 1, 5, 14, 15, 29
_SEGMENT_LIMIT = 4096
_TAG_LIMIT = 65536
_TEXT_LIMIT = 65536

MACHINES = {3: "386", 40: "arm", 62: "amd64", 183: "arm64", 243: "riscv64", 21: "ppc64le", 22: "s390x"}
"""`e_machine` to Go's name of the architecture, as images state it."""


@dataclass(frozen=True, slots=True)
class ElfFacts:
    """What a dynamic linker and a kernel look at in an ELF file.

    Args:
        machine: The number of the architecture (`e_machine`).
        bits: 32 or 64.
        executable: Whether it is a program (it has an interpreter, or is not a shared object).
        interpreter: The dynamic linker it asks for, or "".
        needed: The libraries it asks for.
        search: The directories of its RUNPATH, or of its RPATH where it has no RUNPATH.
        soname: What it is called as a library, or "".
    """

    machine: int
    bits: int
    executable: bool
    interpreter: str = ""
    needed: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    soname: str = ""


@dataclass(frozen=True, slots=True)
class ContentFacts:
    """What is known of a file's content.

    Args:
        references: The base names of store paths that are named in it.
        shebang: What stands behind `#!` in its first line, or "".
        elf: What it is as an ELF file, or None.
    """

    references: tuple[str, ...] = ()
    shebang: str = ""
    elf: ElfFacts | None = None

    def __bool__(self) -> bool:
        return bool(self.references or self.shebang or self.elf)


def find_references(data: bytes, found: set[str]) -> None:
    """Add the base names of the store paths that are named in some bytes."""
    at = data.find(STORE)
    while at >= 0:
        match = _REFERENCE.match(data, at)
        if match is not None:
            found.add(match[0][len(STORE) :].decode("ascii"))
        at = data.find(STORE, at + 1)


class ContentInspector:
    """Collects the facts of each file that it is shown; `facts` has those that have any."""

    def __init__(self) -> None:
        self.facts: dict[str, ContentFacts] = {}
        self._path = ""
        self._head = b""
        self._tail = b""
        self._references: set[str] = set()
        self._elf: Capture | None = None

    def begin(self, entry: LayerEntry) -> None:
        """Forget the file before."""
        self._path = entry.path
        self._head = self._tail = b""
        self._references = set()
        self._elf = None

    def feed(self, data: bytes) -> None:
        """Search a piece; what may go on in the next one is kept."""
        if not self._head:
            self._head = data[: _SHEBANG_LIMIT + 2]
            if data.startswith(ELF_MAGIC):
                self._elf = Capture(_ELF_IN_MEMORY)
        if self._elf is not None:
            self._elf.write(data)
        joined = self._tail + data if self._tail else data
        find_references(joined, self._references)
        # A reference that the end cuts is found again, whole, with the next piece.
        self._tail = joined[-_LONGEST:]

    def end(self) -> None:
        """Keep what was found."""
        elf = None
        if self._elf is not None:
            elf = read_elf(self._elf.output)
            self._elf.close()
        references = _drop_cut(self._references)
        facts = ContentFacts(references, _shebang(self._head), elf)
        if facts:
            self.facts[self._path] = facts


def _drop_cut(names: set[str]) -> tuple[str, ...]:
    """Drop names that are the beginning of another one with the same hash: they were cut."""
    by_hash: dict[str, list[str]] = {}
    for name in names:
        by_hash.setdefault(name[:32], []).append(name)
    kept: list[str] = []
    for group in by_hash.values():
        longest = max(group, key=len)
        kept += [name for name in group if name == longest or not longest.startswith(name)]
    return tuple(sorted(kept))


def _shebang(head: bytes) -> str:
    # The kernel reads at most 255 bytes of the first line (linux/fs/binfmt_script.c).
    if not head.startswith(b"#!"):
        return ""
    line = head[2:].split(b"\n", 1)[0].split(b"\0", 1)[0]
    return line.decode("utf-8", "surrogateescape").strip()


def read_elf(data: Output) -> ElfFacts | None:
    """Return what an ELF file asks for; None where it is none, or is damaged.

    Args:
        data: The whole file.
    """
    if data[:4] != ELF_MAGIC:
        return None
    try:
        return _Elf(data).facts()
    except (struct.error, IndexError, ValueError, OverflowError):
        return None


class _Elf:
    def __init__(self, data: Output) -> None:
        self._data = data
        self._wide = data[4] == 2
        self._order = ">" if data[5] == 2 else "<"
        layout = "16x HHI QQQ I HHHHHH" if self._wide else "16x HHI III I HHHHHH"
        fields = struct.unpack_from(self._order + layout.replace(" ", ""), data)
        self._type, self._machine = fields[0], fields[1]
        self._segments = self._read_segments(fields[4], fields[8], fields[9])

    def facts(self) -> ElfFacts:
        interpreter = ""
        dynamic: dict[int, list[int]] = {}
        for kind, offset, _, size in self._segments:
            if kind == _INTERP:
                interpreter = self._text(offset, min(size, _TEXT_LIMIT))
            elif kind == _DYNAMIC:
                dynamic = self._read_dynamic(offset, size)
        table = dynamic.get(_STRTAB)
        strings = self._offset_of(table[0]) if table else None

        def texts(tag: int) -> tuple[str, ...]:
            if strings is None:
                return ()
            return tuple(self._text(strings + value) for value in dynamic.get(tag, ()))

        search = texts(_RUNPATH) or texts(_RPATH)
        return ElfFacts(
            machine=self._machine,
            bits=64 if self._wide else 32,
            executable=bool(interpreter) or self._type == _EXECUTABLE,
            interpreter=interpreter,
            needed=texts(_NEEDED),
            search=tuple(directory for path in search for directory in path.split(":") if directory),
            soname=next(iter(texts(_SONAME)), ""),
        )

    def _read_segments(self, start: int, size: int, count: int) -> list[tuple[int, int, int, int]]:
        """Return type, offset in the file, address and size of each segment."""
        found: list[tuple[int, int, int, int]] = []
        for index in range(min(count, _SEGMENT_LIMIT)):
            at = start + index * size
            if self._wide:
                kind, _, offset, address, _, in_file = struct.unpack_from(
                    f"{self._order}IIQQQQ", self._data, at
                )
            else:
                kind, offset, address, _, in_file = struct.unpack_from(f"{self._order}IIIII", self._data, at)
            found.append((kind, offset, address, in_file))
        return found

    def _read_dynamic(self, offset: int, size: int) -> dict[int, list[int]]:
        layout = struct.Struct(self._order + ("qQ" if self._wide else "iI"))
        found: dict[int, list[int]] = {}
        for index in range(min(size // layout.size, _TAG_LIMIT)):
            tag, value = layout.unpack_from(self._data, offset + index * layout.size)
            if tag == 0:
                break
            found.setdefault(tag, []).append(value)
        return found

    def _offset_of(self, address: int) -> int | None:
        for kind, offset, start, size in self._segments:
            if kind == _LOAD and start <= address < start + size:
                return offset + address - start
        return None

    def _text(self, offset: int, limit: int = _TEXT_LIMIT) -> str:
        end = self._data.find(b"\0", offset, offset + limit)
        stop = offset + limit if end < 0 else end
        return self._data[offset:stop].decode("utf-8", "surrogateescape")
