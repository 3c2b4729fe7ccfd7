"""Text that others wrote: how it is read, where lines end, how it is shown but not obeyed; sizes in words."""

from __future__ import annotations

import errno
import os
import re
import stat
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_OBEYED: Final = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but for the tab and the newline
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # the marks and overrides of text from right to left
    "\u2028\u2029"  # line and paragraph separators
    "\ud800-\udfff"  # halves of characters, which cannot be written
    "]"
)

_SHELLS_PIPE: Final = re.compile(r"/dev/stdin|(?:/dev|/proc/self)/fd/[0-9]+")

BLANKS: Final = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""What Go takes for white space (unicode.IsSpace): docker and its kin trim these, where Python trims more."""


def clean(text: str) -> str:
    r"""Return text that a terminal shows and does not obey, its lines and tabs as they are.

    What would be obeyed is written out as in Python: `\x1b`, `\u202e`.
    """
    return _OBEYED.sub(lambda match: _write_out(match[0]), text)


def clean_line(text: str) -> str:
    r"""Return text as `clean` does, as one line: a newline is written out, too, as `\x0a`."""
    return clean(text).replace("\n", "\\x0a")


def shorten(text: str, limit: int = 500) -> str:
    """Return a text as it is, or its beginning and how long it is."""
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


def format_bytes(count: int) -> str:
    """Return a number of bytes as people read it, in powers of 1000 as docker shows sizes."""
    size = float(count)
    unit = "B"
    for bigger in ("kB", "MB", "GB"):
        if size < 999.5:
            break
        size /= 1000
        unit = bigger
    return f"{size:.0f} {unit}" if size >= 999.5 else f"{size:.3g} {unit}"


def split_lines(text: str) -> list[str]:
    """Return the lines of a text: they end at a newline and nowhere else, as in every file of Unix.

    `str.splitlines` also ends them at a form feed, at U+2028 and at seven other characters.
    """
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


FILE_LIMIT: Final = 4 << 20
"""Bytes of a file that somebody writes by hand, at most."""

OUTPUT_LIMIT: Final = 256 << 20
"""Bytes of a file that holds what a program is to write, at most."""


def read_bounded(path: Path, limit: int = FILE_LIMIT, *, from_shell: bool = False) -> bytes:
    """Return the bytes of a file that somebody named: a regular one of a bounded size, read without waiting.

    Args:
        path: The file.
        limit: Its bytes, at most.
        from_shell: Whether it may be a pipe that a shell made, as for `<(command)`: that ends.

    Raises:
        OSError: It cannot be read, is too large, or something else than a file.
    """
    # Looked at before: opening a device can be more than that.
    _require_file(path.stat(), path, from_shell=from_shell)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        _require_file(status, path, from_shell=from_shell)
        # Some of the kernel's own files look regular, and are waited for all the same (/proc/kmsg).
        os.set_blocking(descriptor, stat.S_ISFIFO(status.st_mode))
        data: bytes | None = stream.read(limit + 1)
    if data is None:
        raise OSError(errno.EAGAIN, "it is no regular file", str(path))
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"it is larger than {limit >> 20} MiB", str(path))
    return data


def _require_file(status: os.stat_result, path: Path, *, from_shell: bool) -> None:
    if stat.S_ISREG(status.st_mode):
        return
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not (from_shell and stat.S_ISFIFO(status.st_mode) and _SHELLS_PIPE.fullmatch(str(path))):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))


def read_system_file(path: Path) -> str:
    """Return the text of a file of the kernel: the names in it, of mount points and groups, may be any bytes.

    A byte that is not UTF-8 becomes half a character, as in Python's own names of files, and finds the file.

    Raises:
        OSError: It cannot be read.
    """
    # As it is: read as text, a carriage return in a name would become a line's end.
    return path.read_bytes().decode("utf-8", errors="surrogateescape")


def _write_out(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
