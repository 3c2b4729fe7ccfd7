"""Asking a container to end: one that ignores that is told of while it is waited for, and what would help.

A program that is process 1 of its container, and has no handler for a signal, does not notice it, other than
everywhere else; people meet that as ten seconds of silence.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from nixdock.engine.connection.responses import read_stop_signal
from nixdock.events import Notice, Work, WorkFinished, WorkStarted, ignore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ContainerDetails
    from nixdock.events import Listener

QUIET: Final = 2.0
"""Seconds that a container has to end before anybody is told that it is waited for."""

KILLED: Final = 137
"""The exit status of a process that SIGKILL ended."""

_LOOK_PAUSE: Final = 0.1

SOON: Final = 0.1
"""Seconds by which an engine may be early with its SIGKILL."""

_advising = threading.Lock()
_advised: set[tuple[str, bool]] = set()
"""The images of whose containers it was said in this process how not to wait for them."""


def stop(
    engine: Engine,
    container: ContainerDetails,
    listener: Listener = ignore,
    *,
    grace: int | None = None,
    name: str | None = None,
    look: Callable[[], object] = lambda: None,
) -> None:
    """Ask a container to end, have it killed when it does not, and return when it has ended.

    Args:
        engine: Where it runs.
        container: It, as it was inspected.
        listener: Told of one that takes long, and what would save the wait.
        grace: Seconds that it has to end, for ever when negative; its own stop timeout when None.
        name: What to call it; its own name when None.
        look: Called again and again meanwhile.

    Raises:
        EngineError: The engine refused, or does not answer.
    """
    if not container.is_running:
        return
    grace = container.stop_timeout if grace is None else grace
    name = name or container.name
    faults: list[Exception] = []
    ended = threading.Event()

    def ask() -> None:
        try:
            engine.stop_container(container.id, grace=grace)
        except Exception as error:  # noqa: BLE001 - raised by the one that waits
            faults.append(error)
        ended.set()

    began, told = time.monotonic(), False
    threading.Thread(target=ask, name="stop", daemon=True).start()
    try:
        while not ended.wait(_LOOK_PAUSE):
            look()
            waited = time.monotonic() - began
            if not told and waited >= QUIET and (grace < 0 or waited < grace):
                told = True
                by_force = "" if grace < 0 else f", by force in {max(1, round(grace - waited))} s"
                listener(Notice(f"stopping {name}{by_force}"))
                work = WorkStarted(f"stop-{name}", Work.WAIT, f"{name} to end", for_seconds=waited)
                listener(work)
    finally:
        if told:
            listener(WorkFinished(f"stop-{name}", ok=ended.is_set()))
    if faults:
        raise faults[0]
    if 0 < grace <= time.monotonic() - began + SOON:
        after = engine.find_container(container.id)
        if after is None or after.exit_code == KILLED:
            advise(listener, name, container.raw, grace)


def advise(listener: Listener, name: str, container: Mapping[str, Any], grace: int) -> None:
    """Say once for an image what would have saved the wait for one of its containers.

    Args:
        listener: Whom to tell.
        name: What the user calls the container.
        container: It, as the engine describes it.
        grace: Seconds that it had to end.
    """
    config, host = container.get("Config") or {}, container.get("HostConfig") or {}
    image = str(config.get("Image") or "")
    # Builds of one image under other tags are one kind.
    base, slash, last = image.partition("@")[0].rpartition("/")
    kind = image if image.startswith("sha256:") else base + slash + last.partition(":")[0]
    has_init = host.get("Init") is True
    with _advising:
        if (kind, has_init) in _advised:
            return
        _advised.add((kind, has_init))
    signal = read_stop_signal(config)
    init = "" if has_init else "--init, "
    ways = f"{init}a handler for it in the program, or StopSignal in the image's config would save the wait"
    shorter = ", --stop-timeout 1 shortens it" if grace > 1 else ""
    listener(Notice(f"{name} did not end on {signal} and was killed after {grace} s: {ways}{shorter}"))
