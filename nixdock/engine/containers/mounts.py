"""Store paths of this machine in a container, in place of those of its image."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any, Final

from nixdock.engine.connection.refusals import EngineRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nixdock.errors import EngineError

_NOT_SEEN: Final = re.compile(
    r"bind source path does not exist|statfs [^:]+: no such file|mount source .*no such file"
    r"|not shared from the host|Mounts denied",
    re.IGNORECASE,
)
"""What engines say that do not see a path of this machine: Docker, Podman, crun, Docker Desktop."""


def mount_paths(paths: Iterable[str]) -> list[dict[str, Any]]:
    """Return what mounts paths of this machine in a container, read-only and where they are here.

    As `Mounts`: an engine refuses one whose source it does not see. Of `Binds` it would make a folder.
    """
    return [{"Type": "bind", "Source": path, "Target": path, "ReadOnly": True} for path in paths]


def with_store(body: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """Return a request for a container that has these store paths mounted too.

    What the request mounts itself hides what is below it, as it would hide it in the image.

    Args:
        body: The request as the Engine API writes it.
        paths: The store paths.
    """
    host = body.get("HostConfig") or {}
    own = {posixpath.normpath(target) for target in _targets(body, host)}
    shown = [path for path in paths if own.isdisjoint(_ways(path))]
    return {**body, "HostConfig": {**host, "Mounts": [*(host.get("Mounts") or ()), *mount_paths(shown)]}}


def _targets(body: Mapping[str, Any], host: Mapping[str, Any]) -> Iterator[str]:
    for mount in host.get("Mounts") or ():
        yield str(mount.get("Target"))
    for bind in host.get("Binds") or ():
        yield str(bind).split(":")[1]
    yield from host.get("Tmpfs") or ()
    yield from body.get("Volumes") or ()


def _ways(path: str) -> Iterator[str]:
    """Yield a path, and the directories above it."""
    while path != "/":
        yield path
        path = posixpath.dirname(path)


def is_unseen(error: EngineError) -> bool:
    """Whether an engine refused a container because it does not see what is to be mounted."""
    return isinstance(error, EngineRefusedError) and bool(_NOT_SEEN.search(error.message))
