"""When a service is ready: its probes, tried again and again until all hold or its time is up."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Final

from nixdock.checks.expectations import judge_run
from nixdock.checks.running.web import NoResponseError, judge_status
from nixdock.errors import CheckError, EngineError
from nixdock.services.health import HealthCheck, HealthWatch
from nixdock.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixdock.checks.matchers.algebra import Mismatch
    from nixdock.checks.model import Command, HttpProbe, Ready
    from nixdock.checks.running.live import Live

    Probe = Callable[[Live, float], str | None]

AT_ONCE: Final = 0.5
"""Seconds that a service without any probe must live to count as ready."""

_PROBE_SECONDS: Final = 5.0
"""Seconds that a probe may take, where the service has as many left."""

_SILENCE: Final = 0.1
_LEAST_SECONDS: Final = 0.05


class NotReadyError(Exception):
    """The service did not become ready.

    Args:
        message: Why, as a clause.
    """


class Readiness:
    """Tells whether a service is ready by now; asked again and again.

    Args:
        ready: The probes.
        live: The service.
    """

    def __init__(self, ready: Ready, live: Live) -> None:
        self._ready = ready
        self._live = live
        self._since = time.monotonic()
        self._next = 0.0
        self._health = HealthProbe() if ready.healthcheck else None
        self._probes = _probes_of(ready, self._health)
        self._lacking = "it was not probed yet"
        self._asked: Probe | None = None

    def __call__(self) -> bool:
        """Whether every probe holds now.

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
            lacking = self._probes[0](self._live, max(_LEAST_SECONDS, min(_PROBE_SECONDS, left)))
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
            limit = format_duration(self._ready.within)
            raise NotReadyError(f"it was not ready within {limit}: {self._lacking}")
        self._next = time.monotonic() + self._ready.interval
        return False

    @property
    def _left(self) -> float:
        return self._since + self._ready.within - time.monotonic()

    def close(self) -> None:
        """Look no more."""
        if self._health is not None:
            self._health.close()


def _probes_of(ready: Ready, health: HealthProbe | None) -> list[Probe]:
    probes: list[Probe] = []
    if ready.log is not None:
        matcher = ready.log
        probes.append(lambda live, _: _first(matcher.judge(live.logs())))
    if ready.tcp is not None:
        port = ready.tcp
        probes.append(lambda live, seconds: probe_tcp(live, port, seconds))
    if ready.http is not None:
        check = ready.http
        probes.append(lambda live, seconds: probe_http(live, check, seconds))
    if ready.exec is not None:
        command = ready.exec
        probes.append(lambda live, seconds: probe_exec(live, command, seconds))
    if health is not None:
        probes.append(lambda live, _: health(live))
    return probes


def probe_tcp(live: Live, port: int, seconds: float) -> str | None:
    """Say why nobody listens on a port; None where somebody does.

    A proxy of the engine's accepts connections for ports that nobody listens on, and closes them at
    once: so a connection must last a moment.
    """
    try:
        host, number = live.address(port)
        with socket.create_connection((host, number), timeout=seconds) as connection:
            connection.settimeout(_SILENCE)
            try:
                closed = connection.recv(1) == b""
            except TimeoutError:
                return None
            return f"port {port} is closed as soon as it is opened" if closed else None
    except NoResponseError as error:
        return str(error)
    except OSError as error:
        return f"port {port} does not answer: {error.strerror or error}"


def probe_http(live: Live, check: HttpProbe, seconds: float) -> str | None:
    """Say how an answer is not as expected; None where it is."""
    try:
        answer = live.send(check.request, seconds)
    except NoResponseError as error:
        return f"{check.request.path} on port {check.request.port}: {error}"
    found = judge_status(check.status, answer)
    return f"{check.request.path} on port {check.request.port}: {found[0]}" if found else None


def probe_exec(live: Live, command: Command, seconds: float) -> str | None:
    """Say why a command does not succeed; None where it does."""
    try:
        outcome = live.execute(command, seconds)
    except EngineError as error:
        return error.message
    found = judge_run(command.expected, outcome)
    return f"{command.words[0]}: {found[0]}" if found else None


class HealthProbe:
    """Says what a health check says: the engine's word, or ours while the engine has none yet."""

    def __init__(self) -> None:
        self._watch: HealthWatch | None = None

    def __call__(self, live: Live) -> str | None:
        """Say how it fares; None where it is healthy.

        Raises:
            NotReadyError: It is unhealthy.
            CheckError: The container has no health check.
        """
        if self._watch is None:
            self._watch = _watch_health(live)
        health = self._watch.ask()
        said = f": {health.said}" if health.said else ""
        if health.status == "unhealthy":
            raise NotReadyError(f"its HEALTHCHECK says unhealthy{said}")
        return None if health.status == "healthy" else f"its HEALTHCHECK says {health.status}{said}"

    def close(self) -> None:
        """Probe no more."""
        if self._watch is not None:
            self._watch.close()


def _watch_health(live: Live) -> HealthWatch:
    details = live.details()
    check = HealthCheck.of(details)
    if check is None:
        raise CheckError(f"{live.name} has no HEALTHCHECK, and its readiness asks for one")
    return HealthWatch(live.engine, details, check)


def _first(mismatches: tuple[Mismatch, ...]) -> str | None:
    return f"its output: {mismatches[0].message}" if mismatches else None
