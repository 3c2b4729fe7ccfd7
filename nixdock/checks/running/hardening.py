"""As few rights as a container runs with: what is taken away, and what has to be given back.

Works on the Engine API's request, after the user's own settings: what the user asked for stands, and
each restriction that it excludes is named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

PIDS: Final = 512
MEMORY: Final = 1 << 30
TEMPORARY: Final = "/tmp"  # noqa: S108 - a path in the container


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
