"""docker's own files, read by docker's rules: config.json, what a context says of its engine, daemon.json.

What was tried with docker 28 (Go's encoding/json): a name counts in any case, and the last of two; null is as
if nothing stood there; bytes that are not UTF-8 are U+FFFD; a byte order mark is refused. Of config.json the
first value counts, whatever follows, and nothing at all is as good as `{}`; a value of another kind is warned
of and left out, and the rest holds. What a context says must be right as a whole.

Credentials for registries stand in config.json, too: nothing of nixdock asks for them, however they look.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

from nixdock.settings import home_dir

if TYPE_CHECKING:
    from collections.abc import Mapping

_HALVES: Final = re.compile("[\ud800-\udfff]")
_BLANKS: Final = " \t\n\r"
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNSENDABLE: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
_UNSENT: Final = {"host", "user-agent", "content-length", "transfer-encoding", "trailer"}
"""Headers that docker leaves out, whatever config.json says (net/http, reqWriteExcludeHeader)."""


@dataclass(frozen=True, slots=True)
class DockerConfig:
    """What docker's config.json says, as far as nixdock asks.

    Args:
        context: The current context; empty where none is named.
        detach_keys: The keys that leave a container.
        headers: What goes along with every request to an engine.
        plugin_directories: Where plugins are looked for first.
        proxies: Of engines by their address, and `default`: settings by their names in small letters.
        fault: What could not be read of it, as a sentence; None where all could.
    """

    context: str = ""
    detach_keys: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    plugin_directories: tuple[str, ...] = ()
    proxies: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    fault: str | None = None


def config_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the directory of docker's own configuration; it may not exist."""
    if environ.get("DOCKER_CONFIG"):
        return Path(environ["DOCKER_CONFIG"])
    home = environ.get("HOME")
    return (Path(home) if home else home_dir()) / ".docker"


def read_config(environ: Mapping[str, str] = os.environ) -> DockerConfig:
    """Read docker's config.json; one that cannot be read is as good as none, and has a fault."""
    path = config_dir(environ) / "config.json"
    try:
        text = path.read_bytes().decode("utf-8", "replace").lstrip(_BLANKS)
        value = _DECODER.raw_decode(text)[0] if text else None
    except (FileNotFoundError, NotADirectoryError):
        return DockerConfig()
    except OSError as error:
        return DockerConfig(fault=f"cannot read {path}: {error.strerror}")
    except (ValueError, RecursionError) as error:
        why = "nested too deep" if isinstance(error, RecursionError) else error
        return DockerConfig(fault=f"{path} is not valid JSON, and passed over: {why}")
    if value is None:
        return DockerConfig()
    reader = _Reader()
    if not isinstance(value, dict):
        return DockerConfig(fault=f"{path} is no JSON object, and passed over")
    given = _fold(value)
    headers = reader.texts(given.get("httpheaders"), "HttpHeaders")
    proxies = reader.table(given.get("proxies"), "proxies")
    return DockerConfig(
        context=reader.text(given.get("currentcontext"), "currentContext"),
        detach_keys=reader.text(given.get("detachkeys"), "detachKeys"),
        headers={name: text for name, text in headers.items() if reader.is_sendable(name, text)},
        plugin_directories=reader.several(given.get("clipluginsextradirs"), "cliPluginsExtraDirs"),
        proxies={
            name: reader.texts(None if item is None else _fold_any(item), f"proxies[{name!r}]")
            for name, item in proxies.items()
        },
        fault=f"{path}: {reader.faults[0]}, and is left out" if reader.faults else None,
    )


def read_endpoint(meta: Path) -> tuple[str, bool]:
    """Return the address that a context names, and whether its certificate need not be verified.

    Args:
        meta: The context's meta.json.

    Returns:
        The address; it is empty where the context leaves it to docker.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not what docker writes; the message says why.
    """
    reader = _Reader()
    given = _read_whole(meta, reader)
    endpoints = reader.table(given.get("endpoints"), "Endpoints")
    if endpoints.get("docker") is None:
        raise ValueError("it has no endpoint of docker")
    endpoint = _fold(reader.table(endpoints["docker"], "Endpoints.docker"))
    host = reader.text(endpoint.get("host"), "Host")
    skips = endpoint.get("skiptlsverify")
    if skips is not None and not isinstance(skips, bool):
        reader.faults.append("SkipTLSVerify is neither true nor false")
    if reader.faults:
        raise ValueError(reader.faults[0])
    return host, bool(skips)


def read_context_name(meta: Path) -> str:
    """Return a context's name.

    Raises:
        OSError: Its meta.json cannot be read.
        ValueError: It is not what docker writes.
    """
    reader = _Reader()
    name = reader.text(_read_whole(meta, reader).get("name"), "Name")
    if reader.faults or not name:
        raise ValueError(reader.faults[0] if reader.faults else "it has no name")
    return name


def read_daemon_settings(path: Path) -> dict[str, Any]:
    """Return what a daemon.json says, as dockerd reads it; nothing at all is as good as `{}`.

    Raises:
        OSError: It cannot be read.
        ValueError: dockerd would refuse it; the message says why.
    """
    text = path.read_bytes().decode("utf-8", "replace").lstrip(_BLANKS)
    try:
        value = _DECODER.raw_decode(text)[0] if text else {}
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if not isinstance(value, dict | NoneType):
        raise ValueError("it is no JSON object")  # noqa: TRY004  # a file's fault, not a caller's
    return value or {}


def _read_whole(meta: Path, reader: _Reader) -> dict[str, Any]:
    text = meta.read_bytes().decode("utf-8", "replace").strip(_BLANKS)
    try:
        value, end = _DECODER.raw_decode(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if end != len(text):
        raise ValueError("something follows the JSON")
    given = _fold(reader.table(value, "it"))
    # Not asked for, but docker reads them, and refuses the whole where they are of another kind.
    reader.text(given.get("name"), "Name")
    reader.table(given.get("metadata"), "Metadata")
    return given


@dataclass(slots=True)
class _Reader:
    """Reads values of one kind each; what is null is as if nothing was given, another kind is a fault."""

    faults: list[str] = field(default_factory=list)

    def text(self, value: object, name: str) -> str:
        if value is None:
            return ""
        if not isinstance(value, str):
            self.faults.append(f"{name} is no text")
            return ""
        return _HALVES.sub("\ufffd", value)

    def table(self, value: object, name: str) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.faults.append(f"{name} is no object")
            return {}
        return {_HALVES.sub("\ufffd", key): item for key, item in value.items()}

    def texts(self, value: object, name: str) -> dict[str, str]:
        return {key: self.text(item, f"{name}[{key!r}]") for key, item in self.table(value, name).items()}

    def several(self, value: object, name: str) -> tuple[str, ...]:
        if value is None:
            return ()
        if not isinstance(value, list):
            self.faults.append(f"{name} is no list")
            return ()
        return tuple(self.text(item, f"{name}[{number}]") for number, item in enumerate(value))

    def is_sendable(self, name: str, text: str) -> bool:
        """Whether a header can stand in a request; docker's own requests fail of one that cannot."""
        if not _HEADER.fullmatch(name) or _UNSENDABLE.search(text):
            self.faults.append(f"HttpHeaders[{name!r}] is no header of HTTP")
            return False
        return name.lower() not in _UNSENT


def _fold(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object by its names in small letters; null takes nothing away."""
    found: dict[str, Any] = {}
    for name, item in value.items():
        if item is not None:
            found[name.casefold()] = item
    return found


def _fold_any(value: object) -> object:
    return _fold(value) if isinstance(value, dict) else value


def _refuse_constant(word: str) -> float:
    raise ValueError(f"{word} is no value of JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)
