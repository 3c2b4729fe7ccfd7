"""When a service is ready: what is asked of it again and again, until all holds or it never will."""

from __future__ import annotations

import math
import time
from contextlib import closing
from typing import TYPE_CHECKING, Final

from nixdock.errors import NixdockError
from nixdock.services.health import HealthCheck, HealthWatch
from nixdock.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.containers.attendance import Attendance, ContainerEnd

    Probe = Callable[[float], str | None]

AT_ONCE: Final = 0.5
"""Seconds that a service of which nothing is asked must live to count as ready."""

_PROBE_SECONDS: Final = 5.0
"""Seconds that a probe may take, where the service has as many left."""

_LEAST_SECONDS: Final = 0.05


class NotReadyError(NixdockError):
    """A service ended, was not ready in time, or said that it is not healthy."""

    exit_code = 1


class Readiness:
    """Tells whether a service is ready by now; asked again and again.

    Args:
        name: What the user calls the service.
        probes: Each says what is lacking, or None where nothing is, and takes so many seconds at most.
        health: Its health check, asked after the probes; None where that does not count.
        unhealthy: How the sentence begins that says that it is unhealthy.
        within: Seconds that the service has from now on.
        interval: Seconds between two tries.
    """

    def __init__(
        self,
        name: str,
        probes: Iterable[Probe] = (),
        health: HealthWatch | None = None,
        *,
        unhealthy: str | None = None,
        within: float = math.inf,
        interval: float = 0.0,
    ) -> None:
        self._name = name
        self._probes = [*probes, *((self._ask_health,) if health else ())]
        self._health = health
        self._unhealthy = unhealthy or f"{name}: its HEALTHCHECK says unhealthy"
        self._within = within
        self._interval = interval
        self._since = time.monotonic()
        self._next = 0.0
        self._lacking = "it was not probed yet"
        self._asked: Probe | None = None

    @classmethod
    def by_own_account(cls, engine: Engine, container: str, name: str) -> Readiness:
        """Return what asks a started container alone: its health check, or whether it lives."""
        details = engine.find_container(container)
        check = None if details is None else HealthCheck.of(details)
        if details is None or check is None:
            return cls(name)
        return cls(name, health=HealthWatch(engine, details, check), unhealthy=f"{name} is unhealthy")

    def __call__(self) -> bool:
        """Whether every probe has held by now.

        Raises:
            NotReadyError: Its time is up, or it says itself that it is not healthy.
        """
        now = time.monotonic()
        if not self._probes:
            return now - self._since >= AT_ONCE
        if now < self._next:
            return False
        while self._probes:
            left = self._left
            lacking = self._probes[0](max(_LEAST_SECONDS, min(_PROBE_SECONDS, left)))
            if lacking is not None:
                # What was answered in time says more than that the last probe was cut off.
                if self._asked is not self._probes[0] or left >= _PROBE_SECONDS or self._left > 0:
                    self._lacking = lacking
                self._asked = self._probes[0]
                break
            # What held once is not asked again: a log's line stays, a port stays open.
            self._probes.pop(0)
        if not self._probes:
            return True
        if self._left <= 0:
            limit = format_duration(self._within)
            raise NotReadyError(f"{self._name}: it was not ready within {limit}: {self._lacking}")
        self._next = time.monotonic() + self._interval
        return False

    @property
    def _left(self) -> float:
        return self._since + self._within - time.monotonic()

    def _ask_health(self, _seconds: float) -> str | None:
        if self._health is None:
            return None
        health = self._health.ask()
        said = f": {health.said}" if health.said else ""
        if health.status == "unhealthy":
            raise NotReadyError(f"{self._unhealthy}{said}")
        return None if health.status == "healthy" else f"its HEALTHCHECK says {health.status}{said}"

    def close(self) -> None:
        """Look no more."""
        if self._health is not None:
            self._health.close()


def await_ready(
    attendance: Attendance, readiness: Readiness, last_words: Callable[[], str | None]
) -> ContainerEnd | None:
    """Attend to a service that was started until it is ready.

    Args:
        attendance: At its container.
        readiness: What is asked of it; closed at the end.
        last_words: Says what it wrote last, where the user has not seen that.

    Returns:
        None once it is ready; how it ended, if that came first.

    Raises:
        NotReadyError: It was not ready in time, or is unhealthy.
        EngineError: The engine does not answer any more.
    """
    with closing(readiness):
        try:
            return attendance.until(readiness)
        except NotReadyError as error:
            error.details = last_words()
            raise


def explain_end(name: str, ended: ContainerEnd, last_words: str | None) -> NotReadyError:
    """Return the error of a service that has ended though it was to stay."""
    return NotReadyError(
        f"{name} ended before it was ready (exit status {ended.exit_code})", details=last_words
    )
