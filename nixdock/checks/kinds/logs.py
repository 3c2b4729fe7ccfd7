"""`logs`: what the service has written, both streams together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.checks.format.matcher_shapes import TEXT
from nixdock.checks.format.records import required
from nixdock.checks.model import CheckKind

if TYPE_CHECKING:
    from nixdock.checks.matchers.algebra import Matcher
    from nixdock.outcome import Output


@dataclass(frozen=True, slots=True)
class LogsCheck(CheckKind):
    """What the service has written."""

    matcher: Matcher[Output] = required(TEXT, name="logs")

    kind = "logs"
    about = "a matcher of what the service wrote"
    needs_service = True
    polls = True
