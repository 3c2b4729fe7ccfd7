"""Images to lint, and what is said of them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from nixdock.checks.kinds.lint import LintCheck
from nixdock.checks.lint import lint_image
from nixdock.checks.lint.programs import Gravity
from nixdock.checks.subject import Subject
from nixdock.image.model import Image
from support.images import host_program, image_of
from support.layers import MemoryLayer, file, folder, layer_of

HASH = "a" * 32
PASSWD = file("etc/passwd", b"root:x:0:0::/root:/bin/sh\nweb:x:999:999::/:/bin/false\n")
GROUP = file("etc/group", b"root:x:0:\nweb:x:999:\n")
SURROUNDINGS = (
    PASSWD,
    GROUP,
    folder("tmp", 0o1777),
    file("bin/sh", b"#!/bin/sh\n", 0o755),
    file("etc/ssl/certs/ca-bundle.crt", b"..."),
)


def lint(image: Image, cache: Path, check: LintCheck = LintCheck()) -> list[tuple[str, Gravity, str]]:  # noqa: B008
    remarks = lint_image(Subject(image, cache=cache), check.only, check.skip)
    return [(remark.rule, remark.gravity, remark.message) for remark in remarks]


def lint_only(rule: str, image: Image, cache: Path) -> list[tuple[Gravity, str]]:
    return [(gravity, message) for _, gravity, message in lint(image, cache, LintCheck(only=(rule,)))]


def program_of(interpreter: str = "", machine: int = 62) -> bytes:
    """A 64-bit ELF program with an interpreter alone."""
    text = interpreter.encode() + b"\0"
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack(
        "<HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, 0, 64, 56, 1 if interpreter else 0, 0, 0, 0
    )
    segment = struct.pack("<IIQQQQQQ", 3, 4, 120, 0, 0, len(text), len(text), 1)
    return header + segment + text


def good_image(*more: MemoryLayer, **config: Any) -> Image:
    return image_of(
        layer_of(*SURROUNDINGS, *host_program("true")), *more, config={"Cmd": ["/bin/true"], **config}
    )


def library_of(soname: str) -> bytes:
    strings = b"\0" + soname.encode() + b"\0"
    dynamic = struct.pack("<qQqQqQ", 14, 1, 5, 176 + 48, 0, 0)
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    size = 176 + len(dynamic) + len(strings)
    load = struct.pack("<IIQQQQQQ", 1, 4, 0, 0, 0, size, size, 1)
    segment = struct.pack("<IIQQQQQQ", 2, 4, 176, 176, 176, len(dynamic), len(dynamic), 1)
    return header + load + segment + dynamic + strings


def store_path(name: str) -> str:
    """A store path whose hash follows from its name."""
    return f"nix/store/{name[:1] * 32}-{name}"


def store_layers(*layers: dict[str, bytes]) -> list[MemoryLayer]:
    """A layer for each: the contents of store paths that are files, by their names."""
    return [layer_of(*(file(store_path(name), data) for name, data in layer.items())) for layer in layers]


def made_of(*layers: list[str]) -> list[dict[str, str]]:
    """What dockerTools says in the history of layers of these store paths."""
    return [{"comment": f"store paths: {[f'/{store_path(name)}' for name in names]}"} for names in layers]
