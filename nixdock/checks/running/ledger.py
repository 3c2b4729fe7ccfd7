"""The verdicts of a suite as they come: told in the order of the checks, and what the first failure stops."""

from __future__ import annotations

from dataclasses import replace
from threading import Event, Lock
from typing import TYPE_CHECKING

from nixdock.checks.verdict import Finding, Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nixdock.checks.model import Check


class VerdictLedger:
    """Collects verdicts from several threads.

    Args:
        names: Of the checks, in the order in which their verdicts are told.
        fail_fast: Whether the first failure or error stops what has not begun.
    """

    def __init__(self, names: Sequence[str], *, fail_fast: bool) -> None:
        self._names = names
        self._fail_fast = fail_fast
        self._lock = Lock()
        self._verdicts: dict[str, Verdict] = {}
        self._told = 0
        self.stopped = Event()

    def note(self, verdict: Verdict, check: Check | None = None) -> None:
        """Take a verdict; of a check that is expected to fail, turn it round."""
        if check is not None and check.xfail is not None:
            verdict = turn_round(verdict, check.xfail)
        with self._lock:
            if verdict.name in self._verdicts:
                return
            self._verdicts[verdict.name] = verdict
            if self._fail_fast and verdict.status in {Status.FAIL, Status.ERROR}:
                self.stopped.set()

    def take(self) -> Iterator[Verdict]:
        """Yield the verdicts that were not taken yet, each once all before it are known."""
        while self._told < len(self._names) and self._names[self._told] in self._verdicts:
            self._told += 1
            yield self._verdicts[self._names[self._told - 1]]

    def failed(self, names: Iterable[str]) -> bool:
        """Whether one of these checks failed."""
        with self._lock:
            return any(
                name in self._verdicts and self._verdicts[name].status is Status.FAIL for name in names
            )

    def missing(self) -> tuple[str, ...]:
        """Return the names of the checks that have no verdict yet."""
        with self._lock:
            return tuple(name for name in self._names if name not in self._verdicts)

    def verdicts(self) -> tuple[Verdict, ...]:
        """Return the verdicts that there are, in the checks' order."""
        with self._lock:
            return tuple(self._verdicts[name] for name in self._names if name in self._verdicts)


def turn_round(verdict: Verdict, reason: str) -> Verdict:
    """Return the verdict of a check that is expected to fail: it is bad news when it does not."""
    if verdict.status is Status.FAIL:
        return replace(verdict, status=Status.SKIP, reason=f"it fails, as expected: {reason}", findings=())
    if verdict.status is Status.PASS:
        finding = Finding("xfail", f"it holds, and was expected to fail: {reason}")
        return replace(verdict, status=Status.FAIL, findings=(finding,))
    return verdict
