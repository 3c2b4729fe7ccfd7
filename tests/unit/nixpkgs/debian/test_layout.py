"""Where Debian's files are in a store path."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from nixdock.nixpkgs.debian.builders.tree import is_wanted, place


@pytest.mark.parametrize(
    ("path", "placed"),
    [
        ("usr/bin/hello", "bin/hello"),
        ("bin/bash", "bin/bash"),
        ("usr/sbin/nginx", "bin/nginx"),
        ("sbin/mount.nfs", "bin/mount.nfs"),
        ("usr/games/cowsay", "bin/cowsay"),
        ("usr/lib/x86_64-linux-gnu/libz.so.1", "lib/x86_64-linux-gnu/libz.so.1"),
        ("lib/x86_64-linux-gnu/libz.so.1", "lib/x86_64-linux-gnu/libz.so.1"),
        ("lib64/ld-linux-x86-64.so.2", "lib/ld-linux-x86-64.so.2"),
        ("usr/share/zoneinfo/UTC", "share/zoneinfo/UTC"),
        ("etc/nginx/nginx.conf", "etc/nginx/nginx.conf"),
        ("usr", ""),
        ("usr/share/sbin/x", "share/sbin/x"),
        ("usr/libexec/x", "libexec/x"),
        ("sbinx", "sbinx"),
    ],
)
def test_place(path: str, placed: str) -> None:
    assert place(path) == placed


@pytest.mark.parametrize(
    ("placed", "wanted"),
    [
        ("bin/hello", True),
        ("share/doc/hello/copyright", False),
        ("share/documents", True),
        ("share/man/man1/hello.1.gz", False),
        ("share/locale/de/LC_MESSAGES/hello.mo", False),
        ("etc/init.d/nginx", False),
        ("etc/nginx/nginx.conf", True),
        ("lib/systemd/system/nginx.service", False),
        ("lib/systemd/libsystemd-shared-252.so", True),
        ("lib/udev/rules.d/60-x.rules", False),
    ],
)
def test_is_wanted(placed: str, wanted: bool) -> None:
    assert is_wanted(placed) is wanted


def test_nobody_is_told_of_an_etc_that_is_aside() -> None:
    text = Path(str(files("nixdock") / "nixpkgs/debian/adjustments.nix")).read_text()
    assert '"$out/etc' not in text, "what was /etc is in $out/share/etc, but for units that say `etc` why not"
