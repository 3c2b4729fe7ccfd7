"""Trying one check: once, or until it holds or its time is up; whatever happens becomes a verdict."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from threading import Event
from typing import TYPE_CHECKING

from nixdock.checks.running.performed import Performed, error_verdict, skip_verdict, verdict_of
from nixdock.checks.verdict import Finding
from nixdock.errors import NixdockError
from nixdock.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixdock.checks.model import Check
    from nixdock.checks.running.ledger import Ledger
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
    ledger: Ledger
    deadline: float | None = None
    cancelled: Event = field(default_factory=Event)

    @property
    def seconds_left(self) -> float:
        """Seconds until the time of the whole run is up."""
        return float("inf") if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def refuse(self, check: Check) -> bool:
        """Note why a check is not begun, and say whether that is so."""
        if self.cancelled.is_set() or self.seconds_left <= 0:
            self.ledger.note(error_verdict(check, self.why_unfinished(), suite=self.suite))
        elif self.ledger.stopped.is_set():
            reason = "not begun: a check before it failed (--fail-fast)"
            self.ledger.note(skip_verdict(check, reason, suite=self.suite))
        else:
            return False
        return True

    def why_unfinished(self) -> str:
        """Say why checks that have no verdict have none."""
        if self.seconds_left <= 0:
            return "the time of the whole run was up (--timeout)"
        return "the run was stopped"

    def judge(self, check: Check, attempt: Callable[[Check], Performed], live: Live | None = None) -> None:
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
            performed = self._until_it_holds(check, attempt, live)
            seconds = time.monotonic() - began
            verdict = verdict_of(check, performed, suite=self.suite, seconds=seconds)
            if performed.findings and self.cancelled.is_set():
                # Its container was taken away meanwhile: what it found says nothing.
                verdict = error_verdict(check, self.why_unfinished(), suite=self.suite, seconds=seconds)
        except NixdockError as error:
            end = live.end() if live is not None else None
            seconds = time.monotonic() - began
            if self.cancelled.is_set() or self.seconds_left <= 0:
                verdict = error_verdict(check, self.why_unfinished(), suite=self.suite, seconds=seconds)
            elif end is not None and live is not None:
                # That the service is gone is its own fault, not that of whoever asks it.
                finding = Finding("service", end, live.tail())
                verdict = verdict_of(check, Performed((finding,)), suite=self.suite, seconds=seconds)
            else:
                details = "\n".join(part for part in (error.hint, error.details) if part) or None
                verdict = error_verdict(
                    check, error.message, suite=self.suite, seconds=seconds, details=details
                )
        self.ledger.note(verdict, check)

    def _until_it_holds(
        self, check: Check, attempt: Callable[[Check], Performed], live: Live | None
    ) -> Performed:
        began = time.monotonic()
        end = began + (check.within or 0.0)
        tries = 0
        while True:
            performed = attempt(check)
            tries += 1
            now = time.monotonic()
            if not performed.findings or now >= end or self.cancelled.is_set():
                break
            ended = live.end() if live is not None else None
            if ended is not None and live is not None:
                finding = Finding("service", ended, live.tail())
                performed = replace(performed, findings=(*performed.findings, finding))
                break
            self.cancelled.wait(min(check.interval, end - now))
        if tries == 1:
            return performed
        held = "it did not hold" if performed.findings else "it held"
        note = f"{held} at try {tries}, after {format_duration(now - began)}"
        return replace(performed, notes=(*performed.notes, note))
