"""Ctrl-C and SIGTERM end Nix and its builders, and leave no link, no root and no half store path."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.nix import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.nix import NixMachine

FAST = "printf '\\\\037\\\\213' > $out"


def await_(condition: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


class Builder:
    """A builder that does not end by itself, and is told from that of every other test.

    Args:
        machine: Where it is to run.
    """

    def __init__(self, machine: NixMachine) -> None:
        self.machine = machine
        self._seconds = str(random.randrange(10**6, 10**9))

    def write(self, name: str, script: str | None = None) -> None:
        """Write the file that makes Nix run it, or another script in its place."""
        script = script or f"echo started > $out; exec sleep {self._seconds}"
        self.machine.write(name, f'with import ./toy.nix; run "slow-image" "{script}"')

    def running(self) -> list[Path]:
        """Return the folder in /proc of it, while it runs."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and f"sleep\0{self._seconds}" in (entry / "cmdline").read_text():
                    found.append(entry)
            except OSError:
                continue
        return found


def roots_of(machine: NixMachine) -> list[Path]:
    """Return the folders of temporary GC roots."""
    return list(machine.temporary.glob("nixdock-roots-*/*"))


@pytest.mark.parametrize(
    ("number", "whole_group", "status"),
    [(signal.SIGINT, True, 130), (signal.SIGINT, False, 130), (signal.SIGTERM, False, 143)],
    ids=["ctrl-c", "sigint", "sigterm"],
)
def test_an_interrupted_build_leaves_nothing(
    machine: NixMachine, number: signal.Signals, whole_group: bool, status: int
) -> None:
    builder = Builder(machine)
    builder.write("x.nix")
    with machine.start(PROGRAM, "build", "x.nix") as process:
        await_(builder.running)
        if whole_group:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == status, err.decode()
    assert out == b""
    assert b"Traceback" not in err
    await_(lambda: not builder.running())
    assert not (machine.work / "result").is_symlink()
    assert not roots_of(machine)
    # The next build starts anew: no lock is held, nothing half-made is taken for the result.
    builder.write("y.nix", FAST)
    done = machine.nixdock("build", "y.nix")
    assert done.status == 0, done.stderr


@pytest.mark.parametrize(
    "how",
    [
        ["--ignore-signal=HUP"],
        ["--ignore-signal=HUP", "--ignore-signal=INT", "--ignore-signal=QUIT", "--block-signal=USR1"],
    ],
    ids=["nohup", "background"],
)
def test_a_builder_ignores_nothing_whatever_nixdock_was_told_to_ignore(
    machine: NixMachine, how: list[str]
) -> None:
    """It must end with its terminal; nixdock itself, and Nix with it, outlives a hangup as it was told."""
    builder = Builder(machine)
    builder.write("x.nix")
    with machine.start("env", *how, PROGRAM, "build", "x.nix") as process:
        await_(builder.running)
        (entry,) = builder.running()
        lines = (entry / "status").read_text().splitlines()
        os.killpg(process.pid, signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        assert builder.running() == [entry]
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 143, err.decode()
    found = dict(line.split(":\t") for line in lines if line.startswith(("SigIgn", "SigBlk")))
    assert {name: int(bits, 16) for name, bits in found.items()} == {"SigIgn": 0, "SigBlk": 0}
    await_(lambda: not builder.running())
