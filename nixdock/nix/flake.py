"""What a flake takes for its inputs where the offline package set takes the place of its nixpkgs.

A machine that cannot fetch nixpkgs cannot fetch the other inputs either. For those that most flakes have,
and that are no more than a few functions, the package set has its own: `nixpkgs/flakes/`.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nixdock import process
from nixdock.nix import command
from nixdock.nix.target import FLAKE_FILE
from nixdock.text import split_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGES: Final = re.compile(
    r"(?:^|flake:|[/:])(?:nixos/nixpkgs|nix-community/nixpkgs\.lib|nixpkgs)(?:[/?#.]|$)|channels\.nixos\.org",
    re.IGNORECASE,
)
"""References of nixpkgs, whatever the input is called."""

_STAND_INS: Final = (
    (re.compile(r"numtide/flake-utils(?:[/?#.]|$)|^(?:flake:)?flake-utils(?:/|$)"), "flake-utils"),
    (re.compile(r"hercules-ci/flake-parts(?:[/?#.]|$)|^(?:flake:)?flake-parts(?:/|$)"), "flake-parts"),
    (
        re.compile(r"(?:edolstra|nix-community)/flake-compat(?:[/?#.]|$)|^(?:flake:)?flake-compat(?:/|$)"),
        "flake-compat",
    ),
    (re.compile(r"nix-systems/([\w-]+)"), "systems"),
    (re.compile(r"^(?:flake:)?systems(?:/|$)"), "systems/default"),
)


@dataclass(frozen=True, slots=True)
class StandIns:
    """What stands in for a flake's inputs.

    Args:
        packages: The inputs that the package set itself stands in for.
        others: Those that have a stand-in of their own, each with its directory.
    """

    packages: tuple[str, ...] = ("nixpkgs",)
    others: tuple[tuple[str, str], ...] = ()

    def as_inputs(self, package_set: str) -> tuple[tuple[str, str], ...]:
        """Return what each of the inputs is, where the package set is this."""
        return (*((name, package_set) for name in self.packages), *self.others)


@dataclass(frozen=True, slots=True)
class Tracked:
    """The files of a Git work tree.

    Args:
        index: Where Git notes which they are.
        files: Those that it tracks.
    """

    index: Path
    files: tuple[Path, ...]


NO_STAND_INS: Final = StandIns()
"""Where nothing is known of a flake: what is named nixpkgs is."""


def find_stand_ins(directory: Path | None, package_set: Path) -> StandIns:
    """Return what stands in for the inputs of a flake; of one that is not on this machine, for nixpkgs alone.

    Args:
        directory: Where the flake is.
        package_set: The offline package set.
    """
    packages = list(NO_STAND_INS.packages)
    others = []
    for name, reference in _read_inputs(directory / FLAKE_FILE if directory else None):
        stand_in = _find_directory(reference, package_set / "flakes")
        if stand_in is not None:
            others.append((name, str(stand_in)))
        elif _PACKAGES.search(reference) and name not in packages:
            packages.append(name)
    return StandIns(tuple(packages), tuple(others))


def find_tracked(directory: Path) -> Tracked | None:
    """Return what Nix takes of a flake in a Git work tree; None where it is in none, or Git does not say."""
    try:
        asked = process.run(["git", "-C", directory, "rev-parse", "--show-toplevel", "--git-path", "index"])
        if not asked:
            return None
        top, index = split_lines(os.fsdecode(asked.stdout))
        listed = process.run(["git", "-C", top, "ls-files", "-z"])
    except (FileNotFoundError, ValueError):
        return None
    names = os.fsdecode(listed.stdout).split("\0")
    return (
        Tracked((directory / index).resolve(), tuple(Path(top, name) for name in names if name))
        if listed
        else None
    )


def _read_inputs(file: Path | None) -> Iterator[tuple[str, str]]:
    """Give a flake's inputs and what each refers to; nothing where it cannot be read: Nix says why."""
    if file is None:
        return
    outcome = process.run(command.list_inputs(file))
    inputs: dict[str, Any] = json.loads(outcome.stdout) if outcome else {}
    for name, reference in inputs.items():
        if isinstance(reference, str):
            yield name, reference


def _find_directory(reference: str, stand_ins: Path) -> Path | None:
    for pattern, name in _STAND_INS:
        found = pattern.search(reference)
        directory = stand_ins.joinpath(name, *(found.groups() if found else ()))
        if found and directory.is_dir():
            return directory
    return None
