"""Our own engine: which process it is, and the directories and files that it has.

Its process is known by number, start time and boot, never by number alone.
"""

from __future__ import annotations

import json
import os
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nixdock import process, settings
from nixdock.errors import EngineError
from nixdock.hints import ourselves_as_root

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_DIRECTORY: Final = Path("/var/lib/nixdock/engine")


@dataclass(frozen=True, slots=True)
class Daemon:
    """A dockerd that nixdock started.

    Args:
        pid: Its process.
        birth: When that process was born, as `birth_of` tells.
        url: Where it listens.
        bridge: The network bridge that was made for it, or None where it has docker's own.
    """

    pid: int
    birth: str
    url: str
    bridge: str | None = None

    @property
    def is_alive(self) -> bool:
        """Whether that very process still runs."""
        return birth_of(self.pid) == self.birth


@dataclass(frozen=True, slots=True)
class DaemonHome:
    """The directories and files of our own engine.

    Args:
        directory: What it keeps: images, containers, its log.
    """

    directory: Path

    @property
    def data(self) -> Path:
        """Images, containers and volumes."""
        return self.directory / "data"

    @property
    def name(self) -> str:
        """What its bridge and its part of a shared containerd are called; a bridge's name has 15 bytes."""
        if self.directory == DEFAULT_DIRECTORY:
            return "nixdock0"
        return f"nixdock{sha256(os.fsencode(self.directory)).hexdigest()[:8]}"

    @property
    def run(self) -> Path:
        """Sockets of the running engine: short, for a socket's path has 107 bytes at most."""
        return Path("/run/nixdock") / self.name

    @property
    def log(self) -> Path:
        """What it writes; the log of the start before is beside it, with `.1`."""
        return self.directory / "log"

    @property
    def state(self) -> Path:
        """Which process it is."""
        return self.directory / "engine.json"

    @property
    def config(self) -> Path:
        """Its daemon.json."""
        return self.directory / "daemon.json"

    def read(self) -> Daemon | None:
        """Return our engine if it runs."""
        try:
            daemon = Daemon(**json.loads(self.state.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None
        return daemon if daemon.is_alive else None

    def write(self, daemon: Daemon) -> None:
        """Remember which process it is."""
        fresh = self.state.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(daemon)), encoding="utf-8")
        fresh.replace(self.state)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other nixdocks from starting or stopping it meanwhile.

        Raises:
            EngineError: The directory cannot be written.
        """
        with ExitStack() as lock:
            try:
                self.directory.mkdir(parents=True, exist_ok=True)
                lock.enter_context(settings.locked(self.directory / "lock"))
            except OSError as error:
                raise EngineError(
                    f"cannot write to {self.directory}: {error.strerror}",
                    hint=ourselves_as_root("engine start"),
                ) from error
            yield


def find_home() -> DaemonHome:
    """Return the place of our own engine: below NIXDOCK_STATE_DIR where that is set."""
    state = os.environ.get("NIXDOCK_STATE_DIR")
    return DaemonHome(Path(state).absolute() / "engine" if state else DEFAULT_DIRECTORY)


def birth_of(pid: int) -> str | None:
    """Return what tells a process from any other that had its number: the boot and its start time.

    Args:
        pid: The process.

    Returns:
        None where there is no such process, or it has ended and only waits for its parent.
    """
    start = process.find_start(pid)
    return start and f"{Path('/proc/sys/kernel/random/boot_id').read_text(encoding='utf-8').strip()}:{start}"
