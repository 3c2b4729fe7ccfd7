"""Ports as `-p` and `--expose` write them."""

from __future__ import annotations

import ipaddress
from typing import Final

_PROTOCOLS: Final = frozenset({"tcp", "udp", "sctp"})
_HIGHEST: Final = 65535

Binding = tuple[str, dict[str, str]]
"""A container's port such as `80/tcp`, and where it is published."""


def parse_published(text: str) -> list[Binding]:
    """Read `[[address:][port[-port]]:]port[-port][/protocol]`, or `target=80,published=8080,...`.

    Raises:
        ValueError: With docker's own sentence.
    """
    if "=" in text:
        text = _from_fields(text)
    rest, slash, protocol = text.partition("/")
    protocol = protocol.lower() if slash else "tcp"
    address, host, container = _split(rest)
    if not container:
        raise ValueError(f"no port specified: {text}<empty>")
    if address:
        try:
            ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            raise ValueError(f"invalid IP address: {address}") from None
    first, last = _range(container, "containerPort")
    if protocol not in _PROTOCOLS:
        raise ValueError(f"invalid proto: {protocol}")
    if not host:
        return [(f"{port}/{protocol}", _binding(address, "")) for port in range(first, last + 1)]
    host_first, host_last = _range(host, "hostPort")
    if host_last - host_first == last - first:
        return [
            (f"{port}/{protocol}", _binding(address, str(host_first + port - first)))
            for port in range(first, last + 1)
        ]
    # One port on any free one of a range.
    if first != last:
        raise ValueError(f"invalid ranges specified for container and host Ports: {container} and {host}")
    return [(f"{first}/{protocol}", _binding(address, host))]


def parse_exposed(text: str) -> list[str]:
    """Read `port[-port][/protocol]`.

    Raises:
        ValueError: With docker's own sentence.
    """
    ports, _, protocol = text.partition("/")
    try:
        first, last = _range(ports, "port")
    except ValueError as error:
        raise ValueError(f"invalid range format for --expose: {text}, error: {error}") from error
    return [f"{port}/{protocol.lower() or 'tcp'}" for port in range(first, last + 1)]


def _split(text: str) -> tuple[str, str, str]:
    """Return address, port on the host and port in the container."""
    if text.startswith("["):
        address, bracket, rest = text[1:].partition("]")
        if not bracket or not rest.startswith(":"):
            raise ValueError(f"invalid IP address: {text}")
        host, _, container = rest[1:].rpartition(":")
        return address, host, container
    head, _, container = text.rpartition(":")
    address, _, host = head.rpartition(":")
    return address, host, container


def _range(text: str, name: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    low, high = _port(first), _port(last if dash else first)
    if low is None or high is None or high < low:
        raise ValueError(f"invalid {name}: {text}")
    return low, high


def _port(text: str) -> int | None:
    port = int(text) if text.isascii() and text.isdigit() else -1
    return port if 0 <= port <= _HIGHEST else None


def _binding(address: str, port: str) -> dict[str, str]:
    return {"HostIp": address, "HostPort": port}


def _from_fields(text: str) -> str:
    """Turn the long form into the short one."""
    fields = {"published": "", "target": "", "protocol": "tcp", "mode": ""}
    for field in text.split(","):
        key, equals, value = field.partition("=")
        if not equals or not value:
            raise ValueError(f"invalid field: {field}")
        if key not in fields:
            raise ValueError(f"invalid field key: {key}")
        fields[key] = value
    return f"{fields['published']}:{fields['target']}/{fields['protocol']}"
