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
from nixdock.engine.containers.mounts import forget_roots
from nixdock.engine.containers.owner import (
    ARTEFACT,
    GIVEN,
    RUN,
    SETTINGS,
    TARGET,
    find_ourselves,
    forget_detached,
    inspect_ours,
    is_owned_by_living,
)
from nixdock.engine.containers.stopping import stop
from nixdock.engine.containers.unfinished import find_unfinished, lock_file, undo
from nixdock.errors import DeadlineError, EngineError
from nixdock.events import Notice, Warned
from nixdock.outcome import Capture, tail_of
from nixdock.services.differences import Given, find_difference
from nixdock.services.readiness import HealthCheck, probe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ContainerDetails, ContainerSummary
    from nixdock.engine.containers.image import EngineImage
    from nixdock.engine.containers.options.request import CreateRequest, GivenOptions
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
        given: What it is made of, in the user's words.
    """

    target: str
    name: str
    settings: str
    given: Given
    artefact: str = ""

    @property
    def labels(self) -> dict[str, str]:
        """Return the labels by which it is found again."""
        return {
            TARGET: self.target,
            SETTINGS: self.settings,
            ARTEFACT: self.artefact,
            GIVEN: self.given.write(),
        }

    def settings_of(self, container: ContainerSummary) -> str:
        """Return the settings of a container of this service, as this one would write them."""
        settings = container.labels.get(SETTINGS, "")
        if not self.artefact or container.labels.get(ARTEFACT) != self.artefact:
            return settings
        return f"{self.settings.partition('-')[0]}-{settings.partition('-')[2]}"


def describe_service(
    image: EngineImage,
    target: str,
    request: CreateRequest,
    artefact: Path | None = None,
    options: GivenOptions = (),
) -> WantedService:
    """Say what service an image and a request make.

    Args:
        image: The image.
        target: What the target is: the key of a label.
        request: What is to be created.
        artefact: The store path of what was built.
        options: docker's options that it was made of.
    """
    # Whether we look on while it runs is none of its settings.
    body = {key: value for key, value in request.body.items() if not key.startswith("Attach")}
    facts = {"body": {**body, "Image": ""}, "platform": request.platform}
    store = image.host_store
    # What is mounted belongs to it.
    identity = image.details.id if store is None else [image.details.id, *store.paths]
    digest = f"{_digest(identity)}-{_digest(facts)}"
    # One name for one target, which no container of another one has.
    suffix = hashlib.sha256(os.fsencode(target)).hexdigest()[:6]
    name = request.name or f"{image.short_name}-{suffix}"
    return WantedService(target, name, digest, Given.of(image, request, options), str(artefact or ""))


def _digest(facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


@contextmanager
def exclusively(engine: Engine, service: WantedService, listener: Listener) -> Iterator[None]:
    """Keep other runs of nixdock away from this service; where no lock can be had, go on without."""
    file = lock_file(engine, service.target, service.name)
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
        details: The same, inspected.
        difference: Why it is not what is wanted; None where it has the same image and options and is ready.
    """

    container: ContainerSummary
    details: ContainerDetails
    difference: str | None = None


def find_service(engine: Engine, service: WantedService, listener: Listener) -> StandingService | None:
    """Return the service's container, whether or not it is what is wanted; None where there is none.

    A replacement that was cut short is undone first; whoever asks keeps others away.
    """
    labels = [RUN, f"{TARGET}={service.target}"]
    listed = engine.containers(labels=labels)
    cut_short = [one for one in find_unfinished(listed) if one[2] == service.name]
    for new, old, name in cut_short:
        try:
            if undo(engine, new, old, name, listener):
                listener(Notice(f"{name}: the one before runs again: what was to replace it was cut short"))
        except EngineError as error:
            # It is to be replaced, most likely.
            listener(Warned(f"{name}: the one before could not be started again: {error.message}"))
    if cut_short:
        listed = engine.containers(labels=labels)
    for container in listed:
        details = inspect_ours(engine, container) if container.name == service.name else None
        if details is not None:
            changed = find_difference(
                container, service.given, service.settings_of(container), service.settings
            )
            return StandingService(container, details, changed or _find_fault(engine, details))
    return None


def _find_fault(engine: Engine, details: ContainerDetails) -> str | None:
    """Say why a container is not ready: it does not run, or does not pass its health check."""
    if details.status != "running":
        ended = details.status == "exited"
        return f"it has ended with {details.exit_code}" if ended else f"it is {details.status}"
    if details.health == "unhealthy":
        return "it is unhealthy"
    check = HealthCheck.of(details)
    if check is None or details.health == "healthy":
        return None
    # Its engine has not probed it yet, or never does.
    try:
        return None if probe(engine, details.id, check)[0] else "its health check fails"
    except EngineError as error:
        return f"its health check cannot be run: {error.message}"


def is_attended(container: ContainerSummary) -> bool:
    """Whether another run of nixdock is there for it, in another terminal perhaps."""
    return is_owned_by_living(container.labels, observer=find_ourselves(), now=time.monotonic())


def stop_and_remove(
    engine: Engine, container: ContainerSummary, listener: Listener, *, grace: int | None = None
) -> None:
    """Let a container end, and remove it with its anonymous volumes.

    Args:
        engine: Where it is.
        container: It.
        listener: Told where that takes long.
        grace: Seconds that it has to end; its own stop timeout when None.
    """
    with contextlib.suppress(EngineError):
        details = engine.find_container(container.id) if container.is_running else None
        if details is not None:
            stop(engine, details, listener, grace=grace)
    remove(engine, container.id)


def remove(engine: Engine, container: str) -> None:
    """Remove a container with its anonymous volumes, and what was noted of it on this machine."""
    engine.remove_container(container)
    forget_detached(container)
    forget_roots(engine, container)


def read_tail(engine: Engine, container: str) -> str:
    """Return the last lines that a container wrote, or nothing where the engine kept none."""
    with contextlib.suppress(EngineError):
        details = engine.find_container(container)
        if details is not None:
            tty = bool((details.raw.get("Config") or {}).get("Tty"))
            with contextlib.closing(engine.logs(container, tty=tty, tail=_TAIL)) as logs:
                pieces = [piece for _, piece in logs.read()]
            return tail_of(b"".join(pieces), lines=_TAIL)
    return ""


def read_logs(engine: Engine, container: ContainerDetails) -> tuple[Output, Output]:
    """Return what a running container has written so far, standard output and standard error."""
    captures = (Capture(), Capture())
    tty = bool((container.raw.get("Config") or {}).get("Tty"))
    with contextlib.closing(engine.logs(container.id, tty=tty)) as logs:
        for number, piece in logs.read():
            captures[0 if number == STDOUT else 1].write(piece)
    return captures[0].output, captures[1].output
