"""How much memory a container uses at most: measured again and again while it runs.

What counts is what `docker stats` shows: without the page cache that the kernel can take back.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nixdock.errors import CheckError, EngineError
from nixdock.text import read_system_file, split_lines

if TYPE_CHECKING:
    from nixdock.engine.connection.api import Engine

_PAUSE: Final = 0.2
"""Seconds between two measurements."""


class MemoryWatch:
    """Measures a container's memory again and again, and remembers the most.

    Args:
        engine: Where it runs.
        container: Its ID.
    """

    def __init__(self, engine: Engine, container: str) -> None:
        self._engine = engine
        self._container = container
        self._peak: int | None = None
        self._fault: Exception | None = None
        self._stopped = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def peak(self) -> int:
        """Measure once more, and return the most that was seen, in bytes.

        Raises:
            CheckError: Nobody can tell.
        """
        if self._fault is not None:
            raise self._fault
        self._measure()
        if self._peak is None:
            raise CheckError("neither the engine nor this machine's kernel tells how much memory it uses")
        return self._peak

    def stop(self) -> None:
        """Measure no more."""
        self._stopped.set()

    def _watch(self) -> None:
        try:
            while not self._stopped.wait(_PAUSE):
                self._measure()
        except Exception as error:  # noqa: BLE001 - raised by the one that asks
            self._fault = error

    def _measure(self) -> None:
        with suppress(EngineError):
            used = used_memory(self._engine.stats(self._container))
            if used is None and self._engine.address.is_local:
                used = self._ask_kernel()
            if used is not None:
                self._peak = max(self._peak or 0, used)

    def _ask_kernel(self) -> int | None:
        """Read the control group of a container on this machine: some engines' own statistics are empty."""
        details = self._engine.find_container(self._container)
        pid = int((details.raw.get("State") or {}).get("Pid") or 0) if details is not None else 0
        return read_group_memory(pid) if pid else None


def used_memory(stats: dict[str, Any]) -> int | None:
    """Return the bytes in use by the engine's statistics; None where they say nothing."""
    memory = stats.get("memory_stats") or {}
    detailed = memory.get("stats") or {}
    # cgroup version 1 and version 2 name it differently (docker/cli, stats_helpers.go).
    cache = int(detailed.get("total_inactive_file") or detailed.get("inactive_file") or 0)
    return _without_cache(int(memory.get("usage") or 0), cache)


def read_group_memory(
    pid: int, proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")
) -> int | None:
    """Return the bytes in use by the control group of a process; None where that cannot be read.

    Args:
        pid: The process.
        proc: Where the kernel shows processes.
        groups: Where control groups are mounted.
    """
    try:
        lines = [line.split(":", 2) for line in split_lines(read_system_file(proc / str(pid) / "cgroup"))]
        for _, controllers, path in lines:
            if "memory" in controllers.split(","):
                return _read_group(groups / "memory" / path.lstrip("/"), "memory.usage_in_bytes", "total_")
        for number, _, path in lines:
            if number == "0":
                return _read_group(groups / path.lstrip("/"), "memory.current", "")
    except (OSError, ValueError):
        return None
    return None


def _read_group(group: Path, usage: str, prefix: str) -> int | None:
    statistics = dict(line.split() for line in split_lines(read_system_file(group / "memory.stat")))
    used = int(read_system_file(group / usage))
    return _without_cache(used, int(statistics.get(f"{prefix}inactive_file", 0)))


def _without_cache(usage: int, cache: int) -> int | None:
    if usage == 0:
        return None
    return usage - cache if cache < usage else usage
