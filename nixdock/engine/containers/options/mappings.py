"""What of its host a container gets: file systems as `-v`, `--mount` and `--tmpfs` write them, and ports."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

from nixdock.engine.containers.options.values import parse_pair, parse_size

if TYPE_CHECKING:
    from pathlib import Path

_TRUE: Final = frozenset({"1", "t", "true"})
_FALSE: Final = frozenset({"0", "f", "false"})
_SWITCHES: Final = frozenset({"readonly", "ro", "volume-nocopy", "bind-nonrecursive"})
_OPTIONS: Final = {
    "bind-propagation": ("BindOptions", "Propagation"),
    "bind-nonrecursive": ("BindOptions", "NonRecursive"),
    "volume-nocopy": ("VolumeOptions", "NoCopy"),
    "volume-subpath": ("VolumeOptions", "Subpath"),
    "volume-label": ("VolumeOptions", "Labels"),
    "volume-driver": ("VolumeOptions", "DriverConfig", "Name"),
    "volume-opt": ("VolumeOptions", "DriverConfig", "Options"),
    "tmpfs-size": ("TmpfsOptions", "SizeBytes"),
    "tmpfs-mode": ("TmpfsOptions", "Mode"),
}
"""Where each field of a kind's own is written."""

_PROTOCOLS: Final = frozenset({"tcp", "udp", "sctp"})
_HIGHEST: Final = 65535
_RECURSIVE: Final = ("enabled", "disabled", "writable", "readonly")

Binding = tuple[str, dict[str, str]]
"""A container's port such as `80/tcp`, and where it is published."""


def parse_volume(text: str, directory: Path) -> tuple[str, bool]:
    """Read `[source:]target[:options]`.

    Args:
        text: The option's value.
        directory: What a relative source is relative to.

    Returns:
        The binding as the API writes it, and whether it has a source; without one it is a target alone.

    Raises:
        ValueError: With docker's own sentence.
    """
    if not text:
        raise ValueError("invalid empty volume spec")
    parts = text.split(":")
    if len(parts) > 3:
        raise ValueError(f"invalid spec: {text}: too many colons")
    if not all(parts):
        raise ValueError(f"invalid spec: {text}: empty section between colons")
    if len(parts) == 1:
        return text, False
    if parts[0].startswith("."):
        parts[0] = str((directory / parts[0]).resolve())
    return ":".join(parts), True


def parse_tmpfs(text: str) -> tuple[str, str]:
    """Read `target[:options]`."""
    target, _, options = text.partition(":")
    return target, options


def parse_mount(text: str, directory: Path) -> dict[str, Any]:
    """Read `type=bind,source=...,target=...,...`, fields as in a CSV line.

    Raises:
        ValueError: With docker's own sentence.
    """
    import csv  # noqa: PLC0415  # for those who give one

    try:
        fields = next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise ValueError(str(error)) from error
    if not fields:
        raise ValueError("EOF")
    mount: dict[str, Any] = {"Type": "volume"}
    for field in fields:
        _set_field(mount, field)
    kind = mount["Type"]
    for option_kind in ("bind", "volume", "tmpfs"):
        if f"{option_kind.capitalize()}Options" in mount and kind != option_kind:
            raise ValueError(f"cannot mix '{option_kind}-*' options with mount type '{kind}'")
    if "Target" not in mount:
        raise ValueError("target is required")
    source = mount.get("Source", "")
    if kind == "bind" and source.split("/")[0] in {".", ".."}:
        mount["Source"] = str((directory / source).resolve())
    return mount


def _set_field(mount: dict[str, Any], field: str) -> None:
    raw_key, equals, value = field.partition("=")
    key = raw_key.strip().lower()
    if not equals:
        if key not in _SWITCHES:
            raise ValueError(f"invalid field '{field}' must be a key=value pair")
        value = "true"
    match key:
        case "type":
            mount["Type"] = value.lower()
        case "source" | "src":
            mount["Source"] = value
        case "target" | "dst" | "destination":
            mount["Target"] = value
        case "readonly" | "ro":
            mount["ReadOnly"] = _switch(raw_key, value)
        case "consistency":
            mount["Consistency"] = value.lower()
        case _:
            _set_option(mount, field, key, value)


def _set_option(mount: dict[str, Any], field: str, key: str, value: str) -> None:
    if key == "bind-recursive":
        _set_recursive(mount, value)
        return
    if key not in _OPTIONS:
        raise ValueError(f"unexpected key '{key}' in '{field}'")
    *path, last = _OPTIONS[key]
    inner = mount
    for name in path:
        inner = inner.setdefault(name, {})
    if last in {"Labels", "Options"}:
        name, text = parse_pair(value)
        inner.setdefault(last, {})[name] = text
    else:
        inner[last] = _parse_option(key, value)


def _parse_option(key: str, value: str) -> str | bool | int:
    if key in _SWITCHES:
        return _switch(key, value)
    try:
        match key:
            case "tmpfs-size":
                return parse_size(value)
            case "tmpfs-mode":
                return int(value, 8)
            case "bind-propagation":
                return value.lower()
            case _:
                return value
    except ValueError:
        raise ValueError(f"invalid value for {key}: {value}") from None


def _set_recursive(mount: dict[str, Any], value: str) -> None:
    if value not in _RECURSIVE:
        words = ", ".join(f'"{word}"' for word in _RECURSIVE)
        raise ValueError(f"invalid value for bind-recursive: {value} (must be one of {words})")
    options = mount.setdefault("BindOptions", {})
    if value == "disabled":
        options["NonRecursive"] = True
    elif value == "writable":
        options["ReadOnlyNonRecursive"] = True
    elif value == "readonly":
        options["ReadOnlyForceRecursive"] = True


def _switch(key: str, value: str) -> bool:
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise ValueError(f"invalid value for {key}: {value}")


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
