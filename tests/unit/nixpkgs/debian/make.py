"""Small Debian packages and ELF files for the tests of the builders."""

from __future__ import annotations

import io
import struct
import tarfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def deb(path: Path, entries: Mapping[str, object], *, postinst: str = "", compression: str = "xz") -> Path:
    """Write a package.

    Args:
        path: Where to.
        entries: Its files: bytes (a file), `("exec", bytes)` (a program), `("link", target)` (symbolic),
            `("hard", name)`, or None (a folder).
        postinst: What it runs when it is installed.
        compression: Of its tars.
    """
    data = io.BytesIO()
    with _tar(data, compression) as tar:
        for name, what in entries.items():
            member = tarfile.TarInfo(f"./{name}")
            content = None
            match what:
                case None:
                    member.type, member.mode = tarfile.DIRTYPE, 0o755
                case bytes():
                    member.mode, content = 0o644, what
                case ("exec", bytes() as text):
                    member.mode, content = 0o755, text
                case ("link", str() as target):
                    member.type, member.linkname = tarfile.SYMTYPE, target
                case ("hard", str() as target):
                    member.type, member.linkname = tarfile.LNKTYPE, f"./{target}"
            if content is not None:
                member.size = len(content)
            tar.addfile(member, io.BytesIO(content) if content is not None else None)
    control = io.BytesIO()
    with _tar(control, compression) as tar:
        if postinst:
            member = tarfile.TarInfo("./postinst")
            member.size = len(postinst)
            tar.addfile(member, io.BytesIO(postinst.encode()))
    suffix = f".{compression}" if compression else ""
    path.write_bytes(
        archive(
            {
                "debian-binary": b"2.0\n",
                f"control.tar{suffix}": control.getvalue(),
                f"data.tar{suffix}": data.getvalue(),
            }
        )
    )
    return path


def _tar(file: io.BytesIO, compression: str) -> tarfile.TarFile:
    mode: Any = f"w:{compression}"
    return tarfile.TarFile.open(fileobj=file, mode=mode)


def archive(parts: dict[str, bytes]) -> bytes:
    """Return an `ar` archive."""
    content = b"!<arch>\n"
    for name, part in parts.items():
        content += f"{name:16}{0:<12}{0:<6}{0:<6}{'100644':8}{len(part):<10}`\n".encode()
        content += part + b"\n" * (len(part) % 2)
    return content


def elf(
    *,
    interpreter: str | None = None,
    needed: tuple[str, ...] = (),
    runpath: str | None = None,
    soname: str | None = None,
    kind: int = 3,
) -> bytes:
    """Return a 64-bit ELF file that says this of itself and can do nothing."""
    strings = b"\0"
    entries: list[tuple[int, int]] = []
    for tag, text in [(1, one) for one in needed] + [(29, runpath), (14, soname)]:
        if text is not None:
            entries.append((tag, len(strings)))
            strings += text.encode() + b"\0"
    segments = 3 if interpreter else 2
    start = 64 + 56 * segments
    interp = interpreter.encode() + b"\0" if interpreter else b""
    dynamic_at = start + len(interp) + -(start + len(interp)) % 8
    strings_at = dynamic_at + 16 * (len(entries) + 2)
    entries.append((5, strings_at))
    dynamic = b"".join(struct.pack("<qQ", *entry) for entry in [*entries, (0, 0)])
    size = strings_at + len(strings)
    header = b"\x7fELF\x02\x01\x01" + b"\0" * 9
    header += struct.pack("<HHIQQQIHHHHHH", kind, 62, 1, 0, 64, 0, 0, 64, 56, segments, 0, 0, 0)
    table = _segment(1, 0, size)
    if interpreter:
        table += _segment(3, start, len(interp))
    table += _segment(2, dynamic_at, len(dynamic))
    body = header + table + interp
    return body.ljust(dynamic_at, b"\0") + dynamic + strings


def _segment(kind: int, offset: int, size: int) -> bytes:
    return struct.pack("<IIQQQQQQ", kind, 5, offset, offset, offset, size, size, 8)
