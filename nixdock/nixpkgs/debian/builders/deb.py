"""Reading a Debian package: the tar of its files inside an `ar` archive."""

from __future__ import annotations

import tarfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MAGIC = b"!<arch>\n"
_HEADER = 60


class NotADebError(Exception):
    """The file is not a Debian package, or one of a form that is not in use."""


@contextmanager
def open_files(path: Path) -> Iterator[tarfile.TarFile]:
    """Open the tar of the files that a package installs, to be read from front to back.

    Raises:
        NotADebError: It is no package, or its files are compressed with something but gzip, bzip2 or xz.
    """
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise NotADebError(f"{path} is not a Debian package")
        while True:
            header = file.read(_HEADER)
            if len(header) < _HEADER:
                raise NotADebError(f"{path} holds no files")
            name = header[:16].decode("ascii", "replace").strip().rstrip("/")
            size = int(header[48:58])
            if name.startswith("data.tar"):
                break
            file.seek(size + size % 2, 1)
        compression = name[len("data.tar") :].lstrip(".")
        if compression not in ("", "gz", "bz2", "xz"):
            raise NotADebError(f"{path}: compression {compression} is not supported")
        mode = f"r|{compression}"
        with tarfile.open(fileobj=file, mode=mode) as tar:  # type: ignore[call-overload]
            yield tar
