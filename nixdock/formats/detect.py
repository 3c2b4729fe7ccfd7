"""What a file is, by its first bytes: for choosing a reader, and for saying what it is instead."""

from __future__ import annotations

from enum import Enum
from typing import Final

from nixdock.formats.compression import recognise
from nixdock.formats.tar_members import is_header
from nixdock.image.manifest import Codec

HEAD: Final = 512
"""Bytes that `detect` wants to see."""


class FileKind(Enum):
    """What a file is; the value continues the sentence "it is ..."."""

    EMPTY = "empty"
    TAR = "a tar"
    COMPRESSED = "compressed"
    JSON = "JSON"
    SCRIPT = "a script"
    ELF = "an ELF program or library"
    ZIP = "a zip archive"
    SQUASHFS = "a squashfs image"
    TEXT = "text"
    DATA = "data of an unknown kind"


_MAGIC: Final = (
    (b"#!", FileKind.SCRIPT),
    (b"\x7fELF", FileKind.ELF),
    (b"PK\x03\x04", FileKind.ZIP),
    (b"hsqs", FileKind.SQUASHFS),
)


def detect(head: bytes) -> FileKind:
    """Say what a file is that begins with these bytes.

    Args:
        head: The first `HEAD` bytes, or fewer where the file is shorter.
    """
    if not head:
        return FileKind.EMPTY
    if recognise(head) is not Codec.NONE:
        return FileKind.COMPRESSED
    if is_header(head):
        return FileKind.TAR
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head.lstrip()[:1] in {b"{", b"["}:
        return FileKind.JSON
    return FileKind.TEXT if _is_text(head) else FileKind.DATA


def _is_text(head: bytes) -> bool:
    try:
        # The last character may have been cut.
        text = head.decode("utf-8", errors="ignore" if len(head) == HEAD else "strict")
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\n\r\t\f" for character in text)
