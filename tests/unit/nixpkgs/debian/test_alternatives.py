"""The links that a postinst asks for, in the words of real ones."""

from __future__ import annotations

import pytest

from nixdock.nixpkgs.debian.builders.deb import parse_alternatives

GAWK = """#!/bin/sh
set -e
case "$1" in
configure)
    update-alternatives \\
        --quiet \\
        --install /usr/bin/awk awk /usr/bin/gawk 10 \\
        --slave /usr/share/man/man1/awk.1.gz awk.1.gz /usr/share/man/man1/gawk.1.gz \\
        --slave /usr/bin/nawk nawk /usr/bin/gawk
    ;;
esac
"""
BLAS = (
    'update-alternatives --install "/usr/lib/x/libblas.so.3" libblas.so.3-x "/usr/lib/x/blas/libblas.so.3" 10'
)
VIM = """for i in vi view ex editor; do
    update-alternatives --install /usr/bin/$i $i /usr/bin/vim.basic 30
done
"""
NANO = "update-alternatives --install /usr/bin/editor editor /bin/nano 40\n"


@pytest.mark.parametrize(
    ("script", "links"),
    [
        (
            GAWK,
            {
                "/usr/bin/awk": "/usr/bin/gawk",
                "/usr/share/man/man1/awk.1.gz": "/usr/share/man/man1/gawk.1.gz",
                "/usr/bin/nawk": "/usr/bin/gawk",
            },
        ),
        (BLAS, {"/usr/lib/x/libblas.so.3": "/usr/lib/x/blas/libblas.so.3"}),
        (VIM, {}),
        (NANO, {}),
        ("# update-alternatives --install /usr/bin/a a /usr/bin/b 1", {}),
        ("update-alternatives --remove awk /usr/bin/gawk", {}),
        ("update-alternatives --install /usr/bin/a a", {}),
        ("update-alternatives --install '/usr/bin/a a", {}),
        ("", {}),
    ],
)
def test_links(script: str, links: dict[str, str]) -> None:
    assert parse_alternatives(script) == links
