"""The request to create a container, while docker's options are written into it, and what each writes.

Every writer raises ValueError with docker's own sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nixdock.engine.containers.options import mappings, values

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class RequestDraft:
    """What the options have said so far.

    Args:
        directory: What relative paths are relative to.
        environ: The environment that `-e NAME` reads.
        by_hand: Whether the options were typed, and not read from a file.
        body: The request as the Engine API writes it, but for its HostConfig.
        host: The HostConfig.
        own: What is said beside the request: `Name` and `Platform`.
        endpoint: The container's place in its network.
        health: The health check.
        no_health: Whether the image's own is switched off.
    """

    directory: Path = field(default_factory=Path.cwd)
    environ: Mapping[str, str] = field(default_factory=dict)
    by_hand: bool = True
    body: dict[str, Any] = field(default_factory=dict)
    host: dict[str, Any] = field(default_factory=dict)
    own: dict[str, str] = field(default_factory=dict)
    endpoint: dict[str, Any] = field(default_factory=dict)
    health: dict[str, Any] = field(default_factory=dict)
    no_health: bool = False

    def section(self, path: str) -> dict[str, Any]:
        """Return the object of the request that holds what a path names, such as `Host.LogConfig.Type`."""
        way = path.split(".")[:-1]
        parts = {"Host": self.host, "Endpoint": self.endpoint, "Health": self.health, "Own": self.own}
        inner: dict[str, Any] = parts.get(way[0], self.body) if way else self.body
        for name in way[1:]:
            inner = inner.setdefault(name, {})
        return inner


Write = Callable[[RequestDraft, str], None]
"""Writes one value of an option into the request; raises ValueError with docker's own sentence."""


def put(path: str, parse: Callable[[str], Any] = str) -> Write:
    """Write a value into the request: `Host.Memory` is of its HostConfig."""

    def write(draft: RequestDraft, text: str) -> None:
        draft.section(path)[path.rpartition(".")[2]] = parse(text)

    return write


def append(path: str, parse: Callable[[str], Any] = str) -> Write:
    """Add to a list in the request."""

    def write(draft: RequestDraft, text: str) -> None:
        draft.section(path).setdefault(path.rpartition(".")[2], []).append(parse(text))

    return write


def merge(path: str, parse: Callable[[str], tuple[str, Any]]) -> Write:
    """Add a name and its value to a map in the request."""

    def write(draft: RequestDraft, text: str) -> None:
        name, value = parse(text)
        draft.section(path).setdefault(path.rpartition(".")[2], {})[name] = value

    return write


def write_variable(draft: RequestDraft, text: str) -> None:
    """Add an environment variable."""
    variable = values.parse_variable(text, draft.environ)
    draft.body.setdefault("Env", []).append(variable)


def write_variables(draft: RequestDraft, text: str) -> None:
    """Add the variables of a file."""
    variables = values.read_variables(text, draft.directory, draft.environ, from_shell=draft.by_hand)
    draft.body.setdefault("Env", []).extend(variables)


def write_labels(draft: RequestDraft, text: str) -> None:
    """Add the labels of a file."""
    # The same format as of variables; a name without a value is left out there too.
    for label in values.read_variables(text, draft.directory, {}, from_shell=draft.by_hand):
        name, value = values.parse_pair(label)
        draft.body.setdefault("Labels", {})[name] = value


def write_published(draft: RequestDraft, text: str) -> None:
    """Publish ports."""
    for port, binding in mappings.parse_published(text):
        draft.body.setdefault("ExposedPorts", {})[port] = {}
        draft.host.setdefault("PortBindings", {}).setdefault(port, []).append(binding)


def write_exposed(draft: RequestDraft, text: str) -> None:
    """Expose ports."""
    for port in mappings.parse_exposed(text):
        draft.body.setdefault("ExposedPorts", {})[port] = {}


def write_volume(draft: RequestDraft, text: str) -> None:
    """Mount a volume or a directory."""
    binding, has_source = mappings.parse_volume(text, draft.directory)
    if has_source:
        draft.host.setdefault("Binds", []).append(binding)
    else:
        draft.body.setdefault("Volumes", {})[binding] = {}


def write_mount(draft: RequestDraft, text: str) -> None:
    """Mount a file system."""
    draft.host.setdefault("Mounts", []).append(mappings.parse_mount(text, draft.directory))


def write_security(draft: RequestDraft, text: str) -> None:
    """Add a security option."""
    if text in {"systempaths=unconfined", "systempaths:unconfined"}:
        draft.host["MaskedPaths"] = draft.host["ReadonlyPaths"] = []
        return
    draft.host.setdefault("SecurityOpt", []).append(values.parse_security(text, draft.directory))


def write_device(draft: RequestDraft, text: str) -> None:
    """Give a device of the host."""
    if values.is_device_of_cdi(text):
        requests = draft.host.setdefault("DeviceRequests", [])
        if not requests or requests[0].get("Driver") != "cdi":
            requests.insert(0, {"Driver": "cdi", "DeviceIDs": []})
        requests[0]["DeviceIDs"].append(text)
        return
    draft.host.setdefault("Devices", []).append(values.parse_device(text))


def write_network(draft: RequestDraft, text: str) -> None:
    """Choose the network, and its settings."""
    # The first one is the container's own; docker connects to further ones after creating it.
    if "NetworkMode" in draft.host:
        raise ValueError("nixdock connects a container to one network only")
    fields = [text] if "=" not in text else text.split(",")
    for part in fields:
        name, equals, value = part.partition("=")
        match name if equals else "":
            case "":
                draft.host["NetworkMode"] = part
            case "name":
                draft.host["NetworkMode"] = value
            case "alias":
                draft.endpoint.setdefault("Aliases", []).append(value)
            case "ip":
                draft.endpoint.setdefault("IPAMConfig", {})["IPv4Address"] = values.parse_address(value)
            case "ip6":
                draft.endpoint.setdefault("IPAMConfig", {})["IPv6Address"] = values.parse_address(value)
            case "mac-address":
                draft.endpoint["MacAddress"] = values.parse_mac(value)
            case _:
                raise ValueError(f"invalid field key {name}")


def write_ip(draft: RequestDraft, text: str) -> None:
    """Set the address in the network."""
    key = "IPv6Address" if ":" in text else "IPv4Address"
    draft.endpoint.setdefault("IPAMConfig", {})[key] = values.parse_address(text)


def write_health_command(draft: RequestDraft, text: str) -> None:
    """Set the command of the health check."""
    if text:
        draft.health["Test"] = ["CMD-SHELL", text]


def write_no_health(draft: RequestDraft, _text: str) -> None:
    """Switch the health check off."""
    draft.no_health = True


def write_mode(key: str, message: str, *words: str) -> Write:
    """Write one of the modes that a name space can have; `container:NAME` where the words have it."""

    def write(draft: RequestDraft, text: str) -> None:
        if text not in words and not ("container:" in words and text.startswith("container:")):
            raise ValueError(message)
        draft.host[key] = text

    return write


def write_entry_point(draft: RequestDraft, text: str) -> None:
    """Set the entry point."""
    # An empty word clears the image's entry point, as it does for docker.
    draft.body["Entrypoint"] = [text]
