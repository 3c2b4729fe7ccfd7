"""Record the licences of Debian's packages for the offline package set, from `.deb` files that are at hand.

    python scripts/record_licenses.py /nix/store/*.deb

It adds to `nixdock/nixpkgs/debian/licenses.json`: by the package's Debian name the SPDX identifier of what
its machine-readable copyright file says of most files (`Files: *`). A licence that is not plain there, one of
two for instance, is not recorded.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import nixdock.nixpkgs
from nixdock.nixpkgs.debian.builders.deb import NotADebError, open_files

FILE = Path(nixdock.nixpkgs.__file__).parent / "debian/licenses.json"
COPYRIGHT = re.compile(r"(?:\./)?usr/share/doc/([^/]+)/copyright")
UNNAMED = re.compile(r".*-(dev|doc|data|common|dbg)|gir1\.2-.*|golang-.*|librust-.*|node-.*|fonts-.*")
"""Packages that nobody asks for their licence by a name of nixpkgs."""
OF_A_VERSION = re.compile(r"^(postgresql)-\d+$")
"""What the package without a version, whose copyright is another's, stands for."""

SPDX = {
    "apache-2": "Apache-2.0",
    "apache-2.0": "Apache-2.0",
    "artistic-2.0": "Artistic-2.0",
    "boost-1.0": "BSL-1.0",
    "bsl-1.0": "BSL-1.0",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "bsd-4-clause": "BSD-4-Clause",
    "cc0-1.0": "CC0-1.0",
    "curl": "curl",
    "expat": "MIT",
    "isc": "ISC",
    "mit": "MIT",
    "mpl-2.0": "MPL-2.0",
    "openldap-2.8": "OLDAP-2.8",
    "postgresql": "PostgreSQL",
    "python-2.0": "Python-2.0",
    "vim": "Vim",
    "zlib": "Zlib",
    "zlib/libpng": "Zlib",
}
GNU = re.compile(r"(a|l)?gpl-([0-9.]+)(\+?)")


def identify(name: str) -> str | None:
    """Return the SPDX identifier of a licence by Debian's short name.

    >>> identify("GPL-2+")
    'GPL-2.0-or-later'
    >>> identify("Expat")
    'MIT'
    >>> identify("GPL-2 or Artistic") is None
    True
    """
    short = name.strip().lower()
    if found := GNU.fullmatch(short):
        kind, version, later = found.groups()
        version = version if "." in version else f"{version}.0"
        return f"{(kind or '').upper()}GPL-{version}-{'or-later' if later else 'only'}"
    return SPDX.get(short)


def main_licence(copyright_file: str) -> str | None:
    """Return the identifier of what most files are under, None where it is not plain."""
    for stanza in re.split(r"\n\s*\n", copyright_file):
        if re.search(r"(?m)^Files:\s*\*\s*$", stanza) and (found := re.search(r"(?m)^License:(.*)$", stanza)):
            return identify(found.group(1))
    return None


def read(deb: Path) -> tuple[str, str] | None:
    """Return a package's name and its copyright file."""
    with open_files(deb) as tar:
        for member in tar:
            found = COPYRIGHT.fullmatch(member.name)
            content = tar.extractfile(member) if found and member.isfile() else None
            if found and content is not None:
                return OF_A_VERSION.sub(r"\1", found.group(1)), content.read().decode(errors="replace")
    return None


def main(debs: list[Path]) -> None:
    """Record the licences of these packages beside those that are recorded."""
    recorded = json.loads(FILE.read_text())
    for deb in debs:
        try:
            found = read(deb)
        except (NotADebError, OSError):
            continue
        if found and not UNNAMED.fullmatch(found[0]) and (licence := main_licence(found[1])):
            recorded[found[0]] = licence
    rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(recorded[name])}" for name in sorted(recorded))
    FILE.write_text(f"{{\n{rows}\n}}\n")


if __name__ == "__main__":
    main([Path(word) for word in sys.argv[1:]])
