"""What the engine is asked for the command tests of a file: what they wrote once, and not after each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from nixdock.checks.running.runner import SuiteRun
from nixdock.checks.structure_test.reader import read_files
from nixdock.checks.structure_test.translation import make_suite
from nixdock.checks.verdict import Status
from nixdock.engine.connection.api import Engine

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from integration.structure_test.conftest import Judges

LOOK = "if [ -e /tmp/left ]; then echo left; else echo clean; fi"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The containers that were asked for their changes."""
    asked: list[str] = []
    changes = Engine.changes

    def noted(self: Engine, ident: str) -> tuple[tuple[int, str], ...]:
        asked.append(ident)
        return changes(self, ident)

    monkeypatch.setattr(Engine, "changes", noted)
    return asked


def judge(judges: Judges, folder: Path, scripts: Sequence[str]) -> None:
    """Run scripts as command tests that must all hold."""
    tests = [
        {"name": str(number), "command": "/bin/sh", "args": ["-c", script], "expectedOutput": ["^clean\n$"]}
        for number, script in enumerate(scripts)
    ]
    file = folder / "tests.json"
    file.write_text(json.dumps({"schemaVersion": "2.0.0", "commandTests": tests}))
    subject = judges.subjects["box"]
    suite = make_suite(read_files([file]), subject, environ={}, directory=folder)
    report = SuiteRun(suite, "box", lambda: subject, judges.bench("box"), seconds=100.0).run().report
    assert {verdict.status for verdict in report.verdicts} == {Status.PASS}, report.to_json()
    assert len(report.verdicts) == len(scripts)


def test_a_hundred_commands_are_asked_for_once_or_twice(
    judges: Judges, asked: list[str], tmp_path: Path
) -> None:
    judge(judges, tmp_path, [LOOK] * 100)
    # Once, and again for each two seconds that a busy machine takes.
    assert 1 <= len(asked) <= 5
    assert len(set(asked)) == 1


def test_a_command_that_writes_among_them_is_seen_by_none(
    judges: Judges, asked: list[str], tmp_path: Path
) -> None:
    writes = "echo x >/tmp/left; echo clean"
    # One that waits for what another left would wait for ever.
    waits = "while [ -e /tmp/left ]; do sleep 0.1; done; echo clean"
    judge(judges, tmp_path, [LOOK, writes, LOOK, waits, LOOK])
    assert len(set(asked)) >= 2
