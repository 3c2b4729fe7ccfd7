"""Whose a container is: what says that nixdock made it, by which run, and whether that is dead.

Labels alone say nothing: a container has its image's too, and `docker commit` of a container of ours makes an
image with ours. So every label of ours is set on whatever is made, an empty one against the image's where it
says nothing; and a container carries its run a second time in its host config, which no image can give:
as the file that its ID was written to (`docker run --cidfile`), which engines only keep and show.

A run is known by a random id, and its process by pid, start time, pid name space and the machine's
boot: a pid alone is soon somebody else's, and the same number in another container or on another
machine is another process. What lives on by the user's wish (`-d`, `--keep`) has no process.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nixdock import process, settings
from nixdock.text import read_system_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ContainerDetails, ContainerSummary

PREFIX: Final = "io.nixdock."
RUN: Final = f"{PREFIX}run"
PROCESS: Final = f"{PREFIX}pid"
STARTED: Final = f"{PREFIX}pid-started"
NAMESPACE: Final = f"{PREFIX}pid-namespace"
BOOT: Final = f"{PREFIX}boot"
MACHINE: Final = f"{PREFIX}machine"
DEADLINE: Final = f"{PREFIX}deadline"
TARGET: Final = f"{PREFIX}target"
SETTINGS: Final = f"{PREFIX}settings"
ARTEFACT: Final = f"{PREFIX}artefact"
GIVEN: Final = f"{PREFIX}given"
REPLACES: Final = f"{PREFIX}replaces"
STEP: Final = "nixdock.invalid/step"
"""What images are called that a run makes of its containers, to make others of them. A name is nothing that
one image has from another, and no registry can have this one (RFC 2606)."""

_NONE: Final = dict.fromkeys(
    (RUN, PROCESS, STARTED, NAMESPACE, BOOT, MACHINE, DEADLINE, TARGET, SETTINGS, ARTEFACT, GIVEN, REPLACES),
    "",
)
_MARK: Final = "nixdock:"
MARKED: Final = "ContainerIDFile"
"""The member of a container's host config that holds its mark."""


@dataclass(frozen=True, slots=True)
class OwnerProcess:
    """A process of some machine.

    Args:
        pid: Its number.
        started: When it started, in clock ticks since the boot.
        namespace: The pid name space that the number belongs to.
        boot: The boot of its machine.
        machine: Its machine, or empty where that is unknown.
    """

    pid: int
    started: str
    namespace: str
    boot: str
    machine: str


def find_ourselves() -> OwnerProcess:
    """Return the process that this is."""
    return OwnerProcess(
        pid=os.getpid(),
        started=process.find_start("self") or "",
        namespace=_namespace(),
        boot=_read("/proc/sys/kernel/random/boot_id"),
        machine=_read("/etc/machine-id"),
    )


@dataclass(frozen=True, slots=True)
class Owner:
    """A run of nixdock.

    Args:
        run: Its random id.
        process: Its process.
        deadline: When what it made is left over, whatever lives: by the monotonic clock, which all
            processes of a boot share, and which nobody sets.
    """

    run: str
    process: OwnerProcess
    deadline: float | None = None

    @classmethod
    def make(cls, *, seconds: float | None = None) -> Owner:
        """Make the owner of what this process is about to create.

        Args:
            seconds: How long all of it may live at most.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        return cls(secrets.token_hex(6), find_ourselves(), deadline)

    def labels(self, *, stays: bool = False) -> dict[str, str]:
        """Return the labels of what this run makes.

        Args:
            stays: Whether it is to live on after the run.
        """
        if stays:
            return {**_NONE, RUN: self.run}
        labels = {
            **_NONE,
            RUN: self.run,
            PROCESS: str(self.process.pid),
            STARTED: self.process.started,
            NAMESPACE: self.process.namespace,
            BOOT: self.process.boot,
            MACHINE: self.process.machine,
        }
        if self.deadline is not None:
            labels[DEADLINE] = f"{self.deadline:.0f}"
        return labels

    def mark(self) -> str:
        """Return what a container is marked with, beside its labels; each gets another."""
        return f"{_MARK}{self.run}:{secrets.token_hex(4)}"


def mark_of(container: ContainerDetails) -> str:
    """Return what a container was marked with when it was created; empty where nixdock did not."""
    host = container.raw.get("HostConfig") or {}
    return str(host.get(MARKED) or "")


def find_ours(
    engine: Engine, *, labels: Sequence[str] = (), name: str | None = None
) -> list[ContainerSummary]:
    """Return the containers that nixdock made, whatever labels others have from their images.

    Args:
        engine: Where they are.
        labels: Only those with all these labels, each `key` or `key=value`.
        name: Only the one of this name.

    Raises:
        EngineError: The engine cannot be asked.
    """
    named = () if name is None else (name,)
    found = engine.containers(labels=[RUN, *labels], names=named)
    return [container for container in found if is_ours(engine, container)]


def is_ours(engine: Engine, container: ContainerSummary) -> bool:
    """Whether nixdock made a container that has the labels for it."""
    return inspect_ours(engine, container) is not None


def inspect_ours(engine: Engine, container: ContainerSummary) -> ContainerDetails | None:
    """Inspect a container that has nixdock's labels; None where nixdock did not make it, or it is gone."""
    details = engine.find_container(container.id)
    run = container.labels.get(RUN)
    made = bool(run) and details is not None and mark_of(details).startswith(f"{_MARK}{run}:")
    return details if made else None


def is_left_over(labels: Mapping[str, str], *, observer: OwnerProcess, now: float) -> bool:
    """Whether something with these labels was made by a run that is dead.

    Args:
        labels: Of the container, network or volume.
        observer: The process that asks: it can tell only of its own machine and name space.
        now: Seconds by the monotonic clock.
    """
    if not labels.get(PROCESS):
        return False
    if labels.get(BOOT) != observer.boot:
        # Another boot of this machine has ended all its processes; of others nothing is known, not even
        # what their clocks say.
        return bool(observer.machine) and labels.get(MACHINE) == observer.machine
    deadline = labels.get(DEADLINE, "")
    if deadline.isdecimal() and now > int(deadline):
        return True
    if labels.get(NAMESPACE) != observer.namespace:
        return False
    return not is_alive(labels[PROCESS], labels.get(STARTED, ""))


def remember_detached(container: str) -> None:
    """Note that the user left a container running whose labels, which cannot be changed, name this run.

    Raises:
        OSError: The note cannot be written: the next run takes the container for left over.
    """
    directory = _detached_directory()
    settings.make_private(directory)
    (directory / container).touch()


def is_detached(container: str) -> bool:
    """Whether the user left this container running; so it may have been where the notes cannot be read."""
    try:
        return (_detached_directory() / container).exists()
    except OSError:
        return True


def forget_detached(container: str) -> None:
    """Drop the note about a container that is gone."""
    with contextlib.suppress(OSError):
        (_detached_directory() / container).unlink(missing_ok=True)


def _detached_directory() -> Path:
    return settings.state_dir() / "detached"


def is_owned_by_living(labels: Mapping[str, str], *, observer: OwnerProcess, now: float) -> bool:
    """Whether a run that may still live looks after something with these labels."""
    return bool(labels.get(PROCESS)) and not is_left_over(labels, observer=observer, now=now)


def is_owned_by(owner: OwnerProcess, labels: Mapping[str, str]) -> bool:
    """Whether it is this process that looks after something with these labels."""
    process = (labels.get(PROCESS), labels.get(STARTED), labels.get(NAMESPACE), labels.get(BOOT))
    return process == (str(owner.pid), owner.started, owner.namespace, owner.boot)


def is_alive(pid: str, started: str) -> bool:
    """Whether the process of this number is the one that started then."""
    return pid.isdigit() and process.find_start(pid) == started


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _read(path: str) -> str:
    try:
        return read_system_file(Path(path)).strip()
    except OSError:
        return ""
