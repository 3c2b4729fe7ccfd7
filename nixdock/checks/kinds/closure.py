"""`closure`: which store paths are in the image, under which licences, and whether all are there."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.checks.files.store import list_store_paths, matches_any
from nixdock.checks.format.matcher_shapes import BoundsShape
from nixdock.checks.format.records import key, record_of, required
from nixdock.checks.format.shapes import Flag, ListOf, MapOf, Text
from nixdock.checks.model import StaticKind
from nixdock.checks.verdict import CheckResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nixdock.checks.matchers.algebra import Between
    from nixdock.checks.subject import Subject


_PATTERNS = ListOf(Text("a pattern such as '*-dev'"), single=True)
_NAMES = MapOf(ListOf(Text(), single=True))


@dataclass(frozen=True, slots=True)
class Licences:
    """What licences the store paths of an image may have."""

    of: Mapping[str, tuple[str, ...]] = required(
        _NAMES, "What is known: a pattern of store path names to SPDX identifiers."
    )
    allow: tuple[str, ...] = key(_PATTERNS, "Patterns of licences that are allowed; any unless told.", ())
    forbid: tuple[str, ...] = key(_PATTERNS, "Patterns of licences that are not.", ())
    unknown: bool = key(
        Flag(), "Whether a licence that is not known is allowed; true unless told.", default=True
    )


@dataclass(frozen=True, slots=True)
class ClosureCheck(StaticKind):
    """What may be among the store paths of an image."""

    forbid: tuple[str, ...] = key(_PATTERNS, "Patterns of store path names that may not be in the image.", ())
    allow: tuple[str, ...] = key(
        _PATTERNS, "Patterns of store path names; nothing else may be in the image.", ()
    )
    licences: Licences | None = key(
        record_of(Licences, "licences"), "What licences the store paths may have."
    )
    complete: bool = key(Flag(), "Every store path that is referred to must be in the image.", default=False)
    count: Between | None = key(BoundsShape(bare="max"), "The number of store paths.")

    kind = "closure"
    about = "`forbid`, `allow`, `count`, `complete`, `licences` (`of`, `allow`, `forbid`, `unknown`)"

    def judge(self, subject: Subject) -> CheckResult:
        """Judge the store paths; a path that should not be there is shown with what brought it in."""
        result = CheckResult()
        names = list_store_paths(subject.tree())
        if not names:
            result.notes.append("the image has no store paths")
        for name in names:
            if matches_any(name, self.forbid):
                result.find("forbid", f"/nix/store/{name} is in the image", _chain(subject, name))
            elif self.allow and not matches_any(name, self.allow):
                result.find("allow", f"/nix/store/{name} is in the image", _chain(subject, name))
        if self.licences is not None:
            _judge_licences(self.licences, names, subject, result)
        result.judge("count", self.count, len(names))
        if self.complete:
            for missing in subject.store_paths.missing():
                result.find(
                    "complete",
                    f"/nix/store/{missing.name} is not in the image, and {missing.origin} names it",
                )
        return result


def _chain(subject: Subject, name: str) -> str:
    lines = subject.store_paths.chain(name)
    return "\n".join(lines) or "nothing else in the image refers to it: it was put in by itself"


def _judge_licences(policy: Licences, names: Sequence[str], subject: Subject, result: CheckResult) -> None:
    unknown: list[str] = []
    for name in names:
        licences = [
            licence
            for pattern, known in policy.of.items()
            if matches_any(name, (pattern,))
            for licence in known
        ]
        if not licences:
            unknown.append(name)
        for licence in licences:
            forbidden = _is_one_of(licence, policy.forbid)
            if forbidden or (policy.allow and not _is_one_of(licence, policy.allow)):
                message = f"/nix/store/{name} has the licence {licence}"
                result.find("licences", message, _chain(subject, name))
    if unknown and not policy.unknown:
        for name in unknown:
            result.find("licences", f"the licence of /nix/store/{name} is not known")
    elif unknown:
        result.notes.append(f"licences of {len(unknown)} of {len(names)} store paths are not known")


def _is_one_of(licence: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(licence.lower(), pattern.lower()) for pattern in patterns)
