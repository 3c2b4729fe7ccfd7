"""`budget`: what starting and running the service may cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.checks.format.matcher_shapes import BoundsShape
from nixdock.checks.format.records import key
from nixdock.checks.format.shapes import Integer
from nixdock.checks.matchers.algebra import BYTES, SECONDS
from nixdock.checks.model import CheckKind

if TYPE_CHECKING:
    from nixdock.checks.matchers.algebra import Between


@dataclass(frozen=True, slots=True)
class BudgetCheck(CheckKind):
    """What starting and running the service may cost."""

    start: Between | None = key(BoundsShape(SECONDS, "max"), "Time from the start to readiness.")
    first_log: Between | None = key(BoundsShape(SECONDS, "max"), "Time from the start to the first output.")
    memory: Between | None = key(BoundsShape(BYTES, "max"), "Memory at most used.")
    runs: int = key(Integer(1, 99), "How many starts are measured, whose median counts; 1 unless told.", 1)

    kind = "budget"
    about = "`start`, `first_log`, `memory`, `runs` (the median counts)"
    needs_service = True
