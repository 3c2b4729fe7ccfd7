"""The corpus, judged without an engine: what the real program says and how commands end is recorded."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import nixdock.checks.structure_test as package
from nixdock import errors
from nixdock.checks.structure_test.judgement import NotReachedError
from nixdock.checks.structure_test.rig import CommandAnswer, CommandRequest, ContainerNeeds, Rig
from nixdock.checks.structure_test.suite import run
from nixdock.checks.subject import Subject
from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.outcome import RunOutcome
from support.images import image_of
from support.layers import MemoryLayer
from support.structure_tests import (
    CRASHES,
    DATA,
    ENVIRON,
    FOLDER,
    Case,
    cases,
    differences,
    images,
    results_of,
)

_RECORDED: dict[str, Any] = json.loads((DATA / "recorded.json").read_text())
_CASES = [case for case in cases() if not case.needs_mounts]


class Replayer:
    """Answers as the engine did when this was recorded."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers

    def run(self, request: CommandRequest) -> CommandAnswer:
        said = self._answers[json.dumps(asdict(request), sort_keys=True)]
        error = said.get("error")
        if error == "NotReachedError":
            raise NotReachedError("setup", said["message"])
        if error == "EngineRefusedError":
            raise EngineRefusedError(said["message"], status=400)
        if error is not None:
            raise getattr(errors, error)(said["message"])
        outcome = RunOutcome(
            said["exit_code"], base64.b64decode(said["stdout"]), base64.b64decode(said["stderr"])
        )
        return CommandAnswer(outcome, tuple(said["setup_codes"]))

    def files(self, needs: ContainerNeeds) -> Any:
        raise AssertionError("the layers of the image answer this")


@pytest.fixture(scope="module")
def subjects() -> dict[str, Subject]:
    return {
        name: Subject(image_of(*map(MemoryLayer, sample.layers), config=sample.config))
        for name, sample in images().items()
    }


def _judge(case: Case, subjects: Mapping[str, Subject]) -> list[tuple[str, bool]]:
    replayer = Replayer(_RECORDED[case.name].get("answers", {}))
    rig = Rig(subjects[case.image], replayer, environ=ENVIRON, folder=FOLDER)
    return results_of(run([case.file], rig))


def _original(case: Case) -> list[tuple[str, bool]]:
    return [(name, held) for name, held in _RECORDED[case.name].get("original", ())]


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.name)
def test_verdicts_are_those_of_the_original_but_for_documented_differences(
    case: Case, subjects: dict[str, Subject]
) -> None:
    usual = _judge(case, subjects)
    if case.name in CRASHES:
        assert usual == [("Metadata Test", False)]
    elif case.name in differences():
        assert usual == differences()[case.name].verdicts != _original(case)
    else:
        assert usual == _original(case)


def test_every_difference_is_documented_and_shown() -> None:
    shown = {difference.divergence for difference in differences().values()}
    # That a file cannot be read is not among these results: they do not tell an ERROR from a FAIL.
    readme = Path(package.__path__[0], "README.md").read_text()
    assert shown == set(re.findall(r"^\| `(.+?)` \|", readme, re.MULTILINE)) - {"unreadable-file"}
