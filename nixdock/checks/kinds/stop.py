"""`stop`: the service ends by itself when asked to."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.checks.format.matcher_shapes import NUMBER
from nixdock.checks.format.records import key, required
from nixdock.checks.format.shapes import DURATION
from nixdock.checks.running.live import LiveService, ServiceKind
from nixdock.checks.verdict import CheckResult
from nixdock.engine.connection.responses import read_stop_signal
from nixdock.engine.containers.stopping import KILLED
from nixdock.outcome import tail_of

if TYPE_CHECKING:
    from nixdock.checks.matchers.algebra import Matcher, Number


@dataclass(frozen=True, slots=True)
class StopCheck(ServiceKind):
    """The service must end within `grace` seconds of being asked to."""

    grace: float = required(DURATION, name="stop")
    exit: Matcher[Number] | None = key(NUMBER, "The exit status that it must end with.")

    kind = "stop"
    about = "the time in which it must end when asked to"
    ends_service = True

    def ask(self, live: LiveService, timeout: float) -> CheckResult:  # noqa: ARG002 - it has a time of its own
        """Ask the service to end as `docker stop` does, and look how it did."""
        began = time.monotonic()
        before = len(live.logs())
        # The engine counts whole seconds, and kills what still runs when they are over.
        live.engine.stop_container(live.container, grace=math.ceil(self.grace))
        seconds = time.monotonic() - began
        exit_code = live.details().exit_code
        reproduce = live.by_hand(f"docker stop -t {math.ceil(self.grace)} {live.word}")
        result = CheckResult(reproduce=reproduce, stdout=live.tail())
        if exit_code == KILLED and seconds >= self.grace:
            message = f"it did not end within {self.grace:g} s of being asked to, and was killed"
            result.find("stop", message, _why_not_ended(live, before))
        elif seconds > self.grace:
            result.find("stop", f"it took {seconds:.1f} s to end, more than {self.grace:g} s")
        result.judge("exit", self.exit, exit_code)
        return result


def _why_not_ended(live: LiveService, before: int) -> str:
    """Say what a service wrote since it was asked to end, which tells why it did not."""
    said = tail_of(live.logs()[before:])
    if said:
        return f"when asked, it said:\n{said}"
    asked = read_stop_signal(live.details().raw.get("Config") or {})
    return (
        "when asked, it said nothing: the first process of a container gets no signal that it does not "
        f"handle; have it handle {asked}, or run it with init: true"
    )
