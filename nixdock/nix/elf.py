"""The little that has to be known of an ELF file here: whether a program needs a loader."""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import Final

MAGIC: Final = b"\x7fELF"
_64_BIT: Final = 2
_MACHINE: Final = slice(0x12, 0x14)
_INTERPRETER_SEGMENT: Final = 3
"""PT_INTERP: the loader's name."""


def runs_alone(path: Path) -> bool:
    """Whether a path is a program of this machine that needs no libc: an ELF file without interpreter."""
    try:
        with path.open("rb") as file:
            header = file.read(64)
            if header[:4] != MAGIC or header[4] != _64_BIT or header[_MACHINE] != _own_header()[_MACHINE]:
                return False
            order = "<" if header[5] == 1 else ">"
            (table,) = struct.unpack_from(f"{order}Q", header, 0x20)
            size, count = struct.unpack_from(f"{order}HH", header, 0x36)
            file.seek(table)
            segments = file.read(size * count)
        kinds = {struct.unpack_from(f"{order}I", segments, number * size)[0] for number in range(count)}
    except (OSError, IndexError, struct.error):
        return False
    return _INTERPRETER_SEGMENT not in kinds


def _own_header() -> bytes:
    with Path(sys.executable).open("rb") as file:
        return file.read(64)
