"""As few rights as a container runs with: what is taken away, what has to be given back, and what was missed.

Works on the Engine API's request, after the user's own settings: what the user asked for stands, and
each restriction that it excludes is named.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from nixdock.text import split_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nixdock.checks.verdict import CheckResult

PIDS: Final = 512
MEMORY: Final = 1 << 30
TEMPORARY: Final = "/tmp"  # noqa: S108 - a path in the container

_LONGEST_LINE: Final = 200

_CAPABILITIES: Final = (
    (re.compile(r"chown|change owner", re.IGNORECASE), "CHOWN"),
    (re.compile(r"set(?:res|re)?uid|setuser", re.IGNORECASE), "SETUID"),
    (re.compile(r"set(?:res|re)?gid|setgroups|initgroups", re.IGNORECASE), "SETGID"),
    (re.compile(r"chmod|utime", re.IGNORECASE), "FOWNER"),
    (re.compile(r"chroot", re.IGNORECASE), "SYS_CHROOT"),
    (re.compile(r"mknod", re.IGNORECASE), "MKNOD"),
    (re.compile(r"\bbind\b|listen", re.IGNORECASE), "NET_BIND_SERVICE"),
    (re.compile(r"\bping|raw socket", re.IGNORECASE), "NET_RAW"),
    (re.compile(r"mount|sethostname|unshare", re.IGNORECASE), "SYS_ADMIN"),
    (re.compile(r"rlimit", re.IGNORECASE), "SYS_RESOURCE"),
    (re.compile(r"priority|\bnice|sched_", re.IGNORECASE), "SYS_NICE"),
    (re.compile(r"\bkill", re.IGNORECASE), "KILL"),
    (re.compile(r"permission denied|EACCES", re.IGNORECASE), "DAC_OVERRIDE"),
)
"""Words of a program that is refused, and the capability that it may miss; the first that fits."""


# What restricts a container, the kernel's words for what it is refused by that, and what it means.
_REFUSALS: Final[tuple[tuple[Callable[[Mapping[str, Any]], object], re.Pattern[str], str], ...]] = (
    (
        lambda host: host.get("ReadonlyRootfs"),
        re.compile(r"read-only file ?system|\bEROFS\b", re.IGNORECASE),
        "its root is read-only (tmpfs or a volume where it writes, or read_only: false)",
    ),
    (
        lambda host: "ALL" in (host.get("CapDrop") or ()),
        re.compile(r"operation not permitted|permission denied|\bEPERM\b|\bEACCES\b", re.IGNORECASE),
        "it has no capabilities (cap_add{needed})",
    ),
    (
        lambda host: host.get("NetworkMode") == "none",
        re.compile(
            r"network is unreachable|name resolution|could not resolve host|bad address|\bENETUNREACH\b",
            re.IGNORECASE,
        ),
        "it has no network (network_mode: bridge)",
    ),
    (
        lambda host: host.get("PidsLimit"),
        re.compile(r"(?:fork|clone|pthread_create|thread).*temporarily unavailable", re.IGNORECASE),
        "it may have no more processes (pids_limit)",
    ),
)


def harden(
    body: Mapping[str, Any],
    *,
    asked: frozenset[str],
    needs_network: str | None = None,
    info: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Restrict a container as far as it can be.

    Args:
        body: The request that creates it.
        asked: The names of docker's options that the user gave.
        needs_network: Why it needs a network, or None.
        info: The engine's `/info`, which says what limits its kernel knows.

    Returns:
        The restricted request, and what had to be given up.
    """
    host: dict[str, Any] = dict(body.get("HostConfig") or {})
    given_up: list[str] = []
    if host.get("Privileged"):
        given_up.append("everything: the container is privileged")
        return {**body, "HostConfig": host}, tuple(given_up)
    if "read-only" in asked and not host.get("ReadonlyRootfs"):
        given_up.append("a read-only root: 'read_only: false' is asked for")
    else:
        host["ReadonlyRootfs"] = True
    _restrict_network(host, asked, needs_network, given_up)
    if host.get("CapAdd"):
        given_up.append(f"no capabilities: {', '.join(host['CapAdd'])} asked for")
    host["CapDrop"] = ["ALL"]
    _add_option(host, "no-new-privileges")
    for key, limit, known, name in (
        ("PidsLimit", PIDS, "PidsLimit", "a limit of processes"),
        ("Memory", MEMORY, "MemoryLimit", "a limit of memory"),
    ):
        if not host.get(key):
            if info is not None and info.get(known) is False:
                given_up.append(f"{name}: the engine's kernel knows none")
            else:
                host[key] = limit
    if not _has_mount(host, TEMPORARY):
        host["Tmpfs"] = {**(host.get("Tmpfs") or {}), TEMPORARY: ""}
    return {**body, "HostConfig": host}, tuple(given_up)


def _restrict_network(
    host: dict[str, Any], asked: frozenset[str], needs_network: str | None, given_up: list[str]
) -> None:
    if "network" in asked:
        if host.get("NetworkMode") != "none":
            given_up.append(f"no network: {host.get('NetworkMode')} is asked for")
    elif needs_network is not None or host.get("PortBindings"):
        given_up.append(f"no network: {needs_network or 'ports are published'}")
    else:
        host["NetworkMode"] = "none"


def _add_option(host: dict[str, Any], option: str) -> None:
    options = list(host.get("SecurityOpt") or ())
    if not any(str(one).startswith(option) for one in options):
        host["SecurityOpt"] = [*options, option]


def _has_mount(host: Mapping[str, Any], path: str) -> bool:
    if path in (host.get("Tmpfs") or {}):
        return True
    if any(mount.get("Target") == path for mount in host.get("Mounts") or ()):
        return True
    return any(str(bind).split(":")[1:2] == [path] for bind in host.get("Binds") or ())


def name_refusals(body: Mapping[str, Any], said: Iterable[str | None]) -> tuple[str, ...]:
    """Say which restrictions of a container its output complains of: a remark for each.

    Args:
        body: The request that created it.
        said: What it wrote, as far as it is known.
    """
    host = body.get("HostConfig") or {}
    lines = [line.strip() for text in said if text for line in split_lines(text)]
    found: list[str] = []
    for is_restricted, pattern, means in _REFUSALS:
        line = next((line for line in lines if pattern.search(line)), None)
        if line is not None and is_restricted(host):
            needed = next((name for words, name in _CAPABILITIES if words.search(line)), None)
            why = means.format(needed=f": [{needed}] may be what it needs" if needed else "")
            shown = line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}..."
            found.append(f"refused: {why}: {shown}")
    return tuple(found)


def with_refusals(result: CheckResult, body: Mapping[str, Any]) -> CheckResult:
    """Return a result with remarks on what its container was refused, where it failed.

    Args:
        result: Of a try.
        body: The request that created the container.
    """
    if result.findings:
        found = [part for one in result.findings for part in (one.message, one.details)]
        result.notes += name_refusals(body, (result.stderr, result.stdout, *found))
    return result
