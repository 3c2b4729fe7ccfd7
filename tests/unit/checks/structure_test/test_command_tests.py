from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from nixdock.checks.structure_test.judgement import NotReachedError
from nixdock.checks.structure_test.rig import CommandAnswer, CommandRequest, ContainerNeeds, Rig
from nixdock.checks.structure_test.suite import run
from nixdock.checks.subject import Subject
from nixdock.checks.verdict import Status, Verdict
from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.errors import CommandNotFoundError, EngineError
from nixdock.outcome import RunOutcome
from support.images import image_of

_CONFIG = {"Env": ["PATH=/bin", "FOO=bar"]}


class Runner:
    """Gives one answer to all requests, and keeps them."""

    def __init__(self, answer: CommandAnswer | Exception) -> None:
        self._answer = answer
        self.requests: list[CommandRequest] = []

    def run(self, request: CommandRequest) -> CommandAnswer:
        self.requests.append(request)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def files(self, needs: ContainerNeeds) -> Any:
        raise AssertionError("no file is asked for")


def _judge(
    text: str,
    folder: Path,
    answer: CommandAnswer | Exception | None = None,
    *,
    environ: Mapping[str, str] | None = None,
) -> tuple[Verdict, list[CommandRequest]]:
    path = folder / "f.yaml"
    path.write_text("schemaVersion: 2.0.0\n" + text)
    runner = Runner(answer or CommandAnswer(RunOutcome(0)))
    subject = Subject(image_of(config=_CONFIG), "web:1")
    rig = Rig(subject, runner, environ=environ or {}, folder=folder)
    (verdict,) = run([path], rig)
    return verdict, runner.requests


_RICH = """\
globalEnvVars: [{key: G, value: "$FOO$E"}]
commandTests:
- {name: a, command: $FOO/x, args: ["$G $E"], envVars: [{key: E, value: "$G-"}], setup: [[s, $FOO]],
   teardown: [[t]]}
containerRunOptions: {user: u, capabilities: [C], bindMounts: ["/a:/b"], envVars: [H], envFile: v.env}
"""


def test_each_variable_is_expanded_where_the_original_does(tmp_path: Path) -> None:
    (tmp_path / "v.env").write_text("V=1\n")
    verdict, (request,) = _judge(_RICH, tmp_path, CommandAnswer(RunOutcome(0), (7,)), environ={"H": "h"})
    assert request == CommandRequest(
        argv=("bar/x", "bar bar-"),
        needs=ContainerNeeds(
            environment=("G=bar", "E=bar-", "E=$G-", "V=1", "H=h"),
            user="u",
            capabilities=("C",),
            bind_mounts=("/a:/b",),
        ),
        setup=(("s", "$FOO"),),
        setup_needs=ContainerNeeds(
            environment=("G=bar", "E=bar-"), user="u", capabilities=("C",), bind_mounts=("/a:/b",)
        ),
    )
    assert verdict.status is Status.PASS
    assert verdict.notes == (
        "the setup command s '$FOO' ended with 7, which is not looked at",
        "teardown is not run: every test has files of its own",
    )
    assert verdict.reproduce is None


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
    verdict, _ = _judge(text, tmp_path, CommandAnswer(RunOutcome(1, b"one\n", b"oops\n", seconds=1.5)))
    assert [finding.subject for finding in verdict.findings] == ["exit", "stdout", "stderr"]
    assert "'$' is the very end" in verdict.findings[1].message
    assert (verdict.stdout, verdict.stderr, verdict.seconds) == ("one", "oops", 1.5)


def test_a_command_whose_time_was_up_fails(tmp_path: Path) -> None:
    text = "commandTests: [{name: a, command: x, exitCode: 137}]\n"
    verdict, _ = _judge(text, tmp_path, CommandAnswer(RunOutcome(137, timed_out=True)))
    assert verdict.status is Status.FAIL
    assert verdict.findings[0].subject == "timeout"


@pytest.mark.parametrize(
    ("error", "name", "status"),
    [
        (CommandNotFoundError("no such program"), "Command Test: a", Status.FAIL),
        (EngineRefusedError("no such user", status=500), "Command Test: a", Status.FAIL),
        (NotReachedError("setup", "no such program"), "a", Status.FAIL),
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
    assert request.needs.environment == ()
