"""Looking at every file's content while a layer is read: store references, shebangs, ELF headers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nixdock.checks.files.elf import MAGIC, read_elf
from nixdock.checks.files.entry import ContentFacts
from nixdock.checks.masking import STORE_HASH
from nixdock.outcome import Capture

if TYPE_CHECKING:
    from nixdock.checks.files.entry import LayerEntry

STORE = b"/nix/store/"
# A name may have 211 characters (nix/src/libstore/path.cc, checkName).
_NAME = rb"[0-9a-zA-Z+\-._?=]{1,211}"
_REFERENCE = re.compile(STORE + STORE_HASH.encode() + b"-" + _NAME)
_LONGEST = len(STORE) + 32 + 1 + 211
_SHEBANG_LIMIT = 255
_ELF_IN_MEMORY = 32 << 20


def find_references(data: bytes, found: set[str]) -> None:
    """Add the base names of the store paths that are named in some bytes."""
    at = data.find(STORE)
    while at >= 0:
        match = _REFERENCE.match(data, at)
        if match is not None:
            found.add(match[0][len(STORE) :].decode("ascii"))
        at = data.find(STORE, at + 1)


class ContentInspector:
    """Collects the facts of each file that it is shown; `facts` has those that have any."""

    def __init__(self) -> None:
        self.facts: dict[str, ContentFacts] = {}
        self._path = ""
        self._head = b""
        self._tail = b""
        self._references: set[str] = set()
        self._elf: Capture | None = None

    def begin(self, entry: LayerEntry) -> None:
        """Forget the file before."""
        self._path = entry.path
        self._head = self._tail = b""
        self._references = set()
        self._elf = None

    def feed(self, data: bytes) -> None:
        """Search a piece; what may go on in the next one is kept."""
        if not self._head:
            self._head = data[: _SHEBANG_LIMIT + 2]
            if data.startswith(MAGIC):
                self._elf = Capture(_ELF_IN_MEMORY)
        if self._elf is not None:
            self._elf.write(data)
        joined = self._tail + data if self._tail else data
        find_references(joined, self._references)
        # A reference that the end cuts is found again, whole, with the next piece.
        self._tail = joined[-_LONGEST:]

    def end(self) -> None:
        """Keep what was found."""
        elf = None
        if self._elf is not None:
            elf = read_elf(self._elf.output)
            self._elf.close()
        references = _drop_cut(self._references)
        facts = ContentFacts(references, _shebang(self._head), elf)
        if facts:
            self.facts[self._path] = facts


def _drop_cut(names: set[str]) -> tuple[str, ...]:
    """Drop names that are the beginning of another one with the same hash: they were cut."""
    by_hash: dict[str, list[str]] = {}
    for name in names:
        by_hash.setdefault(name[:32], []).append(name)
    kept: list[str] = []
    for group in by_hash.values():
        longest = max(group, key=len)
        kept += [name for name in group if name == longest or not longest.startswith(name)]
    return tuple(sorted(kept))


def _shebang(head: bytes) -> str:
    # The kernel reads at most 255 bytes of the first line (linux/fs/binfmt_script.c).
    if not head.startswith(b"#!"):
        return ""
    line = head[2:].split(b"\n", 1)[0].split(b"\0", 1)[0]
    return line.decode("utf-8", "surrogateescape").strip()
