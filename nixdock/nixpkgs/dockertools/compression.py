"""Compressing an archive while it is written."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def compressed(path: Path, compressor: str) -> Iterator[IO[bytes]]:
    """Open a file to write to; what is written is compressed on its way.

    Args:
        path: The file.
        compressor: `none`, `gz` or `zstd`, whose programs are on the PATH.

    Raises:
        OSError: It cannot be written, or the program failed.
    """
    if compressor == "none":
        with path.open("wb") as file:
            yield file
        return
    # One thread alone gives other bytes than several do, so there are always several.
    threads = max(2, int(os.environ.get("NIX_BUILD_CORES") or 0) or os.cpu_count() or 1)
    words = ["pigz", "-nTR", f"-p{threads}"] if compressor == "gz" else ["zstd", "-q", f"-T{threads}"]
    with path.open("wb") as file, subprocess.Popen(words, stdin=subprocess.PIPE, stdout=file) as program:
        if program.stdin is None:
            raise OSError(f"{words[0]} has no standard input")
        try:
            yield program.stdin
        finally:
            program.stdin.close()
    if program.returncode:
        raise OSError(f"{words[0]} failed with status {program.returncode}")
