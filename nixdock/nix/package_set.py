"""Which package set `<nixpkgs>` is: the one named, the one configured, or nixdock's own.

What is configured is found without starting an evaluation. The rules are those of the manual's chapter on
NIX_PATH, as Nix 2.8 and the current ones have them: the variable counts when it is set, even to nothing;
then the setting `nix-path`; then the channels of the user and those of root.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from nixdock.errors import UsageError
from nixdock.events import Listener, ignore
from nixdock.nixpkgs.assembly import offline_set
from nixdock.settings import is_there

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_REMOTE = re.compile(r"^(https?|git|git\+\w+|channel|flake|github|gitlab|tarball|ssh|s3|ftp):")
_ENTRY = re.compile(r":(?!//)")
_SETTING = re.compile(r"^[^\S\n]*(extra-)?nix-path[^\S\n]*=[^\S\n]*(.*?)[^\S\n]*(?:#.*)?$", re.MULTILINE)
_ROOT_CHANNELS = "nix/profiles/per-user/root/channels"


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
        if not is_remote(named) and not is_there(Path(named)):
            raise UsageError(f"--nixpkgs: {named} does not exist")
        target = named if is_remote(named) else str(Path(named).absolute())
        return PackageSet(ChosenBy.NAMED, target, f"{named} (--nixpkgs)")
    found = None if named else find_configured(os.environ if environ is None else environ)
    if found is not None and not offline_set.is_kept_here(Path(found.target)):
        return found
    return PackageSet(
        ChosenBy.OFFLINE,
        str(offline_set.materialise(listener)),
        "the offline package set, of this machine's Debian",
    )


def find_configured(environ: Mapping[str, str]) -> PackageSet | None:
    """Return what `<nixpkgs>` is to Nix in this environment, or None where it is nothing."""
    if "NIX_PATH" in environ:
        return _search(split_search_path(environ["NIX_PATH"]), "NIX_PATH")
    configured = list(_configured(environ))
    if configured:
        return _search(configured, "nix.conf")
    return _search(list(_channels(environ)), "the channels")


def is_remote(target: str) -> bool:
    """Say whether Nix fetches this, rather than finds it on the machine."""
    return bool(_REMOTE.match(target))


def split_search_path(text: str) -> list[str]:
    """Return the entries of a search path; the colon of a URI or of `channel:` separates nothing.

    >>> split_search_path("nixpkgs=https://example.test/a.tar.gz:/home/me/nix")
    ['nixpkgs=https://example.test/a.tar.gz', '/home/me/nix']
    """
    entries: list[str] = []
    for piece in _ENTRY.split(text):
        if entries and re.search(r"(^|=)(channel|flake|github|gitlab)$", entries[-1]):
            entries[-1] += ":" + piece
        elif piece:
            entries.append(piece)
    return entries


def _search(entries: list[str], said_by: str) -> PackageSet | None:
    def found(target: str) -> PackageSet:
        return PackageSet(ChosenBy.CONFIGURED, target, f"{target} (by {said_by})")

    for entry in entries:
        prefix, separator, target = entry.partition("=")
        if not separator:
            below = Path(entry) / "nixpkgs"
            if not is_remote(entry) and is_there(below):
                return found(str(below))
        elif prefix == "nixpkgs" and (is_remote(target) or is_there(Path(target))):
            return found(target)
    return None


def _configured(environ: Mapping[str, str]) -> Iterator[str]:
    directory = Path(environ.get("NIX_CONF_DIR") or "/etc/nix")
    home = environ.get("XDG_CONFIG_HOME") or f"{environ.get('HOME', '')}/.config"
    plain: list[str] = []
    extra: list[str] = []
    for text in (
        _read(directory / "nix.conf"),
        _read(Path(home) / "nix/nix.conf"),
        environ.get("NIX_CONFIG", ""),
    ):
        for more, value in _SETTING.findall(text):
            if more:
                extra += value.split()
            else:
                plain = value.split()
    yield from plain or (list(_channels(environ)) if extra else [])
    yield from extra


def _channels(environ: Mapping[str, str]) -> Iterator[str]:
    home = environ.get("HOME", "")
    state = environ.get("NIX_STATE_DIR") or "/nix/var/nix"
    xdg = environ.get("XDG_STATE_HOME") or f"{home}/.local/state"
    yield f"{home}/.nix-defexpr/channels"
    yield f"{xdg}/nix/defexpr/channels"
    # Nix 2.8 has this directory wherever its state is; its later ones go by the state's directory.
    for root in dict.fromkeys((f"{state}/profiles/per-user/root/channels", f"/nix/var/{_ROOT_CHANNELS}")):
        yield f"nixpkgs={root}/nixpkgs"
        yield root


def default_search_path(environ: Mapping[str, str]) -> list[Path]:
    """Return where Nix looks for packages where nobody says so, whether or not something is there."""
    return [Path(entry.rpartition("=")[2]) for entry in _channels(environ)]


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
