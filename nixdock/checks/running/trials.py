"""Which checks are run, the trying of each until it holds or its time is up, and the verdicts as they come.

Whatever happens in a try becomes a verdict; verdicts are told in the order of the checks.
"""

from __future__ import annotations

import fnmatch
import os
import time
from dataclasses import dataclass, field, replace
from threading import Event, Lock
from typing import TYPE_CHECKING

from nixdock.checks.verdict import CheckResult, Finding, Status, Verdict
from nixdock.errors import NixdockError
from nixdock.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from nixdock.checks.model import Check
    from nixdock.checks.running.live import LiveService


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
        return not check.is_optional or (
            _chosen(self.patterns, lambda pattern: _matches(check.name, pattern))
            and _chosen(self.tags, lambda tag: tag in check.tags)
        )


def _chosen(words: tuple[str, ...], holds: Callable[[str], bool]) -> bool:
    wanted = [word for word in words if not word.startswith("!")]
    unwanted = [word[1:] for word in words if word.startswith("!")]
    return (not wanted or any(map(holds, wanted))) and not any(map(holds, unwanted))


def _matches(name: str, pattern: str) -> bool:
    if any(sign in pattern for sign in "*?["):
        return fnmatch.fnmatchcase(name, pattern)
    return pattern in name


class VerdictLedger:
    """Collects verdicts from several threads.

    Args:
        names: The checks' keys, in the order in which their verdicts are told.
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
        key = verdict.name if check is None else check.key
        with self._lock:
            if key in self._verdicts:
                return
            self._verdicts[key] = verdict
            if self._fail_fast and verdict.status in {Status.FAIL, Status.ERROR}:
                self.stopped.set()

    def take(self) -> Iterator[Verdict]:
        """Yield the verdicts that were not taken yet, each once all before it are known."""
        while self._told < len(self._names) and self._names[self._told] in self._verdicts:
            self._told += 1
            yield self._verdicts[self._names[self._told - 1]]

    def failed(self, names: Iterable[str]) -> bool:
        """Whether one of the checks with these keys failed."""
        with self._lock:
            return any(
                name in self._verdicts and self._verdicts[name].status is Status.FAIL for name in names
            )

    def missing(self) -> tuple[str, ...]:
        """Return the keys of the checks that have no verdict yet."""
        with self._lock:
            return tuple(name for name in self._names if name not in self._verdicts)

    def by_key(self) -> tuple[tuple[str, Verdict], ...]:
        """Return the verdicts that there are, with their checks' keys."""
        with self._lock:
            return tuple(self._verdicts.items())

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


@dataclass(frozen=True, slots=True)
class Trials:
    """What all trials of one run have in common.

    Args:
        suite: What reports call the image.
        ledger: Takes the verdicts.
        deadline: When the time of the whole run is up, by the monotonic clock; None is never.
        cancelled: Set when the run is stopped.
    """

    suite: str
    ledger: VerdictLedger
    deadline: float | None = None
    cancelled: Event = field(default_factory=Event)

    @property
    def seconds_left(self) -> float:
        """Seconds until the time of the whole run is up."""
        return float("inf") if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def note(self, check: Check, result: CheckResult) -> None:
        """Note what came of a check."""
        self.ledger.note(check.verdict(result, self.suite), check)

    def refuse(self, check: Check) -> bool:
        """Note why a check is not begun, and say whether that is so."""
        if self.cancelled.is_set() or self.seconds_left <= 0:
            self.note(check, CheckResult.error(self.why_unfinished()))
            self.cancelled.set()
        elif self.ledger.stopped.is_set():
            self.note(check, CheckResult(skipped="not begun: a check before it failed (--fail-fast)"))
        else:
            return False
        return True

    def why_unfinished(self) -> str:
        """Say why checks that have no verdict have none."""
        if self.seconds_left <= 0:
            return "the time of the whole run was up (--timeout)"
        return "the run was stopped"

    def judge(
        self, check: Check, attempt: Callable[[Check], CheckResult], live: LiveService | None = None
    ) -> None:
        """Try a check and note its verdict.

        Args:
            check: The check.
            attempt: Does once what it asks, within its `timeout`.
            live: The service that it asks; once that has ended, no further try makes sense.
        """
        if not self.refuse(check):
            self.note(check, self.try_out(check, attempt, live))

    def try_out(
        self, check: Check, attempt: Callable[[Check], CheckResult], live: LiveService | None = None
    ) -> CheckResult:
        """Try a check, and return what came of it, for `note`; see `judge`."""
        began = time.monotonic()
        try:
            result = self._until_it_holds(check, attempt, live)
            if result.findings and self.cancelled.is_set():
                # Its container was taken away meanwhile: what it found says nothing.
                result = CheckResult.error(self.why_unfinished())
        except NixdockError as error:
            result = self._explain(error, live)
        result.seconds = time.monotonic() - began
        return result

    def _explain(self, error: NixdockError, live: LiveService | None) -> CheckResult:
        """Return what it means that a try came to nothing."""
        end = live.end() if live is not None else None
        if self.cancelled.is_set() or self.seconds_left <= 0:
            return CheckResult.error(self.why_unfinished())
        if end is not None and live is not None:
            # That the service is gone is its own fault, not that of whoever asks it.
            return CheckResult([Finding("service", end, live.tail())])
        return CheckResult.of_error(error)

    def _until_it_holds(
        self, check: Check, attempt: Callable[[Check], CheckResult], live: LiveService | None
    ) -> CheckResult:
        began = time.monotonic()
        end = began + (check.within or 0.0)
        tries = 0
        while True:
            result = attempt(check)
            tries += 1
            now = time.monotonic()
            if not result.findings or now >= end or self.cancelled.is_set():
                break
            ended = live.end() if live is not None else None
            if ended is not None and live is not None:
                result.find("service", ended, live.tail())
                break
            self.cancelled.wait(min(check.interval, end - now))
        if tries == 1:
            return result
        held = "it did not hold" if result.findings else "it held"
        result.notes.append(f"{held} at try {tries}, after {format_duration(now - began)}")
        return result
