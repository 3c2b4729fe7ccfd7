"""`closure`: which store paths are in the image, under which licences, and whether all are there."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from nixdock.checks.files.store import list_store_paths
from nixdock.checks.kinds.names import matches_any
from nixdock.checks.verdict import CheckResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nixdock.checks.model import ClosureCheck, Licences
    from nixdock.checks.subject import Subject


def judge_closure(check: ClosureCheck, subject: Subject) -> CheckResult:
    """Judge the store paths; a path that should not be there is shown with what brought it in."""
    result = CheckResult()
    names = list_store_paths(subject.tree())
    if not names:
        result.notes.append("the image has no store paths")
    for name in names:
        if matches_any(name, check.forbid):
            result.find("forbid", f"/nix/store/{name} is in the image", _chain(subject, name))
        elif check.allow and not matches_any(name, check.allow):
            result.find("allow", f"/nix/store/{name} is in the image", _chain(subject, name))
    if check.licences is not None:
        _judge_licences(check.licences, names, subject, result)
    if check.count is not None:
        result.add("count", check.count.judge(len(names)))
    if check.complete:
        for missing in subject.store_paths.missing():
            result.find(
                "complete", f"/nix/store/{missing.name} is not in the image, and {missing.origin} names it"
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
