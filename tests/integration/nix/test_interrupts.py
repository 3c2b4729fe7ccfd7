"""Ctrl-C and SIGTERM end Nix and its builders, and leave no link, no root and no half store path."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.nix import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.nix import NixMachine

SLEEP = b"sleep\x001000"
SLOW = 'with import ./toy.nix; run "slow-image" "echo started > $out; exec sleep 1000"'


def await_(condition: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def builders(machine: NixMachine, words: bytes) -> list[int]:
    """Return the processes in the sandboxes of this machine, not of another test's, that have these words."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if (
                entry.name.isdigit()
                and words in (entry / "cmdline").read_bytes()
                and machine.root.name in (entry / "mountinfo").read_text()
            ):
                found.append(int(entry.name))
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
    machine.write("x.nix", SLOW)
    with machine.start(PROGRAM, "build", "x.nix") as process:
        await_(lambda: builders(machine, SLEEP))
        if whole_group:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == status, err.decode()
    assert out == b""
    assert b"Traceback" not in err
    await_(lambda: not builders(machine, SLEEP))
    assert not (machine.work / "result").is_symlink()
    assert not roots_of(machine)
    # The next build starts anew: no lock is held, nothing half-made is taken for the result.
    machine.write("y.nix", SLOW.replace("exec sleep 1000", "printf '\\\\037\\\\213' > $out"))
    done = machine.nixdock("build", "y.nix")
    assert done.status == 0, done.stderr
