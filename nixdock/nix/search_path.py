"""Where Nix would look for `<nixpkgs>`, found without starting an evaluation.

The rules are those of the manual's chapter on NIX_PATH, as Nix 2.8 and the current ones have them: the
variable counts when it is set, even to nothing; then the setting `nix-path`; then the channels of the
user and those of root.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nixdock.settings import is_there

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_REMOTE = re.compile(r"^(https?|git|git\+\w+|channel|flake|github|gitlab|tarball|ssh|s3|ftp):")
_ENTRY = re.compile(r":(?!//)")
_SETTING = re.compile(r"^[^\S\n]*(extra-)?nix-path[^\S\n]*=[^\S\n]*(.*?)[^\S\n]*(?:#.*)?$", re.MULTILINE)
_ROOT_CHANNELS = "nix/profiles/per-user/root/channels"


@dataclass(frozen=True, slots=True)
class FoundNixpkgs:
    """What `<nixpkgs>` is, and who says so.

    Attributes:
        target: A path, or something that Nix fetches (`channel:…`, `https:…`).
        origin: Where it is said, in words.
    """

    target: str
    origin: str


def find(environ: Mapping[str, str], *, name: str = "nixpkgs") -> FoundNixpkgs | None:
    """Return what `<name>` is to Nix in this environment, or None where it is nothing."""
    if "NIX_PATH" in environ:
        return _search(split(environ["NIX_PATH"]), name, "NIX_PATH")
    configured = list(_configured(environ))
    if configured:
        return _search(configured, name, "nix.conf")
    return _search(list(_channels(environ)), name, "the channels")


def is_remote(target: str) -> bool:
    """Say whether Nix fetches this, rather than finds it on the machine."""
    return bool(_REMOTE.match(target))


def split(text: str) -> list[str]:
    """Return the entries of a search path; the colon of a URI or of `channel:` separates nothing.

    >>> split("nixpkgs=https://example.test/a.tar.gz:/home/me/nix")
    ['nixpkgs=https://example.test/a.tar.gz', '/home/me/nix']
    """
    entries: list[str] = []
    for piece in _ENTRY.split(text):
        if entries and re.search(r"(^|=)(channel|flake|github|gitlab)$", entries[-1]):
            entries[-1] += ":" + piece
        elif piece:
            entries.append(piece)
    return entries


def _search(entries: list[str], name: str, origin: str) -> FoundNixpkgs | None:
    for entry in entries:
        prefix, separator, target = entry.partition("=")
        if not separator:
            below = Path(entry) / name
            if not is_remote(entry) and is_there(below):
                return FoundNixpkgs(str(below), origin)
        elif prefix == name and (is_remote(target) or is_there(Path(target))):
            return FoundNixpkgs(target, origin)
    return None


def _configured(environ: Mapping[str, str]) -> Iterator[str]:
    folder = Path(environ.get("NIX_CONF_DIR") or "/etc/nix")
    home = environ.get("XDG_CONFIG_HOME") or f"{environ.get('HOME', '')}/.config"
    plain: list[str] = []
    extra: list[str] = []
    for text in (
        _read(folder / "nix.conf"),
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
    # Nix 2.8 has this folder wherever its state is; its later ones go by the state's folder.
    for root in dict.fromkeys((f"{state}/profiles/per-user/root/channels", f"/nix/var/{_ROOT_CHANNELS}")):
        yield f"nixpkgs={root}/nixpkgs"
        yield root


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
