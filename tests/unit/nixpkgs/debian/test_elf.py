"""What ELF files say of themselves."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixdock.nixpkgs.debian.builders import elf

from . import make


def read(content: bytes) -> elf.Elf | None:
    return elf.read(io.BytesIO(content))


def test_a_program() -> None:
    content = make.elf(
        interpreter="/lib64/ld-linux.so.2", needed=("liba.so.1", "libc.so.6"), runpath="/x:$ORIGIN/y"
    )
    assert read(content) == elf.Elf(
        interpreter="/lib64/ld-linux.so.2",
        needed=("liba.so.1", "libc.so.6"),
        runpath=("/x", "$ORIGIN/y"),
        soname=None,
        dynamic=True,
    )


def test_a_library() -> None:
    found = read(make.elf(soname="libz.so.1"))
    assert found is not None
    assert found.soname == "libz.so.1"
    assert found.interpreter is None


def test_a_real_program() -> None:
    with Path(sys.executable).resolve().open("rb") as file:
        found = elf.read(file)
    assert found is not None
    assert found.interpreter is not None
    assert any(name.startswith("libc.so") for name in found.needed)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x7fELF",
        b"#!/bin/sh\n",
        make.elf(kind=1),  # an object file
        make.elf()[:100],
        make.elf(needed=("libc.so.6",))[:-4],
    ],
)
def test_other_files(content: bytes) -> None:
    assert read(content) is None


@given(st.integers(0, 400), st.integers(0, 255))
def test_damaged_files_are_other_files_or_read(position: int, byte: int) -> None:
    content = bytearray(make.elf(interpreter="/lib/ld.so", needed=("liba.so.1",), runpath="/x"))
    content[position % len(content)] = byte
    read(bytes(content))
