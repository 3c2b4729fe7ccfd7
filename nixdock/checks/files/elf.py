"""What an ELF file asks of the system that is to run it.

Layout: System V ABI, "Object Files" and "Program Loading and Dynamic Linking"; numbers: elf.h.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from nixdock.checks.files.entry import ElfFacts

if TYPE_CHECKING:
    from nixdock.outcome import Output

MAGIC = b"\x7fELF"

_EXECUTABLE = 2
_LOAD, _DYNAMIC, _INTERP = 1, 2, 3
_NEEDED, _STRTAB, _SONAME, _RPATH, _RUNPATH = 1, 5, 14, 15, 29
_SEGMENT_LIMIT = 4096
_TAG_LIMIT = 65536
_TEXT_LIMIT = 65536

MACHINES = {3: "386", 40: "arm", 62: "amd64", 183: "arm64", 243: "riscv64", 21: "ppc64le", 22: "s390x"}
"""`e_machine` to Go's name of the architecture, as images state it."""


def read_elf(data: Output) -> ElfFacts | None:
    """Return what an ELF file asks for; None where it is none, or is damaged.

    Args:
        data: The whole file.
    """
    if data[:4] != MAGIC:
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
            search=tuple(folder for path in search for folder in path.split(":") if folder),
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
