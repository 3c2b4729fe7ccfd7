"""Values as docker's options write them: sizes, durations, limits, names with values.

Every function raises ValueError with docker's own sentence.
"""

from __future__ import annotations

import ipaddress
import json
import re
from typing import TYPE_CHECKING, Any, Final

from nixdock.text import BLANKS, read_bounded, split_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_SIZE_UNITS: Final = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40, "p": 2**50}
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?) ?(.*)")
_DURATION_UNITS: Final = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_DURATION_PART: Final = re.compile(r"(\d+\.?\d*|\.\d+)([^\d.]*)")
_ULIMITS: Final = frozenset(
    (
        *("core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice"),
        *("nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack"),
    )
)
_DEVICE_RULE: Final = re.compile(r"[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}")
_MAC: Final = re.compile(r"([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}")
_DOMAIN_PART: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_DOMAIN: Final = re.compile(rf"{_DOMAIN_PART}(?:\.{_DOMAIN_PART})*\.?")
_SYSCTLS: Final = frozenset(
    f"kernel.{name}"
    for name in ("msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced")
)


def parse_size(text: str) -> int:
    """Read a size in bytes: `512m`, `1.5g`, `100`, `64kb`, `2GiB`."""
    found = _SIZE.fullmatch(text)
    if not found:
        raise ValueError(f"invalid size: '{text}'")
    suffix = found[2].lower()
    unit = suffix.removesuffix("ib") if suffix.endswith("ib") and suffix != "ib" else suffix
    unit = unit.removesuffix("b") if unit != "b" else unit
    if unit not in _SIZE_UNITS:
        raise ValueError(f"invalid suffix: '{found[2]}'")
    from decimal import Decimal  # noqa: PLC0415  # for those who give one

    return int(Decimal(found[1]) * _SIZE_UNITS[unit])


def parse_swap(text: str) -> int:
    """Read a size in bytes; `-1` is no limit."""
    return -1 if text == "-1" else parse_size(text)


def parse_duration(text: str) -> int:
    """Read a duration as Go writes it, such as `1m30s`, in nanoseconds."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return 0
    from decimal import Decimal  # noqa: PLC0415  # as in parse_size

    total = Decimal(0)
    position = 0
    while position < len(rest) or not rest:
        part = _DURATION_PART.match(rest, position)
        if not part:
            raise ValueError(f'time: invalid duration "{text}"')
        if not part[2]:
            raise ValueError(f'time: missing unit in duration "{text}"')
        if part[2] not in _DURATION_UNITS:
            raise ValueError(f'time: unknown unit "{part[2]}" in duration "{text}"')
        total += Decimal(part[1]) * _DURATION_UNITS[part[2]]
        position = part.end()
    return sign * int(total)


def parse_whole(text: str) -> int:
    """Read a whole number."""
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"not a whole number: {text}") from None


def parse_cpus(text: str) -> int:
    """Read a number of processors in billionths."""
    from decimal import Decimal, InvalidOperation  # noqa: PLC0415  # as in parse_size

    try:
        nano = Decimal(text) * 10**9
    except InvalidOperation:
        raise ValueError(f"failed to parse {text} as a rational number") from None
    if nano != int(nano):
        raise ValueError("value is too precise")
    return int(nano)


def parse_ulimit(text: str) -> dict[str, Any]:
    """Read `name=soft[:hard]`."""
    name, equals, limits = text.partition("=")
    if not equals:
        raise ValueError(f"invalid ulimit argument: {text}")
    if name not in _ULIMITS:
        raise ValueError(f"invalid ulimit type: {name}")
    parts = limits.split(":")
    if len(parts) > 2:
        raise ValueError(f"too many limit value arguments - {limits}, can only have up to two, `soft[:hard]`")
    soft, hard = parse_whole(parts[0]), parse_whole(parts[-1])
    if hard != -1 and (soft == -1 or soft > hard):
        raise ValueError(f"ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}")
    return {"Name": name, "Soft": soft, "Hard": hard}


def parse_sysctl(text: str) -> tuple[str, str]:
    """Read `name=value` of a setting that has a namespace of its own."""
    name, equals, value = text.partition("=")
    if not equals or not (name in _SYSCTLS or name.startswith(("net.", "fs.mqueue."))):
        raise ValueError(f"sysctl '{text}' is not allowed")
    return name, value


def not_negative(flag: str, parse: Callable[[str], int]) -> Callable[[str], int]:
    """Return what reads a number, and refuses one below zero."""

    def read(text: str) -> int:
        number = parse(text)
        if number < 0:
            raise ValueError(f"{flag} cannot be negative")
        return number

    return read


def parse_capability(text: str) -> str:
    """Read a capability's name, with or without its prefix, in any case."""
    name = text.strip().upper()
    return name if name == "ALL" or name.startswith("CAP_") else f"CAP_{name}"


def parse_device(text: str) -> dict[str, Any]:
    """Read `source[:target][:permissions]`."""
    parts = text.split(":")
    if len(parts) > 3:
        raise ValueError(f"invalid device specification: {text}")
    source, target, mode = parts[0], parts[0], "rwm"
    if len(parts) == 2 and _is_device_mode(parts[1]):
        mode = parts[1]
    elif len(parts) > 1:
        target = parts[1] or source
        mode = parts[2] if len(parts) == 3 else mode
    if not target.startswith("/"):
        raise ValueError(f"{target} is not an absolute path")
    if not _is_device_mode(mode):
        raise ValueError(f"bad mode specified: {mode}")
    return {"PathOnHost": source, "PathInContainer": target, "CgroupPermissions": mode}


def is_device_of_cdi(text: str) -> bool:
    """Whether a device is named as the Container Device Interface does: `vendor/class=name`."""
    kind, equals, name = text.partition("=")
    return bool(equals and name) and kind.count("/") == 1 and not kind.startswith("/")


def parse_device_rule(text: str) -> str:
    """Read a rule of the devices' control group, such as `c 1:3 mr`."""
    if not _DEVICE_RULE.fullmatch(text):
        raise ValueError(f"invalid device cgroup format '{text}'")
    return text


def parse_host(text: str) -> str:
    """Read `name:address` or `name=address`."""
    separator = "=" if "=" in text else ":"
    name, found, address = text.partition(separator)
    if not found or not name:
        raise ValueError(f'bad format for add-host: "{text}"')
    if address == "host-gateway":
        return f"{name}:{address}"
    bare = address[1:-1] if address.startswith("[") and address.endswith("]") else address
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        raise ValueError(f'invalid IP address in add-host: "{address}"') from None
    return f"{name}:{bare}"


def parse_address(text: str) -> str:
    """Read an IP address."""
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        raise ValueError(f"IP address is not correctly formatted: {text}") from None


def parse_domain(text: str) -> str:
    """Read a domain to search in; `.` is none."""
    domain = text.strip()
    if domain != "." and not _DOMAIN.fullmatch(domain):
        raise ValueError(f"{text} is not a valid domain")
    return domain


def parse_mac(text: str) -> str:
    """Read a network card's address."""
    if not _MAC.fullmatch(text):
        raise ValueError(f"{text} is not a valid mac address")
    return text


def parse_restart(text: str) -> dict[str, Any]:
    """Read `no`, `always`, `unless-stopped` or `on-failure[:most]`."""
    name, colon, count = text.partition(":")
    try:
        most = int(count) if colon else 0
    except ValueError:
        raise ValueError("invalid restart policy format: maximum retry count must be an integer") from None
    return {"Name": name, "MaximumRetryCount": most}


def parse_security(text: str, directory: Path) -> str:
    """Read a security option; a seccomp profile is sent as its text, without white space."""
    if "=" not in text and ":" not in text and text != "no-new-privileges":
        raise ValueError(f'Invalid --security-opt: "{text}"')
    name, equals, value = text.partition("=")
    if name != "seccomp" or not equals or value in {"unconfined", "builtin"}:
        return text
    try:
        profile = json.loads(read_bounded(directory / value, from_shell=True))
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise ValueError(f"opening seccomp profile ({value}) failed: open {value}: {reason}") from error
    except ValueError as error:
        raise ValueError(f"compacting json for seccomp profile ({value}) failed: {error}") from error
    return f"seccomp={json.dumps(profile, separators=(',', ':'))}"


def parse_pair(text: str) -> tuple[str, str]:
    """Read `name=value`; a name alone has the empty value."""
    name, _, value = text.partition("=")
    return name, value


def parse_storage(text: str) -> tuple[str, str]:
    """Read an option of the storage driver, `name=value`."""
    if "=" not in text:
        raise ValueError("invalid storage option")
    return parse_pair(text)


def parse_gpus(text: str) -> dict[str, Any]:
    """Read what `--gpus` says: `all`, a number, or `device=...,capabilities=...,driver=...,count=...`."""
    request: dict[str, Any] = {"Capabilities": [["gpu"]]}
    fields = [("count", text)] if "=" not in text else [parse_pair(field) for field in text.split(",")]
    for key, value in fields:
        if key == "count":
            if value != "all" and not value.isdigit():
                raise ValueError(f'invalid count ({value}): value must be either "all" or an integer')
            request["Count"] = -1 if value == "all" else int(value)
        elif key == "device":
            request["DeviceIDs"] = [value]
        elif key == "driver":
            request["Driver"] = value
        elif key == "capabilities":
            request["Capabilities"] = [[value, "gpu"]]
        else:
            raise ValueError(f"unexpected key '{key}' in '{key}={value}'")
    return request


def parse_variable(text: str, environ: Mapping[str, str]) -> str:
    """Read `NAME=value`; a name alone takes our own value, or unsets the image's."""
    name, equals, _ = text.partition("=")
    if not name:
        raise ValueError(f"invalid environment variable: {hide_value(text)}")
    return text if equals or name not in environ else f"{name}={environ[name]}"


def hide_value(text: str) -> str:
    """Return a variable for a message: its value may be a secret."""
    name, equals, value = text.partition("=")
    return f"{name}=…" if value else f"{name}{equals}"


def read_variables(
    name: str, directory: Path, environ: Mapping[str, str], *, from_shell: bool = True
) -> Iterator[str]:
    """Yield the variables of an `--env-file`; a name that we have no value for is left out.

    As docker reads it (opts/file.go): only blanks and tabs may not stand in a name, and a value keeps all.

    Args:
        name: The file.
        directory: What that is relative to.
        environ: Where a name without a value gets one.
        from_shell: Whether the command line names it: what another file names must be no pipe, and its lines
            are not shown.
    """
    for number, line in enumerate(_read_lines(name, directory, from_shell=from_shell), start=1):
        text = line.lstrip(BLANKS)
        if not text or text.startswith("#"):
            continue
        variable, equals, _ = text.partition("=")
        # A line without a name may be a secret, or the file another than was meant.
        if not variable:
            raise ValueError(
                f"invalid env file ({name}): no variable name on line '{hide_value(text)}' (line {number})"
            )
        if " " in variable or "\t" in variable:
            shown = variable if equals and from_shell else "…"
            raise ValueError(
                f"invalid env file ({name}): variable '{shown}' contains whitespaces (line {number})"
            )
        if equals:
            yield text
        elif variable in environ:
            yield f"{variable}={environ[variable]}"


def _read_lines(name: str, directory: Path, *, from_shell: bool) -> list[str]:
    try:
        text = read_bounded(directory / name, from_shell=from_shell).decode("utf-8-sig")
    except OSError as error:
        raise ValueError(f"open {name}: {(error.strerror or '').lower()}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not UTF-8 text: {error}") from error
    # A carriage return before the newline belongs to it (bufio.ScanLines).
    return [line.removesuffix("\r") for line in split_lines(text)]


def _is_device_mode(text: str) -> bool:
    return bool(text) and len(set(text)) == len(text) and set(text) <= set("rwm")
