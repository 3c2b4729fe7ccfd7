"""Asking a running service: one try of each kind of check that does."""

from __future__ import annotations

import fnmatch
import math
import time
from bisect import bisect
from typing import TYPE_CHECKING, Final

from nixdock.checks.agent import FOLDER
from nixdock.checks.kinds.budget import BudgetCheck
from nixdock.checks.kinds.exec import ExecCheck
from nixdock.checks.kinds.http import HttpCheck
from nixdock.checks.kinds.logs import LogsCheck
from nixdock.checks.kinds.stop import StopCheck
from nixdock.checks.kinds.writes import WritesCheck
from nixdock.checks.running.commands import perform_exec
from nixdock.checks.running.reproduce import curl, docker_exec
from nixdock.checks.running.service import measure_starts
from nixdock.checks.running.web import NoResponseError, judge_response
from nixdock.checks.verdict import CheckResult, Finding, findings_of
from nixdock.errors import CheckError
from nixdock.outcome import tail_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nixdock.checks.model import Check, Request
    from nixdock.checks.running.bench import Bench
    from nixdock.checks.running.live import Live
    from nixdock.checks.running.service import ServicePlan
    from nixdock.engine.connection.responses import ContainerDetails

_KILLED: Final = 137

# What engines themselves make in a container, and some of them list as changes.
_ENGINES_OWN: Final = (
    FOLDER,
    "/dev",
    "/proc",
    "/sys",
    "/etc/hosts",
    "/etc/hostname",
    "/etc/resolv.conf",
    "/etc/mtab",
    "/.dockerenv",
    "/run/.containerenv",
)


def ask_service(check: Check, live: Live, bench: Bench, plan: ServicePlan) -> CheckResult:
    """Do once what a check of a service asks.

    Raises:
        NixdockError: It could not be done, which says nothing about the image.
    """
    match check.what:
        case ExecCheck() as what:
            reproduce = live.by_hand(docker_exec(live.word, what.command))
            return perform_exec(what, live.execute, check.timeout, reproduce=reproduce)
        case HttpCheck() as what:
            return _ask_http(what, live, check.timeout)
        case LogsCheck() as what:
            logs = live.logs()
            return CheckResult(
                findings_of("logs", what.matcher.judge(logs)),
                reproduce=live.by_hand(f"docker logs{' -f' if live.again else ''} {live.word}"),
                stdout=tail_of(logs) or None,
            )
        case StopCheck() as what:
            return _ask_stop(what, live)
        case WritesCheck() as what:
            result = ask_writes(what, live.details(), live.engine.changes(live.container))
            result.reproduce = live.by_hand(f"docker diff {live.word}")
            return result
        case BudgetCheck() as what:
            return _ask_budget(what, live, bench, plan)
        case _:
            raise CheckError(f"a check of the kind {check.kind} asks no service")


def _ask_http(check: HttpCheck, live: Live, timeout: float) -> CheckResult:
    reproduce = None
    try:
        host, port = live.address(check.request.port)
        reproduce = live.by_hand(curl(check.request, _base(check.request, live, host, port)))
        answer = live.send(check.request, timeout)
    except NoResponseError as error:
        return CheckResult([Finding("http", str(error), live.tail())], reproduce=reproduce)
    shown = text_of(answer.body, 4096) or None
    return CheckResult(judge_response(check, answer), reproduce=reproduce, stdout=shown)


def _base(request: Request, live: Live, host: str, port: int) -> str:
    """Return where a request is sent to by hand: one that is started anew has a port of its own."""
    if live.again is None or port == request.port:
        return f"{request.scheme}://{host}:{port}"
    found = f"docker port {live.word} {request.port}/tcp | head -n 1"
    if live.engine.address.is_local:
        return f"{request.scheme}://$({found})"
    return f"{request.scheme}://{host}:$({found} | grep -o '[0-9]*$')"


def _ask_stop(check: StopCheck, live: Live) -> CheckResult:
    """Ask the service to end as `docker stop` does, and look how it did."""
    began = time.monotonic()
    before = len(live.logs())
    # The engine counts whole seconds, and kills what still runs when they are over.
    live.engine.stop_container(live.container, grace=math.ceil(check.grace))
    seconds = time.monotonic() - began
    exit_code = live.details().exit_code
    found: list[Finding] = []
    if exit_code == _KILLED and seconds >= check.grace:
        message = f"it did not end within {check.grace:g} s of being asked to, and was killed"
        found.append(Finding("stop", message, _why_not_ended(live, before)))
    elif seconds > check.grace:
        found.append(Finding("stop", f"it took {seconds:.1f} s to end, more than {check.grace:g} s"))
    if check.exit is not None:
        found += findings_of("exit", check.exit.judge(exit_code))
    reproduce = live.by_hand(f"docker stop -t {math.ceil(check.grace)} {live.word}")
    return CheckResult(found, reproduce=reproduce, stdout=live.tail())


def _why_not_ended(live: Live, before: int) -> str:
    """Say what a service wrote since it was asked to end, which tells why it did not."""
    said = tail_of(live.logs()[before:])
    if said:
        return f"when asked, it said:\n{said}"
    asked = (live.details().raw.get("Config") or {}).get("StopSignal") or "SIGTERM"
    return (
        "when asked, it said nothing: the first process of a container gets no signal that it does not "
        f"handle; have it handle {asked}, or run it with init: true"
    )


def ask_writes(
    check: WritesCheck, details: ContainerDetails, changes: Iterable[tuple[int, str]]
) -> CheckResult:
    """Judge what a container changed in its own layer.

    Args:
        check: What may have been written.
        details: The container, which knows its mounts.
        changes: What the engine lists: kind and path.
    """
    listed = sorted(changes, key=lambda change: change[1])
    paths = [path for _, path in listed]
    mounts = _mounts(details)
    found: list[Finding] = []
    for kind, path in listed:
        # A folder counts as changed when something in it does, and that is listed too.
        below = f"{path.rstrip('/')}/"
        at = bisect(paths, below)
        is_parent = kind == 0 and at < len(paths) and paths[at].startswith(below)
        not_its_own = (*_ENGINES_OWN, *mounts)
        on_the_way = kind != 2 and any(other.startswith(f"{path}/") for other in not_its_own)
        if is_parent or on_the_way or _is_below(path, not_its_own):
            continue
        if not any(
            fnmatch.fnmatchcase(path, pattern) or _is_below(path, (pattern,)) for pattern in check.allow
        ):
            what = {0: "changed", 1: "written", 2: "deleted"}.get(kind, "changed")
            found.append(Finding("writes", f"{path} was {what}"))
    return CheckResult(found)


def _mounts(details: ContainerDetails) -> tuple[str, ...]:
    listed = [str(mount.get("Destination")) for mount in details.raw.get("Mounts") or ()]
    temporary = (details.raw.get("HostConfig") or {}).get("Tmpfs") or {}
    return (*listed, *temporary)


def _is_below(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder.rstrip('/')}/") for folder in folders)


def _ask_budget(check: BudgetCheck, live: Live, bench: Bench, plan: ServicePlan) -> CheckResult:
    found: list[Finding] = []
    if check.memory is not None:
        found += findings_of("memory", check.memory.judge(live.peak_memory()))
    if check.start is not None or check.first_log is not None:
        start, first_log = measure_starts(bench, plan, live, check.runs)
        if check.start is not None:
            found += findings_of("start", check.start.judge(start))
        if check.first_log is not None:
            if first_log is None:
                found.append(Finding("first_log", "it wrote nothing before it was ready"))
            else:
                found += findings_of("first_log", check.first_log.judge(first_log))
    return CheckResult(found)
