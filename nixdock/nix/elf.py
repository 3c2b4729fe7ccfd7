"""The little that has to be known of an ELF file here: whether a program needs a loader."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

MAGIC: Final = b"\x7fELF"
_64_BIT: Final = 2
_MACHINES: Final = {"x86_64": 62, "aarch64": 183}
"""EM_X86_64 and EM_AARCH64: the machines that the offline package set is for."""

_INTERPRETER_SEGMENT: Final = 3
"""PT_INTERP: the loader's name."""


def runs_alone(path: Path) -> bool:
    """Whether a path is a program of this machine that needs no libc: an ELF file without interpreter."""
    try:
        with path.open("rb") as file:
            header = file.read(64)
            if header[:4] != MAGIC or header[4] != _64_BIT:
                return False
            order = "<" if header[5] == 1 else ">"
            (machine,) = struct.unpack_from(f"{order}H", header, 0x12)
            if machine != _MACHINES.get(os.uname().machine):
                return False
            (table,) = struct.unpack_from(f"{order}Q", header, 0x20)
            size, count = struct.unpack_from(f"{order}HH", header, 0x36)
            file.seek(table)
            segments = file.read(size * count)
        kinds = {struct.unpack_from(f"{order}I", segments, number * size)[0] for number in range(count)}
    except (OSError, IndexError, struct.error):
        return False
    return _INTERPRETER_SEGMENT not in kinds
