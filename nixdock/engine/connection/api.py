"""The calls that nixdock makes to an engine, with our own values as responses.

Nothing is read into memory that can be large. Every failure is an `EngineError`:
`EngineUnreachableError` where nobody answers, `EngineRefusedError` with the HTTP status where the
response is no; what may simply not be there is None.
"""

from __future__ import annotations

import json
import math
import os
import re
import time
from typing import TYPE_CHECKING, Any, Final, Self

from nixdock.engine.connection import decoding, patience
from nixdock.engine.connection.client import open_connection
from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.engine.connection.responses import (
    STOP_TIMEOUT,
    ContainerDetails,
    ContainerSummary,
    CreatedContainer,
    EngineInfo,
    ImageDetails,
    ImageSummary,
    has_labels,
)
from nixdock.engine.connection.traits import Traits
from nixdock.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence

    from nixdock.engine.connection.address import Address
    from nixdock.engine.connection.client import Connection
    from nixdock.engine.connection.patience import Patience
    from nixdock.engine.connection.responses import EngineVersion
    from nixdock.engine.connection.stream import Stream
    from nixdock.image.extent import Piece

REMOVAL_PATIENCE: Final = 10.0
"""Seconds to wait for a container that the engine is removing by itself; it may be stuck with it."""

_LIBPOD_API: Final = "4.0.0"
"""The version of Podman's own API."""

_PAUSE: Final = 0.05


def connect(
    address: Address, *, environ: Mapping[str, str] = os.environ, seconds: float | None = None
) -> Engine:
    """Connect to the engine at an address; it is asked for its version, and nothing else.

    Args:
        address: From `nixdock.engine.connection.address.choose`.
        environ: The environment; DOCKER_API_VERSION pins the API version, as for docker.
        seconds: How long the engine may be waited for in all (`--timeout`); None is for ever.

    Raises:
        EngineUnreachableError: Nobody answers there, or we may not use the socket.
        EngineRefusedError: What answers is no engine.
        EngineLateError: It did not answer in time.
    """
    return Engine(open_connection(address, pinned=environ.get("DOCKER_API_VERSION"), seconds=seconds))


class Engine:
    """A connected engine. Calls may come from several threads.

    Args:
        connection: Sends the requests.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._info: EngineInfo | None = None
        self.traits = Traits(connection.version, lambda: self.info)

    @property
    def address(self) -> Address:
        """Where it answers."""
        return self._connection.address

    @property
    def version(self) -> EngineVersion:
        """What it said of itself."""
        return self._connection.version

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._connection.close()

    @property
    def patience(self) -> Patience:
        """How long it is waited for, which whoever uses it may limit."""
        return self._connection.patience

    @property
    def info(self) -> EngineInfo:
        """How it is set up; asked once."""
        if self._info is None:
            self._info = self.ask_info()
        return self._info

    def ask_info(self) -> EngineInfo:
        """Ask how it is set up at this moment."""
        return EngineInfo.from_json(self._connection.ask("/info", shape=decoding.INFO))

    def answers(self) -> bool:
        """Whether the engine answers at this moment; one that went away may have come back."""
        try:
            self._connection.ask("/version", shape=decoding.VERSION)
        except EngineError:
            return False
        return True

    # Images

    def has_images(self) -> bool:
        """Whether it has any image at this moment; yes where it does not tell."""
        return bool(self.ask_info().raw.get("Images") != 0)

    def images(
        self, *, every: bool = False, filters: Mapping[str, Sequence[str]] | None = None
    ) -> tuple[ImageSummary, ...]:
        """List images.

        Args:
            every: Those without a name that others are built on, too.
            filters: As of `docker images --filter`, such as `{"reference": ["hello"]}`.
        """
        path = "/images/json"
        response = self._connection.ask(path, {"all": int(every), **_filters(filters)}, shape=decoding.IMAGES)
        return tuple(ImageSummary.from_json(raw) for raw in response)

    def find_image(self, reference: str, *, manifests: bool = False) -> ImageDetails | None:
        """Inspect an image; None where the engine has none of this name or ID.

        Args:
            reference: A reference or an ID.
            manifests: Ask for the manifests too, and whether all their content is there (`Manifests`
                in `raw`; engines with API 1.48).
        """
        params = {"manifests": 1} if manifests and self.traits.tells_manifests else None
        path = f"/images/{reference}/json"
        response = self._connection.ask(path, params, may_lack=True, shape=decoding.IMAGE)
        if response is not None and self.traits.leaves_health_check_out:
            path = f"/libpod/images/{reference}/json"
            own = self._connection.ask(path, may_lack=True, shape=decoding.LIBPOD_IMAGE, api=_LIBPOD_API)
            response["Config"] = {
                "Healthcheck": (own or {}).get("Healthcheck"),
                **(response.get("Config") or {}),
            }
        return None if response is None else ImageDetails.from_json(response)

    def load(self, archive: Iterable[Piece], *, size: int | None = None) -> Iterator[dict[str, Any]]:
        """Send an image archive and yield the messages of the response, errors among them, as they come.

        The archive is streamed; what raises while it is read is raised here. There is no time limit
        while the engine lives: it may be silent until all is unpacked.

        Args:
            archive: Its pieces.
            size: How many bytes these are, where that is known.
        """
        return self._connection.messages("/images/load", {"quiet": 0}, archive=archive, size=size)

    def save(self, references: Sequence[str]) -> Iterator[bytes]:
        """Yield an archive of images, as `docker save` writes it, piece by piece."""
        return self._connection.pieces("/images/get", {"names": list(references)})

    def tag_image(self, image: str, repository: str, tag: str) -> None:
        """Give an image one more name."""
        self._connection.send("POST", f"/images/{image}/tag", {"repo": repository, "tag": tag})

    def remove_image(self, reference: str, *, force: bool = False, keep_parents: bool = False) -> None:
        """Remove a name of an image, and with its last name the image."""
        params = {"force": int(force), "noprune": int(keep_parents)}
        self._connection.send("DELETE", f"/images/{reference}", params, seconds=patience.LABOUR)

    # Containers

    def containers(
        self, *, labels: Sequence[str] = (), names: Sequence[str] = ()
    ) -> tuple[ContainerSummary, ...]:
        """List containers, those too that do not run.

        Args:
            labels: Only those with all these labels, each `key` or `key=value`.
            names: Only those whose name is exactly one of these.
        """
        filters: dict[str, Sequence[str]] = {}
        if labels:
            filters["label"] = labels
        if names:
            # A regular expression to the engine.
            filters["name"] = [f"^/?{re.escape(name)}$" for name in names]
        path = "/containers/json"
        response = self._connection.ask(path, {"all": 1, **_filters(filters)}, shape=decoding.CONTAINERS)
        found = (ContainerSummary.from_json(raw) for raw in response)
        return tuple(
            one for one in found if has_labels(one.labels, labels) and (not names or one.name in names)
        )

    def find_container(self, container: str) -> ContainerDetails | None:
        """Inspect a container; None where there is none of this name or ID."""
        path = f"/containers/{container}/json"
        response = self._connection.ask(path, may_lack=True, shape=decoding.CONTAINER)
        return None if response is None else ContainerDetails.from_json(response)

    def create_container(
        self, body: Mapping[str, Any], *, name: str | None = None, platform: str | None = None
    ) -> CreatedContainer:
        """Create a container; an image that is not there is refused (404), never pulled.

        Args:
            body: The request as the Engine API writes it.
            name: Its name; the engine invents one when None.
            platform: As `os/architecture[/variant]`, for engines with API 1.41.
        """
        params = {key: value for key, value in (("name", name), ("platform", platform)) if value}
        if self.traits.takes_no_stop_timeout_for_none and body.get("StopTimeout") is None:
            body = {**body, "StopTimeout": STOP_TIMEOUT}
        path = "/containers/create"
        response = self._connection.ask(path, params, method="POST", json_body=body, shape=decoding.CREATED)
        return CreatedContainer(response["Id"], tuple(response.get("Warnings") or ()))

    def start_container(self, container: str) -> None:
        """Start a container."""
        self._connection.send("POST", f"/containers/{container}/start")

    def attach(
        self, container: str, *, tty: bool, stdin: bool = False, detach_keys: str | None = None
    ) -> Stream:
        """Connect to a container's streams; do so before its start, or nothing is certain.

        An engine may never answer for a container that has ended.
        """
        params: dict[str, Any] = {"stream": 1, "stdout": 1, "stderr": 1, "stdin": int(stdin)}
        if detach_keys:
            params["detachKeys"] = detach_keys
        return self._connection.hijack(f"/containers/{container}/attach", params, tty=tty, by_sdk=False)

    def wait_container(self, container: str, *, condition: str = "not-running") -> Callable[[], int]:
        """Begin to wait until a container has ended; call the result to wait and get its exit code.

        The engine watches from when this returns, so that the end of a container that is started
        afterwards cannot be missed. It may take as long as the engine lives.

        Args:
            container: Its name or ID.
            condition: `not-running`, `next-exit` (for one not yet started) or `removed`.
        """
        path = f"/containers/{container}/wait"
        wait = self._connection.begin(path, {"condition": condition}, shape=decoding.WAITED)
        return lambda: int(wait()["StatusCode"])

    def kill_container(self, container: str, signal: str = "KILL") -> None:
        """Send a signal to a container's first process; one that has ended is not an error."""
        path = f"/containers/{container}/kill"
        try:
            self._connection.send("POST", path, {"signal": signal}, tolerate=409)
        except EngineRefusedError as error:
            # Podman 4 says 500.
            if "can only kill running containers" not in error.message:
                raise

    def stop_container(self, container: str, *, grace: int) -> None:
        """Ask a container to end, and kill it after `grace` seconds; they are negative for never."""
        # That it takes so long is no sign of an engine that hangs.
        seconds = math.inf if grace < 0 else patience.RESPONSE + grace
        self._connection.send("POST", f"/containers/{container}/stop", {"t": grace}, seconds=seconds)

    def rename_container(self, container: str, name: str) -> None:
        """Give a container another name, running or not; one that is taken is refused (409)."""
        self._connection.send("POST", f"/containers/{container}/rename", {"name": name})

    def remove_container(self, container: str) -> None:
        """Remove a container with its anonymous volumes, and return when it is gone.

        One that is gone is no error; one that the engine is removing by itself is waited for.
        """
        params = {"force": 1, "v": 1}
        path, api = f"/containers/{container}", None
        if self.traits.asks_before_removing:
            path, api = f"/libpod/containers/{container}", _LIBPOD_API
            params |= {"volumes": 1, "timeout": 0}
        try:
            self._connection.send("DELETE", path, params, tolerate=404, api=api)
        except EngineRefusedError as error:
            if error.status != 409 or "already in progress" not in error.message:
                raise
            end = time.monotonic() + min(REMOVAL_PATIENCE, self.patience.left)
            while self.find_container(container) is not None and time.monotonic() < end:
                time.sleep(_PAUSE)

    def resize_container(self, container: str, *, rows: int, columns: int) -> None:
        """Tell a container's terminal its size."""
        self._connection.send("POST", f"/containers/{container}/resize", {"h": rows, "w": columns})

    def logs(self, container: str, *, tty: bool, tail: int | None = None) -> Stream:
        """Read what a container has written so far."""
        params: dict[str, Any] = {"stdout": 1, "stderr": 1, "follow": 0, "timestamps": 0}
        params["tail"] = "all" if tail is None else tail
        return self._connection.stream(f"/containers/{container}/logs", params, tty=tty)

    def put_archive(self, container: str, path: str, archive: bytes) -> None:
        """Unpack a tar archive into a directory of a container, running or not."""
        self._connection.send("PUT", f"/containers/{container}/archive", {"path": path}, body=archive)

    def get_archive(self, container: str, path: str) -> Generator[bytes]:
        """Yield a tar archive of a file or directory of a container, piece by piece.

        Whoever has enough of it must close it: until then the engine keeps the container locked.
        """
        return self._connection.pieces(f"/containers/{container}/archive", {"path": path})

    def commit_container(
        self, container: str, *, labels: Mapping[str, str], repository: str, tag: str
    ) -> str:
        """Make an image of a container that has ended, with its files and its config; return its ID.

        It gets further labels, and a name; the container's volumes are no part of it.
        """
        changes = [f"LABEL {json.dumps(key)}={json.dumps(value)}" for key, value in labels.items()]
        params = {"container": container, "changes": changes, "repo": repository, "tag": tag, "pause": 0}
        body: dict[str, Any] | None = {} if self.traits.wants_body_to_commit else None
        made = self._connection.ask(
            "/commit", params, method="POST", json_body=body, seconds=math.inf, shape=decoding.CREATED
        )
        return str(made["Id"])

    def changes(self, container: str) -> tuple[tuple[int, str], ...]:
        """Return what a container changed in its file system: 0 changed, 1 added, 2 deleted, and the path."""
        # Where an engine's storage knows no layers it compares all files.
        path = f"/containers/{container}/changes"
        response = self._connection.ask(path, shape=decoding.CHANGES, seconds=patience.LABOUR) or ()
        return tuple((int(raw["Kind"]), raw["Path"]) for raw in response)

    def stats(self, container: str) -> dict[str, Any]:
        """Return a container's use of memory and processors, measured once."""
        path, params = f"/containers/{container}/stats", {"stream": 0, "one-shot": 1}
        return dict(self._connection.ask(path, params, shape=decoding.STATS))

    # Commands in a running container

    def create_exec(self, container: str, body: Mapping[str, Any]) -> str:
        """Prepare a command in a running container and return its ID.

        Args:
            container: The container's name or ID.
            body: The request as the Engine API writes it (Cmd, Env, User, WorkingDir, Tty, Attach...).
        """
        path = f"/containers/{container}/exec"
        return str(self._connection.ask(path, method="POST", json_body=body, shape=decoding.CREATED)["Id"])

    def start_exec(self, exec_id: str) -> Stream:
        """Start a prepared command and connect to its streams."""
        body = {"Detach": False, "Tty": False}
        return self._connection.hijack(f"/exec/{exec_id}/start", tty=False, json_body=body)

    def find_exit_code(self, exec_id: str) -> int | None:
        """Return the exit code of a command; None while it runs."""
        response = self._connection.ask(f"/exec/{exec_id}/json", shape=decoding.EXEC)
        return None if response["Running"] else response.get("ExitCode")

    # Networks and volumes

    def networks(self, *, labels: Sequence[str] = ()) -> tuple[dict[str, Any], ...]:
        """List networks as the engine describes them."""
        response = self._connection.ask("/networks", _filters({"label": labels}), shape=decoding.NETWORKS)
        return tuple(raw for raw in response if has_labels(raw.get("Labels") or {}, labels))

    def remove_network(self, network: str) -> None:
        """Remove a network; one that is gone is not an error."""
        self._connection.send("DELETE", f"/networks/{network}", tolerate=404)

    def volumes(self, *, labels: Sequence[str] = ()) -> tuple[dict[str, Any], ...]:
        """List volumes as the engine describes them."""
        response = self._connection.ask("/volumes", _filters({"label": labels}), shape=decoding.VOLUMES)
        return tuple(raw for raw in response["Volumes"] or () if has_labels(raw.get("Labels") or {}, labels))

    def remove_volume(self, volume: str) -> None:
        """Remove a volume; one that is gone is not an error."""
        self._connection.send("DELETE", f"/volumes/{volume}", tolerate=404)


def _filters(filters: Mapping[str, Sequence[str]] | None) -> dict[str, str]:
    kept = {key: list(values) for key, values in (filters or {}).items() if values}
    return {"filters": json.dumps(kept)} if kept else {}
