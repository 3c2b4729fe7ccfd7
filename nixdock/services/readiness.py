"""When a service is ready: what is asked of it again and again, until all holds or it never will.

Its health check is asked of the engine, and beside it by ourselves: an engine probes for the first time after
a whole interval, 30 s unless the image says otherwise, and Podman needs systemd to probe at all. While it has
said nothing yet, the same command is executed in the container every half second, so that a service is
known to be ready as soon as it is.

What a health check is: Docker Engine API, "HealthConfig". Times are nanoseconds, 0 is the default:
interval and timeout 30 s, 3 retries, no start period.
"""

from __future__ import annotations

import math
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nixdock.errors import EngineError, NixdockError
from nixdock.outcome import text_of
from nixdock.services.reaching import run_exec
from nixdock.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ContainerDetails
    from nixdock.engine.containers.attendance import Attendance, ContainerEnd

    Probe = Callable[[float], str | None]

AT_ONCE: Final = 0.5
"""Seconds that a service of which nothing is asked must live to count as ready."""

_PROBE_SECONDS: Final = 5.0
"""Seconds that a probe may take, where the service has as many left."""

_LEAST_SECONDS: Final = 0.05

_PAUSE: Final = 0.5
"""Seconds between two probes of the health by ourselves."""

_SECOND: Final = 1_000_000_000
_DEFAULT_TIME: Final = 30 * _SECOND
_DEFAULT_RETRIES: Final = 3
_OUTPUT_LIMIT: Final = 4096


class NotReadyError(NixdockError):
    """A service ended, was not ready in time, or said that it is not healthy."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Health:
    """How a container fares.

    Args:
        status: `starting`, `healthy` or `unhealthy`.
        said: What the last probe wrote.
    """

    status: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """What a container's health check is.

    Args:
        command: The words to execute in it.
        patience: Seconds after the start from which a failing probe means that it is unhealthy.
        timeout: Seconds that a probe may take.
    """

    command: tuple[str, ...]
    patience: float
    timeout: float

    @classmethod
    def of(cls, container: ContainerDetails) -> HealthCheck | None:
        """Return a container's health check, its image's or its own; None where it has none."""
        config = container.raw.get("Config") or {}
        check: Mapping[str, Any] = config.get("Healthcheck") or {}
        words = _command(check.get("Test") or (), config.get("Shell"))
        if not words:
            return None
        interval = check.get("Interval") or _DEFAULT_TIME
        retries = check.get("Retries") or _DEFAULT_RETRIES
        patience = (check.get("StartPeriod") or 0) + retries * interval
        return cls(words, patience / _SECOND, (check.get("Timeout") or _DEFAULT_TIME) / _SECOND)


def _command(test: Sequence[str], shell: Sequence[str] | None) -> tuple[str, ...]:
    match list(test):
        case ["CMD", *words]:
            return tuple(words)
        case ["CMD-SHELL", script]:
            return (*(shell or ("/bin/sh", "-c")), script)
        case _:
            return ()


def probe(engine: Engine, container: str, check: HealthCheck) -> tuple[bool, str]:
    """Execute the check once.

    Returns:
        Whether it succeeded, and what it wrote.

    Raises:
        EngineError: The container does not run any more, or the command cannot be executed.
    """
    body = {"Cmd": list(check.command), "AttachStdout": True, "AttachStderr": True}
    outcome = run_exec(engine, container, body, check.timeout, enough=_OUTPUT_LIMIT)
    said = (text_of(outcome.stdout, _OUTPUT_LIMIT) + text_of(outcome.stderr, _OUTPUT_LIMIT)).strip()
    if outcome.timed_out:
        return False, said or "it did not end in time"
    return outcome.exit_code == 0, said


class HealthWatch:
    """Watches the health of a container, from the first question on, until it is healthy or never will be.

    Args:
        engine: Where it runs.
        container: It, as inspected after its start.
        check: Its health check.
    """

    def __init__(self, engine: Engine, container: ContainerDetails, check: HealthCheck) -> None:
        self._engine = engine
        self._container = container.id
        self._check = check
        self._since: float | None = None
        self._closed = threading.Event()
        self._succeeded = False
        self._failed_late = False
        self._said = ""
        self._fault: Exception | None = None

    def ask(self) -> Health:
        """Return how it fares now, as far as the engine or we know."""
        if self._since is None:
            self._since = time.monotonic()
            threading.Thread(target=self._probe, args=(self._since,), daemon=True).start()
        if self._fault is not None:
            raise self._fault
        details = self._engine.find_container(self._container)
        if details is None or not details.is_running:
            return Health("starting")
        if details.health in {"healthy", "unhealthy"}:
            return Health(details.health, details.last_probe or self._said)
        if self._succeeded:
            return Health("healthy", self._said)
        return Health("unhealthy" if self._failed_late else "starting", self._said)

    def close(self) -> None:
        """Probe no more."""
        self._closed.set()

    def _probe(self, since: float) -> None:
        while not self._closed.is_set():
            try:
                self._succeeded, self._said = probe(self._engine, self._container, self._check)
            except EngineError as error:
                self._said = error.message
            except Exception as error:  # noqa: BLE001 - raised by the one that asks
                self._fault = error
                return
            if self._succeeded:
                return
            self._failed_late = time.monotonic() - since > self._check.patience
            self._closed.wait(_PAUSE)


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
    attendance: Attendance,
    readiness: Readiness,
    last_words: Callable[[], str | None],
    called_off: Callable[[], bool] = lambda: False,
) -> ContainerEnd | None:
    """Attend to a service that was started until it is ready.

    Args:
        attendance: At its container.
        readiness: What is asked of it; closed at the end.
        last_words: Says what it wrote last, where the user has not seen that.
        called_off: Says whether nobody waits any more.

    Returns:
        None once it is ready, or nobody waits; how it ended, if that came first.

    Raises:
        NotReadyError: It was not ready in time, or is unhealthy.
        EngineError: The engine does not answer any more.
    """
    with closing(readiness):
        try:
            return attendance.until(lambda: called_off() or readiness())
        except NotReadyError as error:
            error.details = last_words()
            raise


def explain_end(name: str, ended: ContainerEnd, last_words: str | None) -> NotReadyError:
    """Return the error of a service that has ended though it was to stay."""
    return NotReadyError(
        f"{name} ended before it was ready (exit status {ended.exit_code})", details=last_words
    )
