"""The service of a suite: started once, ready, asked by many checks, stopped and removed."""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nixdock.checks.kinds.budget import BudgetCheck
from nixdock.checks.kinds.http import HttpCheck
from nixdock.checks.model import ContainerSettings, Ready
from nixdock.checks.running.bench import keep, merge
from nixdock.checks.running.live import Live, LogRecorder
from nixdock.checks.running.memory import MemoryWatch
from nixdock.checks.running.readiness import NotReadyError, Readiness
from nixdock.checks.running.reproduce import docker_run_service
from nixdock.engine.containers.attendance import Attendance
from nixdock.engine.containers.container import Streams
from nixdock.errors import NixdockError
from nixdock.outcome import tail_of
from nixdock.services.ports import publish

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nixdock.checks.model import Suite
    from nixdock.checks.running.bench import Bench
    from nixdock.engine.containers.container import Container
    from nixdock.engine.containers.options.request import CreateRequest


class ServiceFailedError(NixdockError):
    """The service ended, or did not become ready: the image's fault, not nixdock's."""

    exit_code = 1


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
    need = f"port {', '.join(map(str, ports))} is asked" if ports else None
    plain, _ = bench.request(settings, needs_network=need)
    lacking = publish(ports, plain.body, bench.engine.address)
    request, given_up = bench.request(settings, needs_network=need, own=merge(own or {}, lacking))
    ready = suite.ready or Ready(healthcheck=request.is_probed(bench.details.config))
    return ServicePlan(
        request=request,
        ready=ready,
        notes=tuple(f"not hardened: {what}" for what in given_up),
        reproduce=docker_run_service(
            bench.name, settings.over(bench.settings), ports, local=bench.engine.address.is_local
        ),
        watches_memory=any(
            isinstance(check.what, BudgetCheck) and check.what.memory is not None for check in suite.checks
        ),
    )


def needed_ports(suite: Suite) -> tuple[int, ...]:
    """Return the TCP ports of the service that its readiness and its checks connect to."""
    ports = {check.what.request.port for check in suite.checks if isinstance(check.what, HttpCheck)}
    if suite.ready is not None:
        if suite.ready.tcp is not None:
            ports.add(suite.ready.tcp)
        if suite.ready.http is not None:
            ports.add(suite.ready.http.request.port)
    return tuple(sorted(ports))


@contextmanager
def started_service(bench: Bench, plan: ServicePlan) -> Iterator[Live]:
    """Start a service, wait until it is ready, and remove it at the end.

    Raises:
        ServiceFailedError: It ended, or was not ready in time.
        EngineError: It cannot be created or started.
    """
    with ExitStack() as stack:
        container = stack.enter_context(bench.opened(plan.request))
        logs = LogRecorder()
        stack.callback(logs.close)
        container.start(Streams(logs, logs))
        live = Live(bench.engine, container.id, bench.short_name, lambda: logs.output)
        if bench.keep:
            live = replace(live, keep=lambda: keep(container), called=container.name)
        else:
            live = replace(live, again=plan.reproduce)
        if plan.watches_memory:
            watch = MemoryWatch(bench.engine, container.id)
            stack.callback(watch.stop)
            live = replace(live, peak_memory=watch.peak)
        began = container.started_at
        try:
            _await_readiness(container, plan.ready, live)
        except ServiceFailedError as error:
            if bench.keep and (note := live.keep()):
                error.hint = note
            raise
        ready_seconds = time.monotonic() - began
        first = None if logs.first_at is None else logs.first_at - began
        yield replace(live, ready_seconds=ready_seconds, first_log_seconds=first)
        if container.fault is not None:
            raise container.fault  # its output may not be whole: what was judged by it is no verdict


def _await_readiness(container: Container, ready: Ready, live: Live) -> None:
    try:
        with closing(Readiness(ready, live)) as readiness:
            ended = Attendance(container).until(readiness)
    except NotReadyError as error:
        raise ServiceFailedError(f"{live.name}: {error}", details=_last_lines(live)) from error
    if ended is not None:
        message = f"{live.name} ended before it was ready (exit status {ended.exit_code})"
        raise ServiceFailedError(message, details=_last_lines(live))


def _last_lines(live: Live) -> str | None:
    return tail_of(live.logs()) or None


def measure_starts(bench: Bench, plan: ServicePlan, first: Live, runs: int) -> tuple[float, float | None]:
    """Return the medians of the seconds to readiness and to the first output over several starts.

    Args:
        bench: The image.
        plan: How it is started.
        first: The start that has been measured already.
        runs: How many there are to be.

    Raises:
        ServiceFailedError: A further start failed.
    """
    starts = [first, *_start_again(bench, plan, runs - 1)]
    ready = [live.ready_seconds for live in starts if live.ready_seconds is not None]
    logged = [live.first_log_seconds for live in starts if live.first_log_seconds is not None]
    return statistics.median(ready), statistics.median(logged) if logged else None


def _start_again(bench: Bench, plan: ServicePlan, times: int) -> Iterable[Live]:
    for _ in range(times):
        with started_service(bench, plan) as live:
            yield live
