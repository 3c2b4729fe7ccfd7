"""Reading a Debian package: an `ar` archive of two tars, its files and what is said of them.

Names that update-alternatives would make (`awk` for gawk, `libblas.so.3` for that of libblas3) are not among
a package's files: its postinst asks for them. What it says in plain words is understood; what it computes is
left to `adjustments.nix`.
"""

from __future__ import annotations

import re
import shlex
import tarfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MAGIC = b"!<arch>\n"
_HEADER = 60

_COMMAND = re.compile(r"^[^#\n]*?\bupdate-alternatives\b(.*)$", re.MULTILINE)
_SHARED = re.compile(r"/(editor|pager|www-browser|infobrowser|x-[a-z-]+|gnome-[a-z-]+)$")
"""Names that stand for a choice of the whole system; many packages have them, and none by that name."""


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


def parse_alternatives(script: str) -> dict[str, str]:
    """Return the links that a postinst asks for, as link to target, both as absolute paths.

    >>> parse_alternatives("update-alternatives --install /usr/bin/awk awk /usr/bin/gawk 10")
    {'/usr/bin/awk': '/usr/bin/gawk'}
    """
    links: dict[str, str] = {}
    for command in _COMMAND.findall(script.replace("\\\n", " ")):
        try:
            words = shlex.split(command, comments=True)
        except ValueError:
            continue
        for position, word in enumerate(words):
            if word in ("--install", "--slave") and len(words) > position + 3:
                link, target = words[position + 1], words[position + 3]
                if link.startswith("/") and target.startswith("/") and "$" not in link + target:
                    links.setdefault(link, target)
    return {link: target for link, target in links.items() if not _SHARED.search(link)}
