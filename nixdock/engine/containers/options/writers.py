"""What docker's options write into the request, where that is more than one value in one place.

Each raises ValueError with docker's own sentence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixdock.engine.containers.options import ports, values, volumes

if TYPE_CHECKING:
    from nixdock.engine.containers.options.draft import Draft, Write


def write_variable(draft: Draft, text: str) -> None:
    """Add an environment variable."""
    variable = values.parse_variable(text, draft.environ)
    draft.body.setdefault("Env", []).append(variable)


def write_variables(draft: Draft, text: str) -> None:
    """Add the variables of a file."""
    variables = values.read_variables(text, draft.directory, draft.environ, from_shell=draft.by_hand)
    draft.body.setdefault("Env", []).extend(variables)


def write_labels(draft: Draft, text: str) -> None:
    """Add the labels of a file."""
    # The same format as of variables; a name without a value is left out there too.
    for label in values.read_variables(text, draft.directory, {}, from_shell=draft.by_hand):
        name, value = values.parse_pair(label)
        draft.body.setdefault("Labels", {})[name] = value


def write_published(draft: Draft, text: str) -> None:
    """Publish ports."""
    for port, binding in ports.parse_published(text):
        draft.body.setdefault("ExposedPorts", {})[port] = {}
        draft.host.setdefault("PortBindings", {}).setdefault(port, []).append(binding)


def write_exposed(draft: Draft, text: str) -> None:
    """Expose ports."""
    for port in ports.parse_exposed(text):
        draft.body.setdefault("ExposedPorts", {})[port] = {}


def write_volume(draft: Draft, text: str) -> None:
    """Mount a volume or a directory."""
    binding, has_source = volumes.parse_volume(text, draft.directory)
    if has_source:
        draft.host.setdefault("Binds", []).append(binding)
    else:
        draft.body.setdefault("Volumes", {})[binding] = {}


def write_mount(draft: Draft, text: str) -> None:
    """Mount a file system."""
    draft.host.setdefault("Mounts", []).append(volumes.parse_mount(text, draft.directory))


def write_security(draft: Draft, text: str) -> None:
    """Add a security option."""
    if text in {"systempaths=unconfined", "systempaths:unconfined"}:
        draft.host["MaskedPaths"] = draft.host["ReadonlyPaths"] = []
        return
    draft.host.setdefault("SecurityOpt", []).append(values.parse_security(text, draft.directory))


def write_device(draft: Draft, text: str) -> None:
    """Give a device of the host."""
    if values.is_device_of_cdi(text):
        requests = draft.host.setdefault("DeviceRequests", [])
        if not requests or requests[0].get("Driver") != "cdi":
            requests.insert(0, {"Driver": "cdi", "DeviceIDs": []})
        requests[0]["DeviceIDs"].append(text)
        return
    draft.host.setdefault("Devices", []).append(values.parse_device(text))


def write_network(draft: Draft, text: str) -> None:
    """Choose the network, and its settings."""
    # The first one is the container's own; docker connects to further ones after creating it.
    if "NetworkMode" in draft.host:
        raise ValueError("nixdock connects a container to one network only")
    fields = [text] if "=" not in text else text.split(",")
    for field in fields:
        name, equals, value = field.partition("=")
        match name if equals else "":
            case "":
                draft.host["NetworkMode"] = field
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


def write_alias(draft: Draft, text: str) -> None:
    """Add a name in the network."""
    draft.endpoint.setdefault("Aliases", []).append(text)


def write_ip(draft: Draft, text: str) -> None:
    """Set the address in the network."""
    key = "IPv6Address" if ":" in text else "IPv4Address"
    draft.endpoint.setdefault("IPAMConfig", {})[key] = values.parse_address(text)


def write_mac(draft: Draft, text: str) -> None:
    """Set the network card's address."""
    draft.endpoint["MacAddress"] = values.parse_mac(text)


def write_log_option(draft: Draft, text: str) -> None:
    """Add an option of the log's driver."""
    name, value = values.parse_pair(text)
    draft.host.setdefault("LogConfig", {}).setdefault("Config", {})[name] = value


def write_log_driver(draft: Draft, text: str) -> None:
    """Choose the log's driver."""
    draft.host.setdefault("LogConfig", {})["Type"] = text


def write_storage(draft: Draft, text: str) -> None:
    """Add an option of the storage driver."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError("invalid storage option")
    draft.host.setdefault("StorageOpt", {})[name] = value


def write_health_command(draft: Draft, text: str) -> None:
    """Set the command of the health check."""
    if text:
        draft.health["Test"] = ["CMD-SHELL", text]


def write_health_time(key: str, flag: str) -> Write:
    """Return what sets a time of the health check."""

    def write(draft: Draft, text: str) -> None:
        duration = values.parse_duration(text)
        if duration < 0:
            raise ValueError(f"{flag} cannot be negative")
        draft.health[key] = duration

    return write


def write_health_retries(draft: Draft, text: str) -> None:
    """Set how many failures make it unhealthy."""
    retries = values.parse_whole(text)
    if retries < 0:
        raise ValueError("--health-retries cannot be negative")
    draft.health["Retries"] = retries


def write_no_health(draft: Draft, _text: str) -> None:
    """Switch the health check off."""
    draft.no_health = True


def write_mode(key: str, message: str, *words: str) -> Write:
    """Write one of the modes that a name space can have; `container:NAME` where the words have it."""

    def write(draft: Draft, text: str) -> None:
        if text not in words and not ("container:" in words and text.startswith("container:")):
            raise ValueError(message)
        draft.host[key] = text

    return write


def write_name(draft: Draft, text: str) -> None:
    """Name the container."""
    draft.name = text


def write_platform(draft: Draft, text: str) -> None:
    """Ask for a platform."""
    draft.platform = text


def write_entry_point(draft: Draft, text: str) -> None:
    """Set the entry point."""
    # An empty word clears the image's entry point, as it does for docker.
    draft.body["Entrypoint"] = [text]
