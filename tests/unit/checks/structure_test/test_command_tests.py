from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from nixdock.checks.kinds.exec import ExecCheck
from nixdock.checks.model import Command, ContainerSettings
from nixdock.checks.subject import Subject
from nixdock.checks.verdict import CheckResult, Finding, Status, Verdict
from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.errors import CommandNotFoundError, EngineError
from nixdock.outcome import RunOutcome
from support.images import image_of
from support.structure_tests import attempt_by, judged

_CONFIG = {"Env": ["PATH=/bin", "FOO=bar"]}


def _judge(
    text: str,
    folder: Path,
    answer: RunOutcome | Exception | None = None,
    *,
    environ: Mapping[str, str] | None = None,
) -> tuple[Verdict, list[ExecCheck]]:
    path = folder / "f.yaml"
    path.write_text("schemaVersion: 2.0.0\n" + text)
    asked: list[ExecCheck] = []

    def run(what: ExecCheck) -> RunOutcome:
        asked.append(what)
        if isinstance(answer, Exception):
            raise answer
        return answer or RunOutcome(0)

    subject = Subject(image_of(config=_CONFIG), "web:1")
    (verdict,) = judged([path], subject, attempt_by(run), environ=environ or {}, directory=folder)
    return verdict, asked


_RICH = """\
globalEnvVars: [{key: G, value: "$FOO$E"}]
commandTests:
- {name: a, command: $FOO/x, args: ["$G $E"], envVars: [{key: E, value: "$G-"}], setup: [[s, $FOO]],
   teardown: [[t]]}
containerRunOptions: {user: u, capabilities: [C], bindMounts: ["/a:/b"], envVars: [H], envFile: v.env}
"""


def test_each_variable_is_expanded_where_the_original_does(tmp_path: Path) -> None:
    (tmp_path / "v.env").write_text("V=1\n")
    verdict, (what,) = _judge(_RICH, tmp_path, environ={"H": "h"})
    assert what.command.argv == ("bar/x", "bar bar-")
    assert what.command.env == {"G": "bar", "E": "$G-", "V": "1", "H": "h"}
    assert what.settings == ContainerSettings(
        (("user", "u"), ("cap-add", "C")), raw={"HostConfig": {"Binds": ["/a:/b"]}}
    )
    assert what.steps == (Command(("s", "$FOO"), env={"G": "bar", "E": "bar-"}),)
    assert what.alone
    assert verdict.status is Status.PASS
    assert verdict.notes == ("teardown is not run: every test has files of its own",)


def test_a_command_can_be_repeated_by_hand(tmp_path: Path) -> None:
    text = (
        "commandTests: [{name: a, command: sh, args: ['-c', 'echo $x'], envVars: [{key: A, value: b c}]}]\n"
    )
    verdict, _ = _judge(text, tmp_path)
    assert verdict.reproduce == "docker run --rm -e A --entrypoint sh web:1 -c 'echo '"


def test_a_failure_shows_the_output(tmp_path: Path) -> None:
    text = (
        "commandTests: [{name: a, command: x, exitCode: 2, expectedOutput: [^one$], excludedError: [oops]}]\n"
    )
    verdict, _ = _judge(text, tmp_path, RunOutcome(1, b"one\n", b"oops\n"))
    assert [finding.subject for finding in verdict.findings] == ["exit", "stdout", "stderr"]
    assert "'$' is the very end" in verdict.findings[1].message
    assert (verdict.stdout, verdict.stderr) == ("one", "oops")


def test_a_command_whose_time_was_up_fails(tmp_path: Path) -> None:
    text = "commandTests: [{name: a, command: x, exitCode: 137}]\n"
    verdict, _ = _judge(text, tmp_path, RunOutcome(137, timed_out=True))
    assert verdict.status is Status.FAIL
    assert verdict.findings[0].subject == "timeout"


@pytest.mark.parametrize(
    ("error", "name", "status"),
    [
        (CommandNotFoundError("no such program"), "Command Test: a", Status.FAIL),
        (EngineRefusedError("no such user", status=500), "Command Test: a", Status.FAIL),
        (EngineError("the engine is gone"), "Command Test: a", Status.ERROR),
    ],
)
def test_what_cannot_be_run_is_the_images_fault_or_the_engines(
    error: Exception, name: str, status: Status, tmp_path: Path
) -> None:
    verdict, _ = _judge("commandTests: [{name: a, command: x, exitCode: 127}]\n", tmp_path, error)
    assert (verdict.name, verdict.status) == (name, status)
    assert str(error) in verdict.findings[0].message


@pytest.mark.parametrize(
    ("options", "environ", "words"),
    [
        ("{envVars: [H]}", {}, "the variable 'H' is not set here"),
        ("{envVars: ['']}", {"": "x"}, "the variable '' is not set here"),
    ],
)
def test_a_variable_that_the_caller_has_not_fails_the_test(
    options: str, environ: dict[str, str], words: str, tmp_path: Path
) -> None:
    text = f"commandTests: [{{name: a, command: x}}]\ncontainerRunOptions: {options}\n"
    verdict, requests = _judge(text, tmp_path, environ=environ)
    assert (verdict.name, verdict.status) == ("Command Test: a", Status.FAIL)
    assert verdict.findings[0].message == words
    assert not requests


@pytest.mark.parametrize("content", [None, "no equals sign\n"])
def test_a_file_of_variables_that_cannot_be_read_is_passed_over(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "v.env").write_text(content)
    text = "commandTests: [{name: a, command: x}]\ncontainerRunOptions: {envFile: v.env}\n"
    verdict, (request,) = _judge(text, tmp_path)
    assert verdict.status is Status.PASS
    assert verdict.notes[0].startswith("envFile v.env cannot be read and is passed over: ")
    assert request.command.env == {}


def test_what_fails_before_a_test_is_told_under_its_bare_name(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text("schemaVersion: 2.0.0\ncommandTests: [{name: a, command: x, setup: [[y]]}]\n")
    failed = CheckResult([Finding("setup", "no such program")])
    (verdict,) = judged([path], Subject(image_of(config=_CONFIG)), lambda _check: failed)
    assert (verdict.name, verdict.status) == ("a", Status.FAIL)
