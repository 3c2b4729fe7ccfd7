"""Debian packages are read; other files are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nixdock.nixpkgs.debian.builders.deb import NotADebError, open_files, read_script

from . import make

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("compression", ["xz", "gz", "bz2", ""])
def test_files(tmp_path: Path, compression: str) -> None:
    file = make.deb(tmp_path / "a.deb", {"usr/bin/a": ("exec", b"x")}, compression=compression)
    with open_files(file) as tar:
        assert [member.name for member in tar] == ["./usr/bin/a"]


def test_script(tmp_path: Path) -> None:
    file = make.deb(tmp_path / "a.deb", {}, postinst="#!/bin/sh\necho\n")
    assert read_script(file, "postinst") == "#!/bin/sh\necho\n"
    assert read_script(file, "prerm") == ""


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is not a Debian package"),
        (b"PK\x03\x04", "is not a Debian package"),
        (make.archive({"debian-binary": b"2.0\n"}), "holds no data.tar"),
        (make.archive({"debian-binary": b"2.0\n", "data.tar.zst": b""}), "compression zst is not supported"),
    ],
)
def test_other_files(tmp_path: Path, content: bytes, complaint: str) -> None:
    file = tmp_path / "a.deb"
    file.write_bytes(content)
    with pytest.raises(NotADebError, match=complaint), open_files(file):
        pass
