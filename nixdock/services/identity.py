"""Which service is meant: whether it runs already, is what is wanted, and what it has written; its end.

A service is known by its target and its name, and its settings by a digest over all that it was
created from. Two `up` of one service wait for each other, so that the second finds the first ready.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nixdock import settings
from nixdock.engine.connection.stream import STDOUT
from nixdock.engine.containers.owner import (
    ARTEFACT,
    SETTINGS,
    TARGET,
    find_ours,
    find_ourselves,
    is_owned_by_living,
)
from nixdock.errors import DeadlineError, EngineError
from nixdock.events import Notice
from nixdock.outcome import Capture, tail_of
from nixdock.services.readiness import HealthCheck, probe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ContainerDetails, ContainerSummary
    from nixdock.engine.containers.image import EngineImage
    from nixdock.engine.containers.options.request import CreateRequest
    from nixdock.events import Listener
    from nixdock.outcome import Output

_PAUSE: Final = 0.1
_TAIL: Final = 20


@dataclass(frozen=True, slots=True)
class WantedService:
    """What `up` is to have running.

    Args:
        target: What the target is: the key of a label.
        name: The container's name.
        settings: Digests over the image and over all options, with a dash between them.
        artefact: The store path of what was built, or empty: of one build, the image with store paths and
            the one that has them mounted are the same.
    """

    target: str
    name: str
    settings: str
    artefact: str = ""

    @property
    def labels(self) -> dict[str, str]:
        """Return the labels by which it is found again."""
        return {TARGET: self.target, SETTINGS: self.settings, ARTEFACT: self.artefact}

    def settings_of(self, container: ContainerSummary) -> str:
        """Return the settings of a container of this service, as this one would write them."""
        settings = container.labels.get(SETTINGS, "")
        if not self.artefact or container.labels.get(ARTEFACT) != self.artefact:
            return settings
        return f"{self.settings.partition('-')[0]}-{settings.partition('-')[2]}"


def describe_service(
    image: EngineImage, target: str, request: CreateRequest, artefact: Path | None = None
) -> WantedService:
    """Say what service an image and a request make.

    Args:
        image: The image.
        target: What the target is: the key of a label.
        request: What is to be created.
        artefact: The store path of what was built.
    """
    # Whether we look on while it runs is none of its settings.
    body = {key: value for key, value in request.body.items() if not key.startswith("Attach")}
    options = {"body": {**body, "Image": ""}, "platform": request.platform}
    store = image.host_store
    # What is mounted belongs to it.
    identity = image.details.id if store is None else [image.details.id, *store.paths]
    digest = f"{_digest(identity)}-{_digest(options)}"
    if request.name:
        return WantedService(target, request.name, digest, str(artefact or ""))
    # One name for one target, which no container of another one has.
    suffix = hashlib.sha256(os.fsencode(target)).hexdigest()[:6]
    return WantedService(target, f"{image.short_name}-{suffix}", digest, str(artefact or ""))


def _digest(facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


@contextmanager
def exclusively(engine: Engine, service: WantedService, listener: Listener) -> Iterator[None]:
    """Keep other runs of nixdock away from this service; where no lock can be had, go on without."""
    key = hashlib.sha256(os.fsencode(f"{engine.address.url} {service.target} {service.name}")).hexdigest()
    file = settings.state_dir() / "locks" / key[:32]
    with contextlib.ExitStack() as stack:
        try:
            settings.make_private(file.parent)
            stack.enter_context(settings.locked(file, wait=False))
        except BlockingIOError:
            listener(Notice(f"waiting for another nixdock that works on {service.name}"))
            _await_lock(stack, file, engine, service.name)
        except OSError:
            pass
        yield


def _await_lock(stack: contextlib.ExitStack, file: Path, engine: Engine, name: str) -> None:
    """Wait for a lock that somebody else has, as long as the engine may be waited for.

    Raises:
        DeadlineError: The time is up.
    """
    while engine.patience.left > 0:
        with contextlib.suppress(OSError):
            stack.enter_context(settings.locked(file, wait=False))
            # The time that has passed was that one's.
            engine.patience.renew()
            return
        time.sleep(_PAUSE)
    raise DeadlineError(
        f"the time was up (--timeout) while another nixdock works on {name}",
        hint="--timeout gives it more time",
    )


@dataclass(frozen=True, slots=True)
class StandingService:
    """The container that a service's name stands for by now.

    Args:
        container: The container, of nixdock and of this target.
        difference: Why it is not what is wanted; None where it has the same image and options and is ready.
    """

    container: ContainerSummary
    difference: str | None = None


def find_service(engine: Engine, service: WantedService) -> StandingService | None:
    """Return the service's container, whether or not it is what is wanted; None where there is none."""
    found = find_ours(engine, labels=[f"{TARGET}={service.target}"], name=service.name)
    if not found:
        return None
    container = found[0]
    changed = compare_settings(service.settings_of(container), service.settings)
    return StandingService(container, changed or _find_fault(engine, container.id))


def compare_settings(before: str, now: str) -> str | None:
    """Say what of two settings differs; None where they are the same."""
    if before == now:
        return None
    image, _, options = now.partition("-")
    image_before, _, options_before = before.partition("-")
    if options == options_before:
        return "the image is another one"
    return "the options are others" if image == image_before else "the image and the options are others"


def _find_fault(engine: Engine, container: str) -> str | None:
    """Say why a container is not ready: it does not run, or does not pass its health check."""
    details = engine.find_container(container)
    if details is None or details.status != "running":
        if details is not None and details.status == "exited":
            return f"it has ended with {details.exit_code}"
        return f"it is {'gone' if details is None else details.status}"
    if details.health == "unhealthy":
        return "it is unhealthy"
    check = HealthCheck.of(details)
    if check is None or details.health == "healthy":
        return None
    # Its engine has not probed it yet, or never does.
    try:
        return None if probe(engine, container, check)[0] else "its health check fails"
    except EngineError as error:
        return f"its health check cannot be run: {error.message}"


def is_attended(container: ContainerSummary) -> bool:
    """Whether another run of nixdock is there for it, in another terminal perhaps."""
    return is_owned_by_living(container.labels, observer=find_ourselves(), now=time.monotonic())


def replace_old(engine: Engine, found: StandingService, listener: Listener) -> None:
    """Stop and remove what the service's name stands for by now."""
    why = found.difference or "it runs detached, and is to be attended here"
    listener(Notice(f"replacing {found.container.name}: {why}"))
    stop_and_remove(engine, found.container)


def stop_and_remove(engine: Engine, container: ContainerSummary) -> None:
    """Let a container end, and remove it with its anonymous volumes."""
    if container.is_running:
        with contextlib.suppress(EngineError):
            engine.stop_container(container.id)
    engine.remove_container(container.id)


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
