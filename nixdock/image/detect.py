"""What a file is, by its first bytes: for choosing a reader, and for saying what it is instead."""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import Final

HEAD: Final = 512
"""Bytes that `detect` wants to see."""


class Codec(StrEnum):
    """How bytes are compressed."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"
    XZ = "xz"
    BZIP2 = "bzip2"


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


_CODECS: Final = (
    (b"\x1f\x8b", Codec.GZIP),
    (b"\x28\xb5\x2f\xfd", Codec.ZSTD),
    (b"\xfd7zXZ\x00", Codec.XZ),
    (b"BZh", Codec.BZIP2),
)

ELF_MAGIC: Final = b"\x7fELF"

_MAGIC: Final = (
    (0, b"#!", FileKind.SCRIPT),
    (0, ELF_MAGIC, FileKind.ELF),
    (0, b"PK\x03\x04", FileKind.ZIP),
    (0, b"hsqs", FileKind.SQUASHFS),
    (257, b"ustar", FileKind.TAR),
)


def recognise(head: bytes) -> Codec:
    """Say how a stream that begins with these bytes is compressed."""
    for magic, codec in _CODECS:
        if head.startswith(magic):
            return codec
    # A zstd file may begin with a frame that decoders skip: 0x184D2A50 to 0x184D2A5F.
    if len(head) >= 4 and head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50:
        return Codec.ZSTD
    return Codec.NONE


def detect(head: bytes) -> FileKind:
    """Say what a file is that begins with these bytes.

    Args:
        head: The first `HEAD` bytes, or fewer where the file is shorter.
    """
    if not head:
        return FileKind.EMPTY
    if recognise(head) is not Codec.NONE:
        return FileKind.COMPRESSED
    for place, magic, kind in _MAGIC:
        if head.startswith(magic, place):
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
