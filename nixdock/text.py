"""Text that others wrote: where its lines end, and how it is shown where it must not be obeyed."""

from __future__ import annotations

import re
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


def split_lines(text: str) -> list[str]:
    """Return the lines of a text: they end at a newline and nowhere else, as in every file of Unix.

    `str.splitlines` also ends them at a form feed, at U+2028 and at seven other characters.
    """
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


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
