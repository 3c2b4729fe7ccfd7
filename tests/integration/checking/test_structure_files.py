"""container-structure-test's own files, given to `nixdock check --config` as their users have them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from integration.checking.conftest import Checker

if TYPE_CHECKING:
    from pathlib import Path

SECOND = """
schemaVersion: 2.0.0
commandTests:
  - name: greets
    command: /bin/echo
    args: [hello]
    expectedOutput: ['^hello\\n$']
fileExistenceTests:
  - name: a shell
    path: /bin/sh
    shouldExist: true
metadataTest:
  workdir: ""
"""
FIRST = """
schemaVersion: 1.0.0
commandTests:
  - name: greets
    command: [/bin/echo, hello]
    expectedOutput: [hello]
fileExistenceTests:
  - name: a shell
    path: /bin/sh
    shouldExist: true
"""
IN_JSON = json.dumps(
    {
        "schemaVersion": "2.0.0",
        "commandTests": [{"name": "greets", "command": "/bin/echo", "args": ["hello"]}],
        "fileContentTests": [{"name": "users", "path": "/etc/passwd", "expectedContents": ["root"]}],
    }
)


def write(folder: Path, text: str, name: str = "their.yaml") -> Path:
    file = folder / name
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("text", "name"),
    [(SECOND, "second.yaml"), (FIRST, "first.yml"), (IN_JSON, "tests.json")],
)
def test_a_file_runs_as_it_is(text: str, name: str, check: Checker, tmp_path: Path) -> None:
    run = check.nixdock("check", Checker.IMAGE, "--config", write(tmp_path, text, name), "--json")
    assert run.status == 0, run.stderr
    verdicts = [one["status"] for one in json.loads(run.stdout)["checks"]]
    assert len(verdicts) >= 2
    assert set(verdicts) == {"PASS"}


@pytest.mark.parametrize("text", [SECOND, FIRST])
def test_what_does_not_hold_fails_and_says_why(text: str, check: Checker, tmp_path: Path) -> None:
    wrong = text.replace("hello]", "bye]", 1) if "args" in text else text.replace("[hello]", "[bye]")
    report = tmp_path / "report.xml"
    run = check.nixdock("check", Checker.IMAGE, "--config", write(tmp_path, wrong), "--junit", report)
    assert run.status == 1
    assert "FAIL" in run.stdout
    assert "greets" in run.stdout
    assert 'failures="1"' in report.read_text()


def test_a_file_that_cannot_be_read_is_an_error_and_others_run(check: Checker, tmp_path: Path) -> None:
    broken = write(tmp_path, SECOND.replace("commandTests", "commandTest"), "broken.yaml")
    whole = write(tmp_path, FIRST, "whole.yaml")
    run = check.nixdock("check", Checker.IMAGE, "--config", broken, "--config", whole)
    assert run.status == 122
    assert f"{broken}:3:1: a file of version 2.0.0 has no key 'commandTest'; did you mean" in run.stdout
    assert "2 passed, 1 could not run" in run.stdout


def test_faults_of_the_original_are_not_kept(check: Checker, tmp_path: Path) -> None:
    file = write(
        tmp_path,
        """
schemaVersion: 2.0.0
fileExistenceTests:
  - name: above
    path: /etc/..
    shouldExist: true
""",
    )
    assert check.nixdock("check", Checker.IMAGE, "--config", file).status == 0


def test_a_version_that_nobody_has_is_said(check: Checker, tmp_path: Path) -> None:
    file = write(tmp_path, "schemaVersion: v2.0.0\ncommandTests: []\n")
    run = check.nixdock("check", Checker.IMAGE, "--config", file)
    assert run.status != 0
    assert "v2.0.0" in run.stdout + run.stderr
