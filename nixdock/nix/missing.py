"""A name that the offline package set lacks: where it is asked for, the names like it, the ways to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from nixdock.nix.build_log import Message, Position
    from nixdock.nix.sources import Sources

REAL_PACKAGES: Final = "--nixpkgs PATH takes the real nixpkgs"
_MISSING: Final = re.compile(
    r"attribute '(?P<attribute>[^']+)' missing"
    r"|undefined variable '(?P<variable>[^']+)'"
    # What callPackage says, in nixpkgs and in our own set, with the file or the line of the function.
    r"|[^\n]*Function called without required argument \"(?P<argument>[^\"]+)\" at (?P<file>/[^\n]*?)"
    r"(?::\d+)?(?:, did you mean (?P<near>[^\n?]+)\?)?'?"
)
_FUNCTION: Final = re.compile(r"(?:build|fetch|mk|make|write|run)[A-Z]\w*|\w+2nix")
_THROWN: Final = re.compile(r"(?:pkgs\.)?(?P<name>[A-Za-z_][\w+.-]*)(?: of [^:\n]+)?: ")
_MODULES: Final = re.compile(r"(?:^|\.)(?P<language>(?:python|perl|php|ruby|lua)\w*?)(?:Packages|\.pkgs)$")
_PACKAGES: Final = re.compile(r"/(?:packages|languages|pkgs/top-level)/")
"""Where package sets say what their names are: ours, and nixpkgs."""


@dataclass(frozen=True, slots=True)
class PackageNames:
    """The names in the offline package set.

    Args:
        own: The attributes of the set.
        debian: Those of its `debian`.
        python: Those of its modules of Python.
    """

    own: Collection[str]
    debian: Collection[str] = ()
    python: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Lacking:
    """A name that an expression asks for in vain.

    Args:
        name: The name.
        kind: What Nix takes it for: `attribute`, `variable`, or `argument` of what callPackage calls.
        place: Where in the user's own files it is asked for.
        near: The names like it that were told already, as they are shown.
    """

    name: str
    kind: str
    place: Position | None
    near: str | None = None


def find_lacking(sentence: str, place: Position | None, sources: Sources) -> Lacking | None:
    """Return the name that an error is about, and where the user wrote it; None where it is about none.

    Args:
        sentence: What Nix says.
        place: Where it says that this is.
        sources: The user's own files.
    """
    missing = _MISSING.fullmatch(sentence)
    if missing is None:
        return None
    kind = missing.lastgroup if missing.lastgroup in {"attribute", "variable"} else "argument"
    name = missing[kind]
    if kind == "argument":
        place = sources.find_name(name, file=Path(missing["file"])) or place
        near = missing["near"]
        return Lacking(name, kind, place, near and near.replace('"', ""))
    after = sources.text_from(place).after if place else ""
    if place and (name not in after or re.match(r"\s*inherit\b", after)):
        # Nix 2.8 places `inherit (pkgs) NAME` at the word before it, or before all of that.
        place = sources.find_name(name, after=place) or place
    return Lacking(name, kind, place)


def find_asked(error: Message, sources: Sources) -> Position | None:
    """Return where the user asks for a package that throws; None where no such place is found.

    Nix knows no place of an element of a list; the name that it evaluated stands in the user's file.

    Args:
        error: What Nix said.
        sources: The user's own files.
    """
    thrown = _THROWN.match(error.sentence)
    names = [name for name, place in error.attributes if place and _PACKAGES.search(place.file)]
    for name in (*([thrown["name"]] if thrown else []), *names):
        place = sources.find_name(name.rpartition(".")[2])
        if place:
            return place
    return None


def explain_lacking(
    lacking: Lacking, told: str, hint: str | None, sources: Sources, ask: Callable[[], PackageNames]
) -> tuple[str, str | None]:
    """Return the sentence and the hint for a name that the offline package set may lack.

    Args:
        lacking: The name.
        told: What Nix says.
        hint: What Nix advises.
        sources: The user's own files.
        ask: Asks the package set for its names.
    """
    name, place = lacking.name, lacking.place
    if place is None:
        return told, hint
    sentence = told
    language = None if lacking.kind == "argument" else _read_language(name, place, sources)
    if language:
        near = _name_near(name, ask().python if language.startswith("python") else ()) or hint
        lacks = f"the offline package set's {language} has no module '{name}'"
        return lacks, f"{near} {REAL_PACKAGES}" if near else REAL_PACKAGES
    if lacking.kind == "argument":
        sentence = f"the offline package set has no '{name}', which this function asks for"
        hint = f"did you mean {lacking.near}?" if lacking.near else None
    elif lacking.kind == "attribute":
        taken_from = _read_taken_from(name, place, sources)
        if taken_from is None:
            return told, hint
        if taken_from:
            # The names like it are Nix's own: all that such a set has are attributes there.
            lacks = (
                f"Debian has no package '{name}'"
                if taken_from == "debian"
                else f"the offline package set's '{taken_from}' has no '{name}'"
            )
            return lacks, f"{hint} {REAL_PACKAGES}" if hint else REAL_PACKAGES
        what = "function " if _FUNCTION.fullmatch(name) else ""
        sentence = f"the offline package set has no {what}'{name}'"
    elif not re.search(r"\bwith\b", sources.text_from(place).whole):
        return told, hint
    return sentence, _name_ways(name, hint, ask())


def _read_taken_from(name: str, place: Position, sources: Sources) -> str | None:
    """Return which set in the package set a name is taken from: "" is itself, None another one."""
    # Nix points at what the attribute is taken from, or at the name itself.
    taken = re.match(
        rf"\(?\w*pkgs\w*\b(?P<inner>.*?)\.{re.escape(name)}(?![\w'-])",
        sources.text_from(place).after,
        re.IGNORECASE,
    )
    if taken is None:
        return "" if sources.is_inherited_from_packages(place, name) else None
    inner = taken["inner"].rpartition(".")[2]
    return inner if re.fullmatch(r"[\w'-]+", inner) else ""


def _read_language(name: str, place: Position, sources: Sources) -> str | None:
    """Return the language whose module a name is: python3 in `python3.withPackages (ps: [ ps.NAME ])`."""
    text = sources.text_from(place)
    # Nix points at the set, or at the name in it.
    taken = re.match(rf"([\w'-]+)\.{re.escape(name)}(?![\w'-])", text.after)
    taken = taken or re.search(r"([\w'-]+)\.\Z", text.before)
    scopes = [taken[1]] if taken else re.findall(r"\bwith\s+([\w'.-]+)\s*;", text.before)[-1:]
    for scope in scopes:
        packages = _MODULES.search(scope)
        if packages:
            return packages["language"]
        functions = re.findall(rf"([\w'-]+)\.with\w+\s*\(\s*{re.escape(scope)}\s*:", text.before)
        if functions:
            return str(functions[-1])
    return None


def _name_near(name: str, names: Collection[str]) -> str | None:
    """Return a hint with those of the names that are like one."""
    from difflib import get_close_matches  # noqa: PLC0415  # only for mistakes

    close = get_close_matches(name, names, n=3, cutoff=0.7)
    return f"did you mean {' or '.join(close)}?" if close else None


def _name_ways(name: str, hint: str | None, names: PackageNames) -> str:
    """Return a hint with the names like one, and the other ways to what it names."""
    ways = REAL_PACKAGES
    # Nix names all that a few letters lead to: of so many names a handful.
    hint = _name_near(name, names.own) or hint
    if name in names.debian:
        ways = f"pkgs.debian.{name} is Debian's package of that name, {ways}"
    elif not _FUNCTION.fullmatch(name):
        ways = f"pkgs.debian.NAME is any other Debian package, {ways}"
    return f"{hint} {ways}" if hint else ways
