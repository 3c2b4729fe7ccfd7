"""`snapshot`: what the image is, compared with what was recorded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.checks.format.shapes import OneOf, Schema, Shape
from nixdock.checks.masking import mask_store_hashes
from nixdock.checks.matchers.text import RecordedIn
from nixdock.checks.model import StaticKind
from nixdock.checks.modes import symbolic
from nixdock.checks.verdict import CheckResult

if TYPE_CHECKING:
    from pathlib import Path

    from nixdock.checks.format.nodes import Node, Problems
    from nixdock.checks.subject import Subject

_WHAT = OneOf(("config", "files"))


@dataclass(frozen=True, slots=True)
class SnapshotCheck(StaticKind):
    """What the image is, compared with what was recorded.

    Args:
        of: `config`, or the list of all `files`.
        file: The recording.
        update: Whether it is to be recorded anew.
    """

    of: str
    file: Path
    update: bool = False

    kind = "snapshot"
    about = "`config` or `files`, as recorded by `--update`"

    @classmethod
    def value(cls) -> Shape[SnapshotCheck]:
        """One of the words; the recording is named after it."""
        return _SnapshotShape()

    def judge(self, subject: Subject) -> CheckResult:
        """Compare with what was recorded."""
        result = CheckResult()
        recorded = RecordedIn(self.of, self.file, update=self.update)
        result.judge(self.of, recorded, snapshot_text(self, subject))
        return result


@dataclass(frozen=True, slots=True)
class _SnapshotShape(Shape[SnapshotCheck]):
    """What is recorded."""

    def read(self, node: Node, problems: Problems) -> SnapshotCheck:
        """Return what is recorded, and where."""
        what = _WHAT.read(node, problems)
        if problems.snapshots is None:
            message = "a snapshot needs a folder to be recorded in: these expectations are in no file"
            raise problems.fail(node.place, message)
        return SnapshotCheck(what, problems.snapshots / f"image-{what}.txt", problems.update)

    def schema(self) -> Schema:
        """An enumeration."""
        return _WHAT.schema()


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
