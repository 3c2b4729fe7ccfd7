"""What could not be fetched: an address, a flake's input, a package set that is pinned."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nixdock.errors import BuildError
from nixdock.hints import as_root
from nixdock.nix.evaluation import BrokenDownloadError
from nixdock.nix.sources import OF_ARGUMENTS
from nixdock.nix.target import FLAKE_FILE
from nixdock.text import split_lines

if TYPE_CHECKING:
    from nixdock.nix.build_log import Message
    from nixdock.nix.sources import Sources

DOWNLOAD: Final = re.compile(r"unable to download '(?P<uri>[^']+)': (?P<reason>[^\n]*)")
"""What Nix says of what it could not fetch."""
_INPUT: Final = re.compile(
    r"while (?:updating the flake input '(?P<name>[^']+)'|fetching the input '(?P<reference>[^']+)'"
    r"(?!\s+… while updating the flake input))"
)
_PINNED: Final = re.compile(r"nixpkgs|nixos|flake-compat", re.IGNORECASE)
_TRY_AGAIN: Final = "check the network, then try again"
_OWN_PACKAGES: Final = "; --nixpkgs offline takes nixdock's own package set in place of the input nixpkgs"
_GONE: Final = re.compile(r"HTTP error '?(?:404|410)")
_BROKEN_OFF: Final = re.compile(
    r"Transferred a partial file|Failure when receiving data|Server returned nothing"
)
"""curl's words for an answer that ended too early (its CURLE_PARTIAL_FILE, RECV_ERROR and GOT_NOTHING)."""


def explain_fetch(error: Message, sources: Sources, *, offline: bool, is_flake: bool) -> BuildError | None:
    """Return the error of what an evaluation could not fetch; None where that is not what failed.

    Args:
        error: What Nix said.
        sources: The user's own files.
        offline: Whether the package set is nixdock's own.
        is_flake: Whether a flake is evaluated.
    """
    download = DOWNLOAD.search(error.sentence)
    fetched = _INPUT.search(error.text) if is_flake else None
    if fetched:
        reason = download["reason"].rstrip() if download else split_lines(error.sentence)[0]
        return _explain_input(fetched, reason, sources, offline=offline)
    if download is None:
        return None
    return _place_download(explain_download(download, is_flake=is_flake), error, sources)


def _explain_input(fetched: re.Match[str], reason: str, sources: Sources, *, offline: bool) -> BuildError:
    """Return the error of a flake's input that cannot be fetched: its name and its line, not an address."""
    name = (fetched["name"] or "").partition("/")[0]
    # With a lock file Nix tells what is fetched, not for which input.
    repository = re.sub(r"^[\w+]+:(?://[^/]+/)?|[?#].*", "", fetched["reference"] or "")
    shown = name or "/".join(repository.split("/")[:2])
    file = sources.flake / FLAKE_FILE if sources.flake else None
    place = sources.find_name(shown, file=file) if file else None
    where = f"{sources.tell(place)}: " if place else ""
    hint = f"--override-input {name or 'NAME'} PATH takes a copy of yours; or {_TRY_AGAIN}"
    if not offline:
        hint += _OWN_PACKAGES
    kind = BrokenDownloadError if _BROKEN_OFF.search(reason) else BuildError
    details = sources.excerpt(place) if place else None
    return kind(f"{where}the input '{shown}' cannot be fetched: {reason}", hint=hint, details=details)


def explain_download(download: re.Match[str], *, is_flake: bool = False) -> BuildError:
    """Return the error of an address that could not be fetched.

    Args:
        download: What `DOWNLOAD` found.
        is_flake: Whether a flake is evaluated.
    """
    uri, reason = download["uri"], download["reason"].rstrip()
    if _GONE.search(reason):
        return BuildError(
            f"{uri} does not exist (any more): {reason}",
            hint=hint_for_packages(uri) or "correct its address in the expression",
        )
    hint = _TRY_AGAIN + (_OWN_PACKAGES if is_flake else "")
    kind = BrokenDownloadError if _BROKEN_OFF.search(reason) else BuildError
    return kind(f"{uri} cannot be downloaded: {reason}", hint=hint)


def _place_download(explained: BuildError, error: Message, sources: Sources) -> BuildError:
    """Say which line fetches what cannot be had, and what else the package set could be."""
    place = sources.find_place(error)
    if place is None or (where := sources.tell(place)) == OF_ARGUMENTS:
        return explained
    explained.message = f"{where}: {explained.message}"
    explained.details = sources.excerpt(place)
    if _PINNED.search(explained.message):
        # The first argument of a function whose default is what is fetched.
        argument = re.match(r"(?:\s|#[^\n]*)*\{[^}]*?\b(pkgs|nixpkgs)\s*\?", sources.text_from(place).whole)
        packages = "'import <nixpkgs> { }'" if argument and argument[1] == "pkgs" else "'<nixpkgs>'"
        way = f"--arg {argument[1]} {packages}" if argument else "write <nixpkgs> in its place: that"
        explained.hint = f"{way} takes this machine's package set instead; or {explained.hint}"
    return explained


def hint_for_packages(name: str) -> str | None:
    """Return what helps where a Debian package is not what apt's lists say."""
    if not name.endswith(".deb"):
        return None
    return f"the mirror has moved on since apt last looked: {as_root('apt-get update')}, then try again"
