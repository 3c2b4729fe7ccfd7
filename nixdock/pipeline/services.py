"""Long-running containers: whether one runs already, when it is ready, and its end.

A service is known by its target and its name, and its settings by a digest over all that it was
created from. Two `up` of one service wait for each other, so that the second finds the first ready.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nixdock import settings
from nixdock.checks.outcome import Capture, tail_of
from nixdock.engine.health import HealthCheck, HealthWatch, probe
from nixdock.engine.owner import SETTINGS, TARGET, find_ourselves, is_owned_by_living
from nixdock.engine.stream import STDOUT
from nixdock.errors import EngineError, NixdockError
from nixdock.events import Notice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nixdock.checks.outcome import Output
    from nixdock.engine.answers import ContainerDetails, ContainerSummary
    from nixdock.engine.api import Engine
    from nixdock.engine.run_options.request import CreateRequest
    from nixdock.events import Listener
    from nixdock.pipeline.prepare import Ready

AT_ONCE: Final = 0.5
"""Seconds for which a detached container without a health check must live to have started."""

_TAIL: Final = 20


class NotReadyError(NixdockError):
    """A service ended, or said that it is not healthy, before it was ready."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Service:
    """What `up` is to have running.

    Args:
        target: What the target is: the key of a label.
        name: The container's name.
        settings: A digest over the image and all options.
    """

    target: str
    name: str
    settings: str

    @property
    def labels(self) -> dict[str, str]:
        """Return the labels by which it is found again."""
        return {TARGET: self.target, SETTINGS: self.settings}


def describe_service(image: Ready, request: CreateRequest) -> Service:
    """Say what service an image and a request make."""
    # Whether we look on while it runs is none of its settings.
    body = {key: value for key, value in request.body.items() if not key.startswith("Attach")}
    facts = {"image": image.details.id, "body": {**body, "Image": ""}, "platform": request.platform}
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    if request.name:
        return Service(image.key, request.name, digest)
    # One name for one target, which no container of another one has.
    base = "" if image.name == image.details.id else _last_part(image.name)
    suffix = hashlib.sha256(image.key.encode()).hexdigest()[:6]
    return Service(image.key, f"{base or 'service'}-{suffix}", digest)


def _last_part(name: str) -> str:
    """Return the last part of an image's name, without tag and digest."""
    return name.rpartition("/")[2].partition("@")[0].partition(":")[0]


def has_health_check(image: Ready, request: CreateRequest) -> bool:
    """Whether the engine will probe a container's health."""
    return request.is_probed(image.details.config)


@contextmanager
def exclusively(engine: Engine, service: Service, listener: Listener) -> Iterator[None]:
    """Keep other runs of nixdock away from this service; where no lock can be had, go on without."""
    key = hashlib.sha256(f"{engine.address.url} {service.target} {service.name}".encode()).hexdigest()
    folder = settings.state_dir() / "locks"
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context((folder / key[:32]).open("wb"))
        except OSError:
            yield
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            listener(Notice(f"waiting for another nixdock that works on {service.name}"))
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def find_running(engine: Engine, service: Service) -> ContainerDetails | None:
    """Return the service's container, if it runs with the same settings and is ready."""
    found = _find(engine, service)
    if found is None or found.labels.get(SETTINGS) != service.settings:
        return None
    details = engine.find_container(found.id)
    return details if details is not None and _is_ready(engine, details) else None


def _is_ready(engine: Engine, container: ContainerDetails) -> bool:
    """Whether a container runs and, if it has a health check, passes it."""
    if container.status != "running" or container.health == "unhealthy":
        return False
    check = HealthCheck.of(container)
    if check is None or container.health == "healthy":
        return True
    # Its engine has not probed it yet, or never does.
    try:
        return probe(engine, container.id, check)[0]
    except EngineError:
        return False


def is_attended(container: ContainerDetails) -> bool:
    """Whether another run of nixdock is there for it, in another terminal perhaps."""
    return is_owned_by_living(container.labels, observer=find_ourselves(), now=time.time())


def replace_old(engine: Engine, service: Service, listener: Listener) -> None:
    """Stop and remove what the service's name stands for by now, if that is ours."""
    found = _find(engine, service)
    if found is None:
        return
    listener(Notice(f"replacing {found.name}: the image or the options are others, or it was not ready"))
    stop_and_remove(engine, found)


def stop_and_remove(engine: Engine, container: ContainerSummary) -> None:
    """Let a container end, and remove it with its anonymous volumes."""
    if container.is_running:
        with contextlib.suppress(EngineError):
            engine.stop_container(container.id)
    engine.remove_container(container.id)


class OwnReadiness:
    """Tells when a container is ready by its own account: its health check, or that it lives.

    Its end is told elsewhere.

    Args:
        engine: Where it runs.
        container: Its ID.
        name: What the user calls it.
    """

    def __init__(self, engine: Engine, container: str, name: str) -> None:
        self._name = name
        self._since = time.monotonic()
        details = engine.find_container(container)
        check = None if details is None else HealthCheck.of(details)
        self._watch = HealthWatch(engine, details, check) if details is not None and check else None

    def __call__(self) -> bool:
        """Whether it is ready now; without a health check when it has lived a moment.

        Raises:
            NotReadyError: It is not healthy, and has had the time for it.
        """
        if self._watch is None:
            return time.monotonic() - self._since >= AT_ONCE
        health = self._watch.ask()
        if health.status == "unhealthy":
            raise NotReadyError(f"{self._name} is unhealthy" + (f": {health.said}" if health.said else ""))
        return health.status == "healthy"

    def close(self) -> None:
        """Look no more."""
        if self._watch is not None:
            self._watch.close()


def read_tail(engine: Engine, container: str) -> str:
    """Return the last lines that a container wrote, or nothing where the engine kept none."""
    with contextlib.suppress(EngineError):
        details = engine.find_container(container)
        if details is not None:
            tty = bool((details.raw.get("Config") or {}).get("Tty"))
            pieces = [piece for _, piece in engine.logs(container, tty=tty, tail=_TAIL).read()]
            return tail_of(b"".join(pieces), lines=_TAIL)
    return ""


def read_logs(engine: Engine, container: ContainerDetails) -> tuple[Output, Output]:
    """Return what a running container has written so far, standard output and standard error."""
    captures = (Capture(), Capture())
    tty = bool((container.raw.get("Config") or {}).get("Tty"))
    for number, piece in engine.logs(container.id, tty=tty).read():
        captures[0 if number == STDOUT else 1].write(piece)
    return captures[0].output, captures[1].output


def _find(engine: Engine, service: Service) -> ContainerSummary | None:
    """Return the container of this name, if it is of nixdock and of this target."""
    label = f"{TARGET}={service.target}"
    found = engine.containers(labels=[label], names=[service.name])
    return found[0] if found else None
