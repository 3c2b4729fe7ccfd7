"""The health check of a running container: asked of the engine, and beside it by ourselves.

An engine probes for the first time after a whole interval, 30 s unless the image says otherwise, and
Podman needs systemd to probe at all. While it has said nothing yet, the same command is executed in
the container every half second, so that a service is known to be ready as soon as it is.

What a health check is: Docker Engine API, "HealthConfig". Times are nanoseconds, 0 is the default:
interval and timeout 30 s, 3 retries, no start period.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nixdock.errors import EngineError
from nixdock.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ContainerDetails
    from nixdock.engine.connection.stream import Stream

log = get_logger(__name__)

PAUSE: Final = 0.5
"""Seconds between two probes of ours."""

_SECOND: Final = 1_000_000_000
_DEFAULT_TIME: Final = 30 * _SECOND
_DEFAULT_RETRIES: Final = 3
_OUTPUT_LIMIT: Final = 4096
_EXIT_TRIES: Final = 50


@dataclass(frozen=True, slots=True)
class Health:
    """How a container fares.

    Args:
        status: `starting`, `healthy` or `unhealthy`.
        said: What the last probe wrote.
    """

    status: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """What a container's health check is.

    Args:
        command: The words to execute in it.
        patience: Seconds after the start from which a failing probe means that it is unhealthy.
        timeout: Seconds that a probe may take.
    """

    command: tuple[str, ...]
    patience: float
    timeout: float

    @classmethod
    def of(cls, container: ContainerDetails) -> HealthCheck | None:
        """Return a container's health check, its image's or its own; None where it has none."""
        config = container.raw.get("Config") or {}
        check: Mapping[str, Any] = config.get("Healthcheck") or {}
        words = _command(check.get("Test") or (), config.get("Shell"))
        if not words:
            return None
        interval = check.get("Interval") or _DEFAULT_TIME
        retries = check.get("Retries") or _DEFAULT_RETRIES
        patience = (check.get("StartPeriod") or 0) + retries * interval
        return cls(words, patience / _SECOND, (check.get("Timeout") or _DEFAULT_TIME) / _SECOND)


def _command(test: Sequence[str], shell: Sequence[str] | None) -> tuple[str, ...]:
    match list(test):
        case ["CMD", *words]:
            return tuple(words)
        case ["CMD-SHELL", script]:
            return (*(shell or ("/bin/sh", "-c")), script)
        case _:
            return ()


def probe(engine: Engine, container: str, check: HealthCheck) -> tuple[bool, str]:
    """Execute the check once.

    Returns:
        Whether it succeeded, and what it wrote.

    Raises:
        EngineError: The container does not run any more, or the command cannot be executed.
    """
    ident = engine.create_exec(
        container, {"Cmd": list(check.command), "AttachStdout": True, "AttachStderr": True}
    )
    stream = engine.start_exec(ident)
    late = threading.Timer(check.timeout, stream.close)
    late.start()
    try:
        said = _read(stream)
    finally:
        late.cancel()
        stream.close()
    for attempt in range(_EXIT_TRIES):
        exit_code = engine.find_exit_code(ident)
        if exit_code is not None:
            return exit_code == 0, said
        # The end of the output comes before the engine has noted the process's.
        time.sleep(0.002 * (attempt + 1))
    return False, said or "it did not end in time"


def _read(stream: Stream) -> str:
    output = b""
    try:
        for _, piece in stream.read():
            output += piece[: max(0, _OUTPUT_LIMIT - len(output))]
    except (OSError, ValueError) as error:
        log.debug("health.cut", error=repr(error))
    return output.decode(errors="replace").strip()


class HealthWatch:
    """Watches the health of a started container until it is healthy, or never will be.

    Args:
        engine: Where it runs.
        container: It, as inspected after its start.
        check: Its health check.
    """

    def __init__(self, engine: Engine, container: ContainerDetails, check: HealthCheck) -> None:
        self._engine = engine
        self._container = container.id
        self._check = check
        self._since = time.monotonic()
        self._closed = threading.Event()
        self._succeeded = False
        self._failed_late = False
        self._said = ""
        self._fault: Exception | None = None
        threading.Thread(target=self._probe, daemon=True).start()

    def ask(self) -> Health:
        """Return how it fares now, as far as the engine or we know."""
        if self._fault is not None:
            raise self._fault
        details = self._engine.find_container(self._container)
        if details is None or not details.is_running:
            return Health("starting")
        if details.health in {"healthy", "unhealthy"}:
            return Health(details.health, details.last_probe or self._said)
        if self._succeeded:
            return Health("healthy", self._said)
        return Health("unhealthy" if self._failed_late else "starting", self._said)

    def close(self) -> None:
        """Probe no more."""
        self._closed.set()

    def _probe(self) -> None:
        while not self._closed.is_set():
            try:
                self._succeeded, self._said = probe(self._engine, self._container, self._check)
            except EngineError as error:
                self._said = error.message
            except Exception as error:  # noqa: BLE001 - raised by the one that asks
                self._fault = error
                return
            if self._succeeded:
                return
            self._failed_late = time.monotonic() - self._since > self._check.patience
            self._closed.wait(PAUSE)
