"""The commands against an engine that answers one call with nonsense: one sentence, never status 70."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

# Whole before the tests: each sets what becomes of warnings, in the midst of a probe's own import too.
import nixdock.engine.connection.transport  # noqa: F401
from integration.running.conftest import MACHINE, make_archive
from nixdock.cli.main import run
from nixdock.engine.connection import patience
from support.hostile import DAMAGES, Hostile

if TYPE_CHECKING:
    from pathlib import Path

CALLS = (
    *("GET /version", "GET /info", "GET /images/json", "GET /images/.+/json", "GET /images/get"),
    *("GET /containers/json", "GET /containers/.+/json", "GET /containers/.+/logs", "POST /images/load"),
    *("POST /containers/create", "POST /containers/.+/attach", "POST /containers/.+/wait"),
    *("POST /containers/.+/start", "DELETE /containers/.+", "GET /networks", "GET /volumes"),
)
COMMANDS: dict[str, tuple[str, ...]] = {
    "run": ("run", "{host}", "--timeout", "2s", "box:1"),
    "run -d": ("run", "{host}", "--timeout", "2s", "-d", "box:1"),
    "up": ("up", "{host}", "--timeout", "2s", "--expect", "hi", "box:1"),
    "up -d": ("up", "{host}", "--timeout", "2s", "-d", "box:1"),
    "check": ("check", "{host}", "--timeout", "2s", "--expect", "hi", "box:1"),
    "load": ("load", "{host}", "-i", "{archive}"),
    "down": ("down", "{host}", "box:1"),
    "down --all": ("down", "{host}", "--all"),
    "prune": ("prune", "{host}"),
    "lint": ("lint", "{host}", "box:1"),
    "engine status": ("engine", "status", "{host}"),
}
ROWS = [
    (command, call, damage)
    for command in COMMANDS
    for call in CALLS
    for damage in DAMAGES
    if damage != "stall"
]


@pytest.mark.sampled(61)
@pytest.mark.parametrize("row", ROWS, ids=" / ".join)
def test_nonsense_is_told_in_a_sentence(
    row: tuple[str, str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command, call, damage = row
    monkeypatch.setenv("NIXDOCK_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(patience, "RESPONSE", 3.0)
    monkeypatch.setattr("nixdock.engine.loading.load.REVIVAL", 0.1)
    archive = tmp_path / "image.tar"
    archive.write_bytes(make_archive("other:1", bytes(1024), {}, MACHINE))
    with Hostile(tmp_path / "s", call, damage) as hostile:
        places = {"{host}": f"--host={hostile.host}", "{archive}": str(archive)}
        status = run([places.get(word, word) for word in COMMANDS[command]])

    said = capsys.readouterr()
    assert status != 70, said.err
    assert "Traceback" not in said.err
    if status >= 120:
        assert "nixdock: " in said.err or "ERROR " in said.out
