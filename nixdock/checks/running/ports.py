"""Where a container's ports answer: published on free numbers of the engine's machine, unless told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nixdock.engine.address import published_host
from nixdock.errors import CheckError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nixdock.engine.address import Address
    from nixdock.engine.answers import ContainerDetails

_ANYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - what the engine answers, not what we bind
_LOOPBACK = "127.0.0.1"


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
