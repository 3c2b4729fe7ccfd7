"""File modes as people write them: octal, as `ls -l` shows them, or as Go prints them.

`0444`, `rwxr-xr-x`, `drwxrwxrwt`; and `dtrwxrwxrwx`, the text of Go's FileMode that files for
container-structure-test use (src/io/fs/fs.go: letters out of "dalTLDpSugct?", then nine permissions).
"""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass

_OCTAL = re.compile(r"(?:0o)?[0-7]{1,5}", re.ASCII)
_SYMBOLIC = re.compile(r"([-dlbcps]?)([r-][w-][xsS-][r-][w-][xsS-][r-][w-][xtT-])")
_GO = re.compile(r"([dalTLDpSugct?]+|-)((?:[r-][w-][x-]){3})")

LS_TYPES = {
    "-": "file",
    "d": "directory",
    "l": "symlink",
    "b": "block",
    "c": "character",
    "p": "fifo",
    "s": "socket",
}

_GO_TYPES = {
    "file": "",
    "directory": "d",
    "symlink": "L",
    "block": "D",
    "character": "Dc",
    "fifo": "p",
    "socket": "S",
}


@dataclass(frozen=True, slots=True)
class ModeMatcher:
    """Permission bits, set-id and sticky bits among them, and perhaps a file type.

    Args:
        text: As written.
        bits: Of 0o7777.
        type: A file type that the text implies, or None.
    """

    text: str
    bits: int
    type: str | None = None

    @classmethod
    def parse(cls, text: str) -> ModeMatcher:
        """Read a mode.

        Raises:
            ValueError: It is none.
        """
        if _OCTAL.fullmatch(text):
            bits = int(text.removeprefix("0o"), 8)
            if bits > 0o7777:
                raise ValueError(f"{text!r} is not a mode: it has bits above 7777")
            return cls(text, bits)
        if match := _SYMBOLIC.fullmatch(text):
            return cls(text, _symbolic_bits(match[2]), LS_TYPES.get(match[1]))
        if match := _GO.fullmatch(text):
            return cls(text, _go_bits(match[1], match[2]), _go_type(match[1]))
        raise ValueError(f"{text!r} is not a mode: write it as '0755', 'rwxr-xr-x' or 'drwxr-xr-x'")

    def accepts(self, kind: str, bits: int) -> bool:
        """Whether a file of this type with these bits is meant."""
        return bits == self.bits and self.type in {None, kind}


def symbolic(kind: str, bits: int) -> str:
    """Write a mode as `ls -l` does."""
    formats = {
        "directory": stat.S_IFDIR,
        "symlink": stat.S_IFLNK,
        "block": stat.S_IFBLK,
        "character": stat.S_IFCHR,
        "fifo": stat.S_IFIFO,
        "socket": stat.S_IFSOCK,
    }
    return stat.filemode(formats.get(kind, stat.S_IFREG) | bits)


def go_text(kind: str, bits: int) -> str:
    """Write a mode as Go's FileMode does."""
    # The order of the letters is "dalTLDpSugct?": set-id bits, then c, then the sticky bit.
    type_letters = _GO_TYPES[kind]
    character = type_letters.endswith("c")
    letters = type_letters.removesuffix("c")
    letters += "u" if bits & stat.S_ISUID else ""
    letters += "g" if bits & stat.S_ISGID else ""
    letters += "c" if character else ""
    letters += "t" if bits & stat.S_ISVTX else ""
    nine = "".join(letter if bits & (1 << (8 - index)) else "-" for index, letter in enumerate("rwxrwxrwx"))
    return (letters or "-") + nine


def _symbolic_bits(nine: str) -> int:
    bits = 0
    for index, letter in enumerate(nine):
        if letter in "rwxst":
            bits |= 1 << (8 - index)
    for index, special in ((2, stat.S_ISUID), (5, stat.S_ISGID), (8, stat.S_ISVTX)):
        if nine[index] in "sStT":
            bits |= special
    return bits


def _go_bits(letters: str, nine: str) -> int:
    bits = _symbolic_bits(nine)
    for letter, special in (("u", stat.S_ISUID), ("g", stat.S_ISGID), ("t", stat.S_ISVTX)):
        if letter in letters:
            bits |= special
    return bits


def _go_type(letters: str) -> str | None:
    if "D" in letters:
        return "character" if "c" in letters else "block"
    for kind, letter in _GO_TYPES.items():
        if letter and letter in letters:
            return kind
    return "file"
