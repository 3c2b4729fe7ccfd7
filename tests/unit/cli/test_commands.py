"""Every command that the help names is there, and explains itself."""

from __future__ import annotations

import pytest

from nixdock.cli.main import COMMANDS, run


@pytest.mark.parametrize("name", [name for section in COMMANDS.values() for name in section])
def test_every_command_is_there_and_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"Usage: nixdock {name} ")
    assert "Examples:" in text
