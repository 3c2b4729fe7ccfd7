"""File systems as `-v`, `--mount` and `--tmpfs` write them."""

from __future__ import annotations

import csv
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

_RECURSIVE: Final = ("enabled", "disabled", "writable", "readonly")


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
