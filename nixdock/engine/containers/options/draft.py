"""The request to create a container, while options are written into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class Draft:
    """What the options have said so far.

    Args:
        directory: What relative paths are relative to.
        environ: The environment that `-e NAME` reads.
        by_hand: Whether the options were typed, and not read from a file.
        body: The request as the Engine API writes it, but for its HostConfig.
        host: The HostConfig.
        name: The container's name.
        platform: As `os/architecture`.
        endpoint: The container's place in its network.
        health: The health check.
        no_health: Whether the image's own is switched off.
    """

    directory: Path = field(default_factory=Path.cwd)
    environ: Mapping[str, str] = field(default_factory=dict)
    by_hand: bool = True
    body: dict[str, Any] = field(default_factory=dict)
    host: dict[str, Any] = field(default_factory=dict)
    name: str | None = None
    platform: str | None = None
    endpoint: dict[str, Any] = field(default_factory=dict)
    health: dict[str, Any] = field(default_factory=dict)
    no_health: bool = False


Write = Callable[[Draft, str], None]
"""Writes one value of an option into the request; raises ValueError with docker's own sentence."""


def put(key: str, parse: Callable[[str], Any] = str) -> Write:
    """Write a value into the body."""

    def write(draft: Draft, text: str) -> None:
        draft.body[key] = parse(text)

    return write


def put_host(key: str, parse: Callable[[str], Any] = str) -> Write:
    """Write a value into the HostConfig."""

    def write(draft: Draft, text: str) -> None:
        draft.host[key] = parse(text)

    return write


def switch_host(key: str) -> Write:
    """Switch something on in the HostConfig."""

    def write(draft: Draft, _text: str) -> None:
        draft.host[key] = True

    return write


def append_host(key: str, parse: Callable[[str], Any] = str) -> Write:
    """Add to a list in the HostConfig."""

    def write(draft: Draft, text: str) -> None:
        draft.host.setdefault(key, []).append(parse(text))

    return write


def merge(key: str, parse: Callable[[str], tuple[str, Any]]) -> Write:
    """Add a name and its value to a map in the body."""

    def write(draft: Draft, text: str) -> None:
        name, value = parse(text)
        draft.body.setdefault(key, {})[name] = value

    return write


def merge_host(key: str, parse: Callable[[str], tuple[str, Any]]) -> Write:
    """Add a name and its value to a map in the HostConfig."""

    def write(draft: Draft, text: str) -> None:
        name, value = parse(text)
        draft.host.setdefault(key, {})[name] = value

    return write
