"""`config`, `size` and `snapshot`: the image as a whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nixdock.checks.files.store import measure_store_paths
from nixdock.checks.kinds.names import matches_any
from nixdock.checks.masking import mask_store_hashes
from nixdock.checks.matchers.json_path import JsonPath
from nixdock.checks.matchers.text import RecordedIn
from nixdock.checks.modes import symbolic
from nixdock.checks.verdict import CheckResult
from nixdock.units import format_size

if TYPE_CHECKING:
    from nixdock.checks.model import ConfigCheck, SizeCheck, SnapshotCheck
    from nixdock.checks.subject import Subject

_LARGEST = 5


def judge_config(check: ConfigCheck, subject: Subject) -> CheckResult:
    """Compare fields of the config; no layer is read."""
    result = CheckResult()
    for field in check.fields:
        value = JsonPath(field.name, field.path).find(subject.config)
        result.add(field.name, field.matcher.judge(value))
    return result


def judge_size(check: SizeCheck, subject: Subject) -> CheckResult:
    """Compare with the budgets; what is large is named where one is exceeded."""
    result = CheckResult()
    sizes = [sum(entry.size for entry in index.entries) for index in subject.indexes()]
    if check.total is not None:
        for wrong in check.total.judge(sum(sizes)):
            result.find("size", wrong.message, _largest(subject))
    if check.layers is not None:
        result.add("layers", check.layers.judge(len(sizes)))
    if check.layer is not None:
        for number, size in enumerate(sizes, start=1):
            result.add(f"layer {number} of {len(sizes)}", check.layer.judge(size))
    if check.paths:
        _judge_paths(check, subject, result)
    return result


def _judge_paths(check: SizeCheck, subject: Subject, result: CheckResult) -> None:
    measured = measure_store_paths(subject.tree())
    for pattern, budget in check.paths.items():
        matching = [name for name in measured if matches_any(name, (pattern,))]
        if not matching:
            result.notes.append(f"no store path matches {pattern}")
        for name in matching:
            result.add(f"/nix/store/{name}", budget.judge(measured[name]))


def _largest(subject: Subject) -> str | None:
    measured = measure_store_paths(subject.tree())
    largest = sorted(measured.items(), key=lambda item: -item[1])[:_LARGEST]
    return "\n".join(f"{format_size(size):>9}  /nix/store/{name}" for name, size in largest) or None


def judge_snapshot(check: SnapshotCheck, subject: Subject) -> CheckResult:
    """Compare with what was recorded."""
    result = CheckResult()
    result.add(
        check.of, RecordedIn(check.of, check.file, update=check.update).judge(snapshot_text(check, subject))
    )
    return result


def snapshot_text(check: SnapshotCheck, subject: Subject) -> bytes:
    """Return the text that is recorded: the config, or the list of all files."""
    if check.of == "config":
        text = json.dumps(subject.config.get("config") or {}, indent=2, sort_keys=True, ensure_ascii=False)
        return f"{text}\n".encode(errors="surrogateescape")
    lines = [
        f"{symbolic(entry.kind, entry.mode)} {entry.uid}:{entry.gid} {entry.absolute}"
        + (f" -> {entry.target}" if entry.kind == "symlink" else "")
        for entry in subject.tree().walk()
    ]
    # Sorted without the hashes, which a rebuild changes.
    masked = sorted(mask_store_hashes(f"{line}\n".encode(errors="surrogateescape")) for line in lines)
    return b"".join(masked)
