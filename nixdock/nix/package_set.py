"""Which package set `<nixpkgs>` is: the one named, the one configured, or nixdock's own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from nixdock.errors import UsageError
from nixdock.events import Listener, ignore
from nixdock.nix import search_path
from nixdock.nixpkgs.assembly import offline_set
from nixdock.settings import is_there

if TYPE_CHECKING:
    from collections.abc import Mapping


class ChosenBy(Enum):
    """Who chose the package set."""

    NAMED = "named"
    """The user, by `--nixpkgs`."""
    CONFIGURED = "configured"
    """The machine, by NIX_PATH, nix.conf or channels."""
    OFFLINE = "offline"
    """nixdock, for want of any other: Debian's packages."""


@dataclass(frozen=True, slots=True)
class PackageSet:
    """What `<nixpkgs>` is.

    Attributes:
        kind: Who chose it.
        target: What to give Nix behind `-I nixpkgs=`: a path, or something that Nix fetches.
        origin: Where it comes from, in words for the user.
    """

    kind: ChosenBy
    target: str
    origin: str

    @property
    def is_offline(self) -> bool:
        """Whether it is nixdock's own."""
        return self.kind is ChosenBy.OFFLINE

    @property
    def sentence(self) -> str:
        """What the user is told of the choice."""
        return f"nixpkgs: {self.origin}"


def choose(
    named: str | None = None, *, environ: Mapping[str, str] | None = None, listener: Listener = ignore
) -> PackageSet:
    """Return the package set to use, and make the offline one where it is chosen.

    Args:
        named: What the user gave behind `--nixpkgs`: a path or something that Nix fetches; the word
            `offline` asks for nixdock's own set, whatever is configured.
        environ: The environment to look in; ours when None.
        listener: Told of the work.

    Raises:
        UsageError: The named path does not exist.
        BuildError: The offline set cannot be made on this machine.
    """
    if named is not None and named != "offline":
        if not search_path.is_remote(named) and not is_there(Path(named)):
            raise UsageError(f"--nixpkgs: {named} does not exist")
        target = named if search_path.is_remote(named) else str(Path(named).absolute())
        return PackageSet(ChosenBy.NAMED, target, f"{named} (--nixpkgs)")
    found = None if named else search_path.find(os.environ if environ is None else environ)
    if found is not None and not offline_set.is_kept_here(Path(found.target)):
        return PackageSet(ChosenBy.CONFIGURED, found.target, f"{found.target} (by {found.origin})")
    return PackageSet(
        ChosenBy.OFFLINE,
        str(offline_set.materialise(listener)),
        "the offline package set, of this machine's Debian",
    )
