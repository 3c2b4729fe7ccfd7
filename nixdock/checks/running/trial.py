"""Trying one check: once, or until it holds or its time is up; whatever happens becomes a verdict."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

from nixdock.checks.verdict import CheckResult, Finding
from nixdock.errors import NixdockError
from nixdock.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixdock.checks.model import Check
    from nixdock.checks.running.ledger import VerdictLedger
    from nixdock.checks.running.live import Live


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
        verdict = result.verdict(check.name, check.kind, suite=self.suite, place=check.place)
        self.ledger.note(verdict, check)

    def refuse(self, check: Check) -> bool:
        """Note why a check is not begun, and say whether that is so."""
        if self.cancelled.is_set() or self.seconds_left <= 0:
            self.note(check, CheckResult.error(self.why_unfinished()))
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

    def judge(self, check: Check, attempt: Callable[[Check], CheckResult], live: Live | None = None) -> None:
        """Try a check and note its verdict.

        Args:
            check: The check.
            attempt: Does once what it asks, within its `timeout`.
            live: The service that it asks; once that has ended, no further try makes sense.
        """
        if self.refuse(check):
            return
        began = time.monotonic()
        try:
            result = self._until_it_holds(check, attempt, live)
            if result.findings and self.cancelled.is_set():
                # Its container was taken away meanwhile: what it found says nothing.
                result = CheckResult.error(self.why_unfinished())
        except NixdockError as error:
            result = self._explain(error, live)
        result.seconds = time.monotonic() - began
        self.note(check, result)

    def _explain(self, error: NixdockError, live: Live | None) -> CheckResult:
        """Return what it means that a try came to nothing."""
        end = live.end() if live is not None else None
        if self.cancelled.is_set() or self.seconds_left <= 0:
            return CheckResult.error(self.why_unfinished())
        if end is not None and live is not None:
            # That the service is gone is its own fault, not that of whoever asks it.
            return CheckResult([Finding("service", end, live.tail())])
        details = "\n".join(part for part in (error.hint, error.details) if part) or None
        return CheckResult.error(error.message, details)

    def _until_it_holds(
        self, check: Check, attempt: Callable[[Check], CheckResult], live: Live | None
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
