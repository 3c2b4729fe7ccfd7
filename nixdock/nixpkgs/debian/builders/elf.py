"""Reading what an ELF file says of itself: its loader, and the libraries that it wants.

The layout is that of the System V ABI, chapters 4 and 5; only 64-bit and 32-bit little-endian files, as
all of Debian's supported Linux machines but s390x have them.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

MAGIC = b"\x7fELF"
_LARGEST = 2**62
_EXECUTABLE, _SHARED = 2, 3
_LOAD, _DYNAMIC, _INTERP = 1, 2, 3
_NEEDED, _STRTAB, _SONAME, _RPATH, _RUNPATH = 1, 5, 14, 15, 29


@dataclass(frozen=True)
class Elf:
    """A program or shared library.

    Attributes:
        interpreter: The path of its loader, None for a library or a static program.
        needed: The names of the libraries it cannot start without, in its order.
        runpath: The directories that it names itself.
        soname: The name that others need it by.
        dynamic: Whether it is linked dynamically at all.
    """

    interpreter: str | None
    needed: tuple[str, ...]
    runpath: tuple[str, ...]
    soname: str | None
    dynamic: bool


@dataclass(frozen=True)
class _Segment:
    kind: int
    offset: int
    address: int
    size: int


def read(file: BinaryIO) -> Elf | None:
    """Return what an ELF program or library says of itself; None for any other file.

    Relocatable objects, big-endian files and such whose tables point outside of the file are other files.
    """
    head = file.read(64)
    if head[:4] != MAGIC or len(head) < 52 or head[5] != 1 or head[4] not in (1, 2):
        return None
    wide = head[4] == 2
    if struct.unpack_from("<H", head, 16)[0] not in (_EXECUTABLE, _SHARED):
        return None
    try:
        segments = _segments(file, head, wide=wide)
        return _describe(file, segments, wide=wide)
    except (struct.error, ValueError):
        return None


def _segments(file: BinaryIO, head: bytes, *, wide: bool) -> list[_Segment]:
    if wide:
        (start,) = struct.unpack_from("<Q", head, 32)
        size, count = struct.unpack_from("<HH", head, 54)
        form = struct.Struct("<IIQQQQ")
    else:
        (start,) = struct.unpack_from("<I", head, 28)
        size, count = struct.unpack_from("<HH", head, 42)
        form = struct.Struct("<IIIII")
    table = _bytes(file, start, size * count)
    found = []
    for number in range(count):
        fields = form.unpack_from(table, number * size)
        if wide:
            kind, _, offset, address, _, length = fields
        else:
            kind, offset, address, _, length = fields
        found.append(_Segment(kind, offset, address, length))
    return found


def _describe(file: BinaryIO, segments: list[_Segment], *, wide: bool) -> Elf:
    interpreter = None
    entries: list[tuple[int, int]] = []
    dynamic = False
    for segment in segments:
        if segment.kind == _INTERP:
            interpreter = _bytes(file, segment.offset, segment.size).rstrip(b"\0").decode()
        elif segment.kind == _DYNAMIC:
            dynamic = True
            content = _bytes(file, segment.offset, segment.size)
            form = struct.Struct("<qQ" if wide else "<iI")
            whole = len(content) - len(content) % form.size
            for tag, value in form.iter_unpack(content[:whole]):
                if tag == 0:
                    break
                entries.append((tag, value))
    strings = next((_offset(segments, value) for tag, value in entries if tag == _STRTAB), None)

    def text(value: int) -> str:
        if strings is None:
            raise ValueError("no string table")
        file.seek(min(strings + value, _LARGEST))
        content = b""
        while b"\0" not in content:
            piece = file.read(256)
            if not piece:
                raise ValueError("string outside of the file")
            content += piece
        return content[: content.index(b"\0")].decode()

    runpaths = [text(value) for tag, value in entries if tag in (_RPATH, _RUNPATH)]
    return Elf(
        interpreter=interpreter,
        needed=tuple(text(value) for tag, value in entries if tag == _NEEDED),
        runpath=tuple(part for path in runpaths for part in path.split(":") if part),
        soname=next((text(value) for tag, value in entries if tag == _SONAME), None),
        dynamic=dynamic,
    )


def _bytes(file: BinaryIO, offset: int, size: int) -> bytes:
    # What a damaged header asks for may be more than there is memory.
    if offset + size > file.seek(0, os.SEEK_END):
        raise ValueError("outside of the file")
    file.seek(offset)
    return file.read(size)


def _offset(segments: list[_Segment], address: int) -> int:
    for segment in segments:
        if segment.kind == _LOAD and segment.address <= address < segment.address + segment.size:
            return address - segment.address + segment.offset
    raise ValueError("address outside of the file")
