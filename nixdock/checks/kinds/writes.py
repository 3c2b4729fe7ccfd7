"""`writes`: what the running container may have written into its own layer."""

from __future__ import annotations

import fnmatch
from bisect import bisect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nixdock.checks.agent import FOLDER
from nixdock.checks.format.records import key, record_of
from nixdock.checks.format.shapes import ListOf, Shape, Text
from nixdock.checks.running.idle_group import IdleGroup, IdleKind
from nixdock.checks.verdict import CheckResult, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nixdock.checks.running.live import LiveService
    from nixdock.engine.connection.responses import ContainerDetails

# What engines themselves make in a container, and some of them list as changes.
_ENGINES_OWN: Final = (
    FOLDER,
    "/dev",
    "/proc",
    "/sys",
    "/etc/hosts",
    "/etc/hostname",
    "/etc/resolv.conf",
    "/etc/mtab",
    "/.dockerenv",
    "/run/.containerenv",
)


@dataclass(frozen=True, slots=True)
class WritesCheck(IdleKind):
    """What the running container may have written into its own layer."""

    allow: tuple[str, ...] = key(
        ListOf(Text("a pattern"), single=True), "Patterns of paths that may be written.", ()
    )

    kind = "writes"
    about = "`allow`: patterns of paths that may be written (`docker diff`)"

    asks_writes = True
    is_late = True

    @classmethod
    def value(cls) -> Shape[WritesCheck]:
        """Nothing may be written where nothing is allowed."""
        return record_of(cls, cls.kind)

    def ask(self, live: LiveService, timeout: float) -> CheckResult:  # noqa: ARG002 - one question
        """Ask what the service's container changed."""
        result = self.judge(live.details(), live.engine.changes(live.container))
        result.reproduce = live.by_hand(f"docker diff {live.word}")
        return result

    def ask_idle(self, group: IdleGroup, timeout: float) -> CheckResult:  # noqa: ARG002 - one question
        """Ask what commands wrote in the idle containers."""
        written = group.written()
        if written is None:
            return CheckResult(notes=["no command was run in a container that could have written anything"])
        return self.judge(*written)

    def judge(self, details: ContainerDetails, changes: Iterable[tuple[int, str]]) -> CheckResult:
        """Judge what a container changed in its own layer.

        Args:
            details: The container, which knows its mounts.
            changes: What the engine lists: kind and path.
        """
        listed = sorted(changes, key=lambda change: change[1])
        paths = [path for _, path in listed]
        mounts = _mounts(details)
        found: list[Finding] = []
        for kind, path in listed:
            # A directory counts as changed when something in it does, and that is listed too.
            below = f"{path.rstrip('/')}/"
            at = bisect(paths, below)
            is_parent = kind == 0 and at < len(paths) and paths[at].startswith(below)
            not_its_own = (*_ENGINES_OWN, *mounts)
            on_the_way = kind != 2 and any(other.startswith(f"{path}/") for other in not_its_own)
            if is_parent or on_the_way or _is_below(path, not_its_own):
                continue
            if not any(
                fnmatch.fnmatchcase(path, pattern) or _is_below(path, (pattern,)) for pattern in self.allow
            ):
                what = {0: "changed", 1: "written", 2: "deleted"}.get(kind, "changed")
                found.append(Finding("writes", f"{path} was {what}"))
        return CheckResult(found)


def _mounts(details: ContainerDetails) -> tuple[str, ...]:
    listed = [str(mount.get("Destination")) for mount in details.raw.get("Mounts") or ()]
    temporary = (details.raw.get("HostConfig") or {}).get("Tmpfs") or {}
    return (*listed, *temporary)


def _is_below(path: str, directories: Iterable[str]) -> bool:
    return any(path == one or path.startswith(f"{one.rstrip('/')}/") for one in directories)
