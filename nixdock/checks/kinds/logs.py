"""`logs`: what the service has written, both streams together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.checks.format.matcher_shapes import TEXT
from nixdock.checks.format.records import required
from nixdock.checks.running.live import LiveService, ServiceKind
from nixdock.checks.verdict import CheckResult, findings_of
from nixdock.outcome import tail_of

if TYPE_CHECKING:
    from nixdock.checks.matchers.algebra import Matcher
    from nixdock.outcome import Output


@dataclass(frozen=True, slots=True)
class LogsCheck(ServiceKind):
    """What the service has written."""

    matcher: Matcher[Output] = required(TEXT, name="logs")

    kind = "logs"
    about = "a matcher of what the service wrote"
    polls = True

    def ask(self, live: LiveService, timeout: float) -> CheckResult:  # noqa: ARG002 - they are here
        """Look at both streams together."""
        logs = live.logs()
        return CheckResult(
            findings_of("logs", self.matcher.judge(logs)),
            reproduce=live.by_hand(f"docker logs{' -f' if live.again else ''} {live.word}"),
            stdout=tail_of(logs) or None,
        )
