"""`stop`: the service ends by itself when asked to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.checks.format.matcher_shapes import NUMBER
from nixdock.checks.format.records import key, required
from nixdock.checks.format.shapes import DURATION
from nixdock.checks.model import CheckKind

if TYPE_CHECKING:
    from nixdock.checks.matchers.algebra import Matcher, Number


@dataclass(frozen=True, slots=True)
class StopCheck(CheckKind):
    """The service must end within `grace` seconds of being asked to."""

    grace: float = required(DURATION, name="stop")
    exit: Matcher[Number] | None = key(NUMBER, "The exit status that it must end with.")

    kind = "stop"
    about = "the time in which it must end when asked to"
    needs_service = True
