"""`--timeout` against an engine that answers well but for one call, which it never answers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from nixdock.checks.running import runner
from nixdock.cli.main import run
from nixdock.engine.connection import patience
from support.hostile import Hostile

if TYPE_CHECKING:
    from pathlib import Path

STALLS = {
    "version": "GET /version",
    "list": "GET /containers/json",
    "create": "POST /containers/create",
    "attach": "POST /containers/.+/attach",
    "wait": "POST /containers/.+/wait",
    "start": "POST /containers/.+/start",
    "inspect image": "GET /images/.+/json",
    "kill": "POST /containers/.+/kill",
}
COMMANDS = {
    "run": ("run",),
    "up": ("up", "--expect", "hi"),
    "check": ("check", "--expect", "hi"),
}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NIXDOCK_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(patience, "MARGIN", 0.2)
    monkeypatch.setattr("nixdock.usecases.run.MARGIN", 0.2)
    monkeypatch.setattr(patience, "CLEANING", 0.3)
    monkeypatch.setattr(patience, "LATE_CLEANING", 0.3)
    monkeypatch.setattr(patience, "_LAST_WORD", 0.1)
    monkeypatch.setattr(runner, "_END_SECONDS", 0.5)
    monkeypatch.setattr(runner, "_ORDERLY_SECONDS", 0.1)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("stalled", STALLS)
@pytest.mark.parametrize("command", COMMANDS)
def test_the_time_is_up_whatever_the_engine_does(
    command: str, stalled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = COMMANDS[command]
    with Hostile(tmp_path / "s", STALLS[stalled], "stall", exits=stalled != "kill") as hostile:
        began = time.monotonic()
        status = run([words[0], "--host", hostile.host, "--timeout", "300ms", *words[1:], "box:1"])
        seconds = time.monotonic() - began

    err = capsys.readouterr().err
    assert status == 124, err
    assert "Traceback" not in err
    # Generous: what is meant is that it ends at all.
    assert seconds < 10


@pytest.mark.parametrize("command", COMMANDS)
def test_a_container_that_cannot_be_removed_is_told_of(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = COMMANDS[command]
    with Hostile(tmp_path / "s", "DELETE /containers/.+", "stall") as hostile:
        status = run([words[0], "--host", hostile.host, "--timeout", "5s", *words[1:], "box:1"])

    said = capsys.readouterr()
    assert status == 0, said.err
    assert f"the container {'c' * 12} could not be removed" in said.err


def test_no_answer_to_a_kill_still_ends_the_program(tmp_path: Path) -> None:
    """The whole program, with the limits that it has: a container that runs on, and cannot be killed."""
    with Hostile(tmp_path / "s", "(POST .+/kill)|(DELETE .+)", "stall", exits=False) as hostile:
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "nixdock", "run", "--host", hostile.host, "--timeout", "500ms", "box:1"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, "NIXDOCK_STATE_DIR": str(tmp_path / "state")},
        )
        assert time.monotonic() - began < 0.5 + 10 + 5

    assert done.returncode == 124, done.stderr
    assert done.stdout == "hi\n"
    assert f"the container {'c' * 12} could not be removed" in done.stderr
    assert "the time was up (--timeout)" in done.stderr
