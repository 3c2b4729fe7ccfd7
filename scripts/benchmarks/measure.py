"""Run competitors in turn, and print medians and ratios.

The rounds are interleaved (each round runs every competitor once), so that a machine which slows down
slows all of them. The first competitor is nixdock; the ratio of each other one is its median divided by
nixdock's: above 1 means that nixdock was faster.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True)
class Competitor:
    """One way to get the work done.

    Args:
        name: What the table calls it.
        work: Does it once, and raises when it fails.
        prepare: Brings everything to where the work begins; not measured.
    """

    name: str
    work: Callable[[], None]
    prepare: Callable[[], None] = lambda: None


def shell(command: str, *, env: Mapping[str, str], cwd: str | None = None) -> Callable[[], None]:
    """Return the running of a shell command, output discarded; a failure shows its output."""

    def work() -> None:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{command}\n{done.stdout.decode(errors='replace')[-4000:]}")

    return work


def compare(
    title: str,
    competitors: Sequence[Competitor],
    *,
    rounds: int = 5,
    needed: Mapping[str, float] | None = None,
    limit: float | None = None,
) -> dict[str, float]:
    """Run every competitor `rounds` times, and print the table.

    Args:
        title: What the table is about.
        competitors: nixdock first.
        rounds: How often each runs.
        needed: The ratio that each competitor named here must at least have.
        limit: Seconds that the first may take.

    Returns:
        The medians in seconds, by competitor.
    """
    needed = needed or {}
    times: dict[str, list[float]] = {competitor.name: [] for competitor in competitors}
    for _ in range(rounds):
        for competitor in competitors:
            competitor.prepare()
            began = time.perf_counter()
            competitor.work()
            times[competitor.name].append(time.perf_counter() - began)
    medians = {name: statistics.median(values) for name, values in times.items()}
    first = medians[competitors[0].name]
    width = max(len(name) for name in medians)
    sys.stdout.write(f"\n{title} (median of {rounds})\n")
    for name, median in medians.items():
        spread = f"{min(times[name]):.3f} to {max(times[name]):.3f}"
        remark = "" if name == competitors[0].name else f"   x{median / first:.2f}"
        if name in needed:
            remark += f", must be x{needed[name]:g}: {judge(median / first >= needed[name])}"
        elif limit is not None and name == competitors[0].name:
            remark = f"   must be under {limit:g} s: {judge(median < limit)}"
        sys.stdout.write(f"  {name:<{width}}  {median:8.3f} s  ({spread}){remark}\n")
    sys.stdout.flush()
    return medians


def judge(met: bool) -> str:
    """Say whether a figure is what it must be."""
    return "met" if met else "NOT MET"


def measure_processor_time(
    command: Sequence[str], *, env: Mapping[str, str], cwd: str, rounds: int = 5, limit: float
) -> None:
    """Print the processor time of a command and all that it runs, and whether it keeps to a limit in s."""
    times: list[float] = []
    for _ in range(rounds):
        process = subprocess.Popen(
            command,
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: exit status {process.returncode}")
        times.append(usage.ru_utime + usage.ru_stime)
    median = statistics.median(times)
    sys.stdout.write(
        f"  {' '.join(command)}: {median:.3f} s of processor time ({min(times):.3f} to {max(times):.3f}), "
        f"must be at most {limit:g} s: {judge(median <= limit)}\n"
    )
    sys.stdout.flush()


def measure_memory(command: Sequence[str], *, env: Mapping[str, str], cwd: str | None = None) -> int:
    """Run a command and return the most memory that it held at once, in bytes."""
    process = subprocess.Popen(
        command, env=dict(env), cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit status {process.returncode}")
    return usage.ru_maxrss * 1024  # Linux counts it in kibibytes
