"""Store paths of this machine in a container, in place of those of its image.

That an engine takes the mounts is the proof that it sees them. One that does not, because it is on another
machine or in another file system, refuses; then the whole image is loaded. Podman takes any, and is known by
its own files.

A container that stays when nixdock has ended keeps its store paths from Nix's garbage collector: by links in
nixdock's state, in a directory for each engine and one for each container. They are removed with it, or by
the next run after it is gone.
"""

from __future__ import annotations

import contextlib
import hashlib
import posixpath
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nixdock import settings
from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.errors import EngineError, NixdockError
from nixdock.events import Warned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import CreatedContainer, ImageDetails
    from nixdock.engine.containers.image import EngineImage
    from nixdock.engine.containers.options.request import CreateRequest
    from nixdock.events import Listener

_NOT_SEEN: Final = re.compile(
    r"bind source path does not exist|invalid mount config .*: permission denied"
    r"|not shared from the host|Mounts denied",
    re.IGNORECASE,
)
"""What engines say that do not see a path of this machine, or may not: Docker, and Docker Desktop."""


def sees_our_files(engine: Engine, image: ImageDetails) -> bool:
    """Whether an engine's files are this machine's: it says where it keeps an image, and there that is.

    Args:
        engine: One that does not refuse to mount what it does not see.
        image: An image that it has.
    """
    info = engine.info
    driver = str(info.raw.get("Driver") or "")
    return settings.is_there(Path(info.root) / f"{driver}-images" / image.id.removeprefix("sha256:"))


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


def create(
    image: EngineImage, request: CreateRequest, body: Mapping[str, Any]
) -> tuple[CreatedContainer, EngineImage]:
    """Create a container, with this machine's store paths mounted where its image is without.

    Args:
        image: The image.
        request: Its name and platform.
        body: What is asked of the engine.

    Returns:
        The container, and the image that it is of: the whole one where the engine does not see the paths.

    Raises:
        EngineError: The engine refuses it.
        LoadError: The whole image is needed, and cannot be loaded.
    """
    engine, store = image.engine, image.host_store
    if store is not None and store.whole is None:
        try:
            mounted = with_store(body, store.paths)
            return engine.create_container(mounted, name=request.name, platform=request.platform), image
        except EngineError as error:
            if not is_unseen(error):
                raise
            store.fall_back()
    if store is not None and store.whole is not None and body["Image"] == image.run_as:
        image = store.whole
        body = {**body, "Image": image.run_as}
    return engine.create_container(body, name=request.name, platform=request.platform), image


def hold_store(image: EngineImage, container: str, listener: Listener) -> None:
    """Keep the store paths of a container from the garbage collector that stays when nixdock has ended.

    Args:
        image: Its image.
        container: Its ID.
        listener: Told where that fails.
    """
    if image.host_store is None:
        return
    try:
        image.host_store.hold(container)
    except (NixdockError, OSError) as error:
        why = error.message if isinstance(error, NixdockError) else error.strerror
        name = f"the container {container[:12]}"
        listener(Warned(f"Nix's garbage collector may remove what is mounted in {name}: {why}"))


def roots_of(engine: Engine, container: str) -> Path:
    """Return the directory of what keeps a container's store paths from the garbage collector."""
    key = hashlib.sha256(engine.traits.identity.encode()).hexdigest()[:32]
    return _roots() / key / container


def forget_roots(engine: Engine, container: str) -> None:
    """Leave to the garbage collector what a container needed that is gone."""
    if _roots().is_dir():
        shutil.rmtree(roots_of(engine, container), ignore_errors=True)


def sweep_roots(engine: Engine) -> None:
    """Leave to the garbage collector what the containers of an engine needed that are gone.

    Raises:
        EngineError: The engine cannot be asked.
    """
    with contextlib.suppress(OSError):
        # Most users have none, and need not ask the engine who it is.
        if not any(_roots().iterdir()):
            return
        own = roots_of(engine, "any").parent
        for directory in own.iterdir():
            if engine.find_container(directory.name) is None:
                shutil.rmtree(directory, ignore_errors=True)
        # Where it is empty by now; the engine need not be asked any more.
        own.rmdir()


def _roots() -> Path:
    return settings.state_dir() / "roots"
