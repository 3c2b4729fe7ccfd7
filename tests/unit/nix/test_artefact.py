from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from pathlib import Path

import pytest
import zstandard

from nixdock.nix.artefact import ArtefactForm, describe, recognise


def tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("manifest.json"))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        tar(),
        gzip.compress(tar()),
        zstandard.ZstdCompressor().compress(tar()),
        lzma.compress(tar()),
        bz2.compress(tar()),
    ],
    ids=["plain", "gzip", "zstd", "xz", "bzip2"],
)
def test_an_archive_is_known_by_its_content(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "named-otherwise"
    file.write_bytes(content)
    assert recognise(file) is ArtefactForm.ARCHIVE


def test_an_executable_script_writes_its_image(tmp_path: Path) -> None:
    file = tmp_path / "stream"
    file.write_text("#!/bin/sh\n")
    assert recognise(file) is None
    assert recognise(file, executable=True) is ArtefactForm.SCRIPT
    file.chmod(0o555)
    assert recognise(file) is ArtefactForm.SCRIPT


def test_a_json_file_may_describe_an_image(tmp_path: Path) -> None:
    file = tmp_path / "image.json"
    file.write_text('{"version": 1}')
    assert recognise(file) is ArtefactForm.DESCRIPTION


def test_a_folder_is_an_image_only_as_an_oci_layout(tmp_path: Path) -> None:
    assert recognise(tmp_path) is None
    (tmp_path / "oci-layout").write_text("{}")
    assert recognise(tmp_path) is ArtefactForm.OCI_LAYOUT


def test_what_is_no_image_is_described(tmp_path: Path) -> None:
    assert describe(tmp_path) == "an empty folder"
    for name in ("bin", "etc", "lib", "share", "var"):
        (tmp_path / name).mkdir()
    assert describe(tmp_path) == "a folder with bin, etc, lib, share …"
    file = tmp_path / "file"
    for content, words in (
        (b"", "an empty file"),
        (b"hello\n", "a text file of 6 bytes"),
        (b"\0\1", "a binary file of 2 bytes"),
        (b"#!/bin/sh\n", "a script that is not executable"),
        (b"\x7fELF" + bytes(80), "a program"),
    ):
        file.write_bytes(content)
        assert recognise(file) is None
        assert describe(file) == words
