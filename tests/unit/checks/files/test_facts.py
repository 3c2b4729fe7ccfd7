from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixdock.checks.files.entry import LayerEntry
from nixdock.checks.files.facts import ContentFacts, ContentInspector, read_elf

HASH = "4b1sx2gsbb8iqm93q7cknh6b9wrmr8h4"


def _inspect(data: bytes, piece: int = 1 << 20) -> ContentFacts | None:
    inspector = ContentInspector()
    inspector.begin(LayerEntry("x", "file", 0o644, 0, 0, len(data), 0, "", 0))
    for start in range(0, len(data), piece):
        inspector.feed(data[start : start + piece])
    inspector.end()
    return inspector.facts.get("x")


def test_store_paths_are_found_wherever_they_stand() -> None:
    facts = _inspect(f"\0/nix/store/{HASH}-hello-2.12.1/bin/hello\0".encode())

    assert facts == ContentFacts((f"{HASH}-hello-2.12.1",))


@given(st.integers(1, 400), st.integers(0, 300))
def test_a_store_path_across_two_pieces_is_found_whole(piece: int, before: int) -> None:
    data = b"." * before + f"/nix/store/{HASH}-a-long-name-indeed-1.0/x /nix/store/{HASH}".encode()

    assert _inspect(data, piece) == ContentFacts((f"{HASH}-a-long-name-indeed-1.0",))


@pytest.mark.parametrize(
    "text",
    [
        "/nix/store/",
        "/nix/store/.links",
        f"/nix/store/{'e' * 32}-masked",
        f"/nix/store/{HASH}",
        f"/nix/store/{HASH[:-1]}-short",
        f"/other/store/{HASH}-x",
    ],
)
def test_what_only_looks_like_a_store_path_is_none(text: str) -> None:
    assert _inspect(text.encode()) is None


def test_the_first_line_of_a_script_is_kept() -> None:
    facts = _inspect(b"#! /usr/bin/env -S python3 -u\nprint()\n", piece=5000)

    assert facts == ContentFacts(shebang="/usr/bin/env -S python3 -u")


def test_a_real_program_tells_what_it_asks_for() -> None:
    program = shutil.which("git") or shutil.which("bash")
    assert program is not None
    data = Path(program).resolve().read_bytes()

    elf = read_elf(data)

    assert elf is not None
    assert elf.bits == 64
    assert elf.executable
    assert "ld-linux" in elf.interpreter
    assert "libc.so.6" in elf.needed


def test_a_real_library_is_no_program_and_has_a_name() -> None:
    library = next(Path("/usr/lib").glob("*-linux-gnu/libz.so.1"), None) or next(
        Path("/lib").glob("*-linux-gnu/libc.so.6")
    )

    elf = read_elf(library.read_bytes())

    assert elf is not None
    assert elf.soname == library.name


@given(st.integers(0, 2000), st.binary(min_size=1, max_size=16))
def test_a_damaged_elf_file_is_no_crash(position: int, damage: bytes) -> None:
    program = shutil.which("true")
    assert program is not None
    data = bytearray(Path(program).resolve().read_bytes())
    data[position : position + len(damage)] = damage

    read_elf(bytes(data))


def test_a_header_alone_is_no_elf_file() -> None:
    assert read_elf(b"\x7fELF") is None
    assert read_elf(b"\x7fELF\x02\x01" + bytes(10)) is None
    assert read_elf(b"#!/bin/sh") is None
