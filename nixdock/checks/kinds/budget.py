"""`budget`: what starting and running the service may cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.checks.format.matcher_shapes import BoundsShape
from nixdock.checks.format.records import key
from nixdock.checks.format.shapes import Integer
from nixdock.checks.matchers.algebra import BYTES, SECONDS
from nixdock.checks.running.live import LiveService, ServiceKind
from nixdock.checks.verdict import CheckResult

if TYPE_CHECKING:
    from nixdock.checks.matchers.algebra import Between


@dataclass(frozen=True, slots=True)
class BudgetCheck(ServiceKind):
    """What starting and running the service may cost."""

    start: Between | None = key(BoundsShape(SECONDS, "max"), "Time from the start to readiness.")
    first_log: Between | None = key(BoundsShape(SECONDS, "max"), "Time from the start to the first output.")
    memory: Between | None = key(BoundsShape(BYTES, "max"), "Memory at most used.")
    runs: int = key(Integer(1, 99), "How many starts are measured, whose median counts; 1 unless told.", 1)

    kind = "budget"
    about = "`start`, `first_log`, `memory`, `runs` (the median counts)"
    is_late = True

    @property
    def watches_memory(self) -> bool:
        """Where that has a budget."""
        return self.memory is not None

    def ask(self, live: LiveService, timeout: float) -> CheckResult:  # noqa: ARG002 - it takes several starts
        """Measure what is budgeted."""
        result = CheckResult()
        if self.memory is not None:
            result.judge("memory", self.memory, live.peak_memory())
        if self.start is not None or self.first_log is not None:
            start, first_log = live.measure_starts(self.runs)
            result.judge("start", self.start, start)
            if first_log is not None:
                result.judge("first_log", self.first_log, first_log)
            elif self.first_log is not None:
                result.find("first_log", "it wrote nothing before it was ready")
        return result
