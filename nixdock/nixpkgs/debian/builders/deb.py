"""Reading a Debian package: an `ar` archive of two tars, its files and what is said of them."""

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
    with _open_member(path, "data.tar") as tar:
        yield tar


def read_script(path: Path, name: str) -> str:
    """Return a script that the package runs when it is installed, such as `postinst`; empty without one.

    Raises:
        NotADebError: It is no package.
    """
    with _open_member(path, "control.tar") as tar:
        for member in tar:
            if member.name.removeprefix("./") == name and member.isfile():
                content = tar.extractfile(member)
                if content is not None:
                    return content.read().decode(errors="replace")
    return ""


@contextmanager
def _open_member(path: Path, wanted: str) -> Iterator[tarfile.TarFile]:
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise NotADebError(f"{path} is not a Debian package")
        while True:
            header = file.read(_HEADER)
            if len(header) < _HEADER:
                raise NotADebError(f"{path} holds no {wanted}")
            name = header[:16].decode("ascii", "replace").strip().rstrip("/")
            size = int(header[48:58])
            if name.startswith(wanted):
                break
            file.seek(size + size % 2, 1)
        compression = name[len(wanted) :].lstrip(".")
        if compression not in ("", "gz", "bz2", "xz"):
            raise NotADebError(f"{path}: compression {compression} is not supported")
        mode = f"r|{compression}"
        with tarfile.open(fileobj=file, mode=mode) as tar:  # type: ignore[call-overload]
            yield tar
