"""Writing a docker-archive: a tar of a manifest, configs and layers.

What a reader needs first comes first (the manifest, then the config), so that one who has the image
already need not read, or decompress, the layers.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from . import layer_tar, tar_header
from .tar_header import MemberHeader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class ImageArchive:
    """An archive under way.

    Args:
        out: Where it goes; a pipe will do.
        mtime: The time of every member, in seconds since 1970.
        mode: Permission bits of every file.
    """

    def __init__(self, out: IO[bytes], *, mtime: int, mode: int) -> None:
        self._out = out
        self._mtime = mtime
        self._mode = mode
        self._written = 0
        self._names: set[str] = set()

    def add_directory(self, name: str) -> None:
        """Add a directory; `name` ends in a slash."""
        self._write(MemberHeader(name, tar_header.DIRECTORY, self._mode | 0o111, mtime=self._mtime))

    def add(self, name: str, content: bytes) -> None:
        """Add a small file."""
        self.add_stream(name, len(content), (content,))

    def add_stream(self, name: str, size: int, chunks: Iterable[bytes]) -> None:
        """Add a file of a known size; a name that is there already is not written again.

        Raises:
            ValueError: The pieces are not as long as `size`.
        """
        if name in self._names:
            return
        self._names.add(name)
        self._write(MemberHeader(name, mode=self._mode, size=size, mtime=self._mtime))
        missing = size
        for chunk in layer_tar.joined(chunks):
            self._out.write(chunk)
            missing -= len(chunk)
        if missing:
            raise ValueError(f"{name} is {size - missing} bytes long, not {size}")
        self._out.write(bytes(tar_header.padding(size)))
        self._written += size + tar_header.padding(size)

    def close(self) -> None:
        """Write what ends the archive; the stream stays open."""
        self._out.write(tar_header.ending(self._written))
        self._out.flush()

    def _write(self, member: MemberHeader) -> None:
        block = tar_header.header(member, "posix")
        self._out.write(block)
        self._written += len(block)


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
