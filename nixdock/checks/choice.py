"""Which checks are run: by name, by tag, until the first failure; and how many at a time."""

from __future__ import annotations

import fnmatch
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixdock.checks.model import Check


def default_jobs() -> int:
    """Return how many checks run at a time unless told: one for each processor that we may use, and one."""
    return len(os.sched_getaffinity(0)) + 1


@dataclass(frozen=True, slots=True)
class Choice:
    """Which checks are run.

    Args:
        patterns: `--filter`: patterns of names, or pieces of them; all names when empty. One that
            begins with `!` leaves out.
        tags: `--tag`: a check needs one of them; all checks when empty. One that begins with `!`
            leaves out.
        fail_fast: Whether nothing more is begun after the first failure.
        jobs: How many checks run at a time.
    """

    patterns: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    fail_fast: bool = False
    jobs: int = 1

    def includes(self, check: Check) -> bool:
        """Whether a check is chosen."""
        return self.includes_name(check.name, check.tags)

    def includes_name(self, name: str, tags: tuple[str, ...] = ()) -> bool:
        """Whether what has this name and these tags is chosen."""
        return _chosen(self.patterns, lambda pattern: _matches(name, pattern)) and _chosen(
            self.tags, lambda tag: tag in tags
        )


def _chosen(words: tuple[str, ...], holds: Callable[[str], bool]) -> bool:
    wanted = [word for word in words if not word.startswith("!")]
    unwanted = [word[1:] for word in words if word.startswith("!")]
    return (not wanted or any(map(holds, wanted))) and not any(map(holds, unwanted))


def _matches(name: str, pattern: str) -> bool:
    if any(sign in pattern for sign in "*?["):
        return fnmatch.fnmatchcase(name, pattern)
    return pattern in name
