"""The service of a suite: started once, ready by its probes, asked by many checks, stopped and removed."""

from __future__ import annotations

import socket
import statistics
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from nixdock.checks.expectations import judge_run
from nixdock.checks.model import ContainerSettings, Ready
from nixdock.checks.running.bench import keep
from nixdock.checks.running.live import LiveService, NoResponseError, ServiceKind, judge_status
from nixdock.checks.running.memory import MemoryWatch
from nixdock.checks.running.reproduce import docker_run_service
from nixdock.engine.containers.attendance import Attendance
from nixdock.engine.containers.container import Streams
from nixdock.errors import CheckError, EngineError
from nixdock.outcome import Recorder
from nixdock.services.readiness import (
    HealthCheck,
    HealthWatch,
    NotReadyError,
    Readiness,
    await_ready,
    explain_end,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nixdock.checks.matchers.algebra import Mismatch
    from nixdock.checks.model import Command, HttpProbe, Suite
    from nixdock.checks.running.bench import Bench
    from nixdock.engine.containers.options.request import CreateRequest

_SILENCE: Final = 0.1
"""Seconds that a connection must last, for somebody to be listening."""


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """How a suite's service is started.

    Args:
        request: The container to create.
        ready: When it is ready.
        notes: What hardening had to give up.
        reproduce: How to start it by hand.
        watches_memory: Whether a check asks for its memory.
    """

    request: CreateRequest
    ready: Ready
    notes: tuple[str, ...] = ()
    reproduce: str | None = None
    watches_memory: bool = False


def plan_service(bench: Bench, suite: Suite, own: Mapping[str, Any] | None = None) -> ServicePlan:
    """Plan the service of a suite: the ports that its checks need are published.

    Args:
        bench: The image.
        suite: Its service, readiness and checks.
        own: Further members of the request: mounts of tools.

    Raises:
        UsageError: A setting that docker refuses too.
        CheckError: A port cannot be published.
    """
    settings = suite.service or ContainerSettings()
    ports = needed_ports(suite)
    request, notes = bench.request(settings, ports=ports, own=own)
    ready = suite.ready or Ready(healthcheck=request.is_probed(bench.details.config))
    return ServicePlan(
        request=request,
        ready=ready,
        notes=notes,
        reproduce=bench.by_hand(
            docker_run_service(
                bench.name, settings.over(bench.settings), ports, local=bench.engine.address.is_local
            )
        ),
        watches_memory=any(kind.watches_memory for kind in _asking(suite)),
    )


def _asking(suite: Suite) -> Iterator[ServiceKind]:
    return (check.what for check in suite.checks if isinstance(check.what, ServiceKind))


def needed_ports(suite: Suite) -> tuple[int, ...]:
    """Return the TCP ports of the service that its readiness and its checks connect to."""
    ports = {port for kind in _asking(suite) for port in kind.ports}
    if suite.ready is not None:
        if suite.ready.tcp is not None:
            ports.add(suite.ready.tcp)
        if suite.ready.http is not None:
            ports.add(suite.ready.http.request.port)
    return tuple(sorted(ports))


@contextmanager
def started_service(bench: Bench, plan: ServicePlan) -> Iterator[LiveService]:
    """Start a service, wait until it is ready, and remove it at the end.

    Raises:
        NotReadyError: It ended, or was not ready in time.
        EngineError: It cannot be created or started.
    """
    with ExitStack() as stack:
        container = stack.enter_context(bench.opened(plan.request))
        logs = Recorder()
        stack.callback(logs.close)
        container.start(Streams(logs, logs))
        live = LiveService(bench.engine, container.id, bench.short_name, lambda: logs.output)
        if bench.keep:
            live = replace(live, keep=lambda: keep(container, bench.listener), called=container.name)
        else:
            live = replace(live, again=plan.reproduce)
        if plan.watches_memory:
            watch = MemoryWatch(bench.engine, container.id)
            stack.callback(watch.stop)
            live = replace(live, peak_memory=watch.peak)
        began = container.started_at
        try:
            ended = await_ready(Attendance(container), readiness_of(plan.ready, live), live.tail)
            if ended is not None:
                raise explain_end(live.name, ended, live.tail())
        except NotReadyError as error:
            if bench.keep and (note := live.keep()):
                error.hint = note
            raise
        ready_seconds = time.monotonic() - began
        first = None if logs.first_at is None else logs.first_at - began
        yield replace(live, ready_seconds=ready_seconds, first_log_seconds=first)
        if container.fault is not None:
            raise container.fault  # its output may not be whole: what was judged by it is no verdict


def measure_starts(
    bench: Bench, plan: ServicePlan, first: LiveService, runs: int
) -> tuple[float, float | None]:
    """Return the medians of the seconds to readiness and to the first output over several starts.

    Args:
        bench: The image.
        plan: How it is started.
        first: The start that has been measured already.
        runs: How many there are to be.

    Raises:
        NotReadyError: A further start failed.
    """
    starts = [first]
    for _ in range(runs - 1):
        with started_service(bench, plan) as live:
            starts.append(live)
    ready = [live.ready_seconds for live in starts if live.ready_seconds is not None]
    logged = [live.first_log_seconds for live in starts if live.first_log_seconds is not None]
    return statistics.median(ready), statistics.median(logged) if logged else None


def readiness_of(ready: Ready, live: LiveService) -> Readiness:
    """Return what asks a service whether it is ready.

    Args:
        ready: The probes.
        live: The service.

    Raises:
        CheckError: Its health check is to be asked, and it has none.
    """
    health = _watch_health(live) if ready.healthcheck else None
    return Readiness(live.name, _probes_of(ready, live), health, within=ready.within, interval=ready.interval)


def _probes_of(ready: Ready, live: LiveService) -> Iterator[Callable[[float], str | None]]:
    if (matcher := ready.log) is not None:
        yield lambda _: _first(matcher.judge(live.logs()))
    if (port := ready.tcp) is not None:
        yield lambda seconds: probe_tcp(live, port, seconds)
    if (check := ready.http) is not None:
        yield lambda seconds: probe_http(live, check, seconds)
    if (command := ready.exec) is not None:
        yield lambda seconds: probe_exec(live, command, seconds)


def probe_tcp(live: LiveService, port: int, seconds: float) -> str | None:
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


def probe_http(live: LiveService, check: HttpProbe, seconds: float) -> str | None:
    """Say how an answer is not as expected; None where it is."""
    try:
        answer = live.send(check.request, seconds)
    except NoResponseError as error:
        return f"{check.request.path} on port {check.request.port}: {error}"
    found = judge_status(check.status, answer)
    return f"{check.request.path} on port {check.request.port}: {found[0]}" if found else None


def probe_exec(live: LiveService, command: Command, seconds: float) -> str | None:
    """Say why a command does not succeed; None where it does."""
    try:
        outcome = live.execute(command, seconds)
    except EngineError as error:
        return error.message
    found = judge_run(command.expected, outcome)
    return f"{command.words[0]}: {found[0]}" if found else None


def _watch_health(live: LiveService) -> HealthWatch:
    details = live.details()
    check = HealthCheck.of(details)
    if check is None:
        raise CheckError(f"{live.name} has no HEALTHCHECK, and its readiness asks for one")
    return HealthWatch(live.engine, details, check)


def _first(mismatches: tuple[Mismatch, ...]) -> str | None:
    return f"its output: {mismatches[0].message}" if mismatches else None
