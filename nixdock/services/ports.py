"""Where a container's ports answer: published on free numbers of the engine's machine, unless told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nixdock.engine.connection.address import published_host
from nixdock.errors import CheckError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nixdock.engine.connection.address import Address
    from nixdock.engine.connection.responses import ContainerDetails

_ANYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - what the engine answers, not what we bind
_LOOPBACK = "127.0.0.1"
_MOST = 5
"""How many ports have a line of their own."""


def publish(ports: Iterable[int], body: Mapping[str, Any], address: Address) -> dict[str, Any]:
    """Return what a request lacks for these ports to be reached from here.

    An engine on this machine publishes them on its loopback address alone.

    Args:
        ports: TCP ports in the container.
        body: The request so far: a port that it publishes already is left as it is.
        address: The engine's.

    Raises:
        CheckError: The container has no network.
    """
    wanted = sorted(set(ports))
    host = body.get("HostConfig") or {}
    mode = str(host.get("NetworkMode") or "")
    if not wanted or mode == "host":
        return {}
    if mode == "none" or mode.startswith("container:"):
        listed = ", ".join(str(port) for port in wanted)
        raise CheckError(f"port {listed} cannot be reached: the container's network is {mode!r}")
    published = host.get("PortBindings") or {}
    lacking = [f"{port}/tcp" for port in wanted if f"{port}/tcp" not in published]
    binding = {"HostIp": _LOOPBACK if address.is_local else "", "HostPort": ""}
    return {
        "ExposedPorts": {port: {} for port in lacking},
        "HostConfig": {"PortBindings": {port: [binding] for port in lacking}},
    }


def describe_ports(details: ContainerDetails, address: Address) -> tuple[str, ...]:
    """Say where the published ports of a container are, and which of them the whole network reaches.

    Args:
        details: The container.
        address: The engine's.
    """
    asked = (details.raw.get("HostConfig") or {}).get("PortBindings") or {}
    lines: list[str] = []
    for port, bindings in details.ports.items():
        # The same number is listed for IPv4 and for IPv6.
        where, number = bindings[0]
        inside = port.removesuffix("/tcp")
        is_open = where in _ANYWHERE
        host = published_host(address) if is_open or not address.is_local else where
        line = f"port {inside} is at {f'[{host}]' if ':' in host else host}:{number}"
        if is_open:
            line += ", open on all network interfaces"
        if is_open and address.is_local:
            wanted = next((item.get("HostPort") for item in asked.get(port) or ()), None)
            number_again = wanted if wanted and wanted != "0" else ""
            line += f" (-p {_LOOPBACK}:{number_again}:{inside} keeps it to this machine)"
        lines.append(line)
    more = len(lines) - _MOST
    return tuple(lines) if more <= 0 else (*lines[:_MOST], f"{more} more ports: docker port {details.name}")


def locate_port(details: ContainerDetails, port: int, address: Address) -> tuple[str, int]:
    """Return the host and port at which a container's TCP port answers.

    Raises:
        CheckError: It is not published.
    """
    host = published_host(address)
    if ((details.raw.get("HostConfig") or {}).get("NetworkMode")) == "host":
        return host, port
    bindings = details.ports.get(f"{port}/tcp")
    if not bindings:
        raise CheckError(f"port {port} of {details.name} is not published: it cannot be reached from here")
    where, number = bindings[0]
    return (host if where in _ANYWHERE or not address.is_local else where), number
