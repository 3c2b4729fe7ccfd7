"""Asking apt for another architecture than the machine's, without adding that to the machine.

`dpkg --add-architecture` would change the system. A private configuration does not: the machine's own
Debian repositories, asked for their lists of the other architecture, in a folder of ours.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from nixdock.errors import BuildError
from nixdock.nixpkgs.assembly.apt import Apt

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nixdock.nixpkgs.assembly.apt import Index

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
"""Debian's own keys, where its package `debian-archive-keyring` has them."""


@contextmanager
def ask_for(architecture: str, native: Sequence[Index]) -> Iterator[Apt]:
    """Give apt as a machine of another architecture sees it, with lists that are fetched for the while.

    Args:
        architecture: Debian's name of it (`arm64`).
        native: The machine's own indexes: their repositories are asked.

    Raises:
        BuildError: The lists cannot be had, or Debian has none for it.
    """
    with tempfile.TemporaryDirectory(prefix="nixdock-apt-") as scratch:
        asked = _configure(Path(scratch), architecture, native)
        asked.update()
        try:
            asked.indexes()
        except BuildError as error:
            codenames = ", ".join(sorted({one.codename for one in native}))
            raise BuildError(
                f"Debian ({codenames}) has no packages for {architecture}",
                hint="what it lacks is in the real nixpkgs: --nixpkgs PATH",
            ) from error
        yield asked


def _configure(folder: Path, architecture: str, native: Sequence[Index]) -> Apt:
    sources = folder / "sources.list"
    entries = {(one.repository, one.release, one.component) for one in native}
    sources.write_text("".join(f"deb {' '.join(entry)}\n" for entry in sorted(entries)), encoding="utf-8")
    (folder / "lists/partial").mkdir(parents=True)
    settings = {
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "Dir::State::lists": folder / "lists",
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        # Sources name their keys, indexes do not; keys of the machine's own count besides.
        "Dir::Etc::trusted": KEYRING,
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
    }
    return Apt(
        architecture=architecture,
        options=tuple(word for name, value in settings.items() for word in ("-o", f"{name}={value}")),
    )
