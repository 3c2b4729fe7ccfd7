"""The corpus, judged without an engine: what the real program says and how commands end is recorded."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import nixdock.checks.structure_test as package
from nixdock import errors
from nixdock.checks.kinds.exec import ExecCheck
from nixdock.checks.model import Check
from nixdock.checks.subject import Subject
from nixdock.checks.verdict import CheckResult, Finding
from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.outcome import RunOutcome
from support.images import image_of
from support.layers import MemoryLayer
from support.structure_tests import (
    BUSYBOX,
    CRASHES,
    DATA,
    Case,
    attempt_by,
    cases,
    differences,
    exec_of,
    images,
    judged,
    key_of,
    results_of,
)

_RECORDED: dict[str, Any] = json.loads((DATA / "recorded.json").read_text())
_CASES = [case for case in cases() if not case.needs_mounts]


class Replayer:
    """Ends commands as the engine did when this was recorded."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers

    def attempt(self, check: Check) -> CheckResult:
        """Run a command as an idle container or one of its own would."""
        what = exec_of(check)
        said = self._answers[key_of(what)]
        if said.get("subject") is not None:
            return CheckResult([Finding(said["subject"], said["message"])])

        def run(_what: ExecCheck) -> RunOutcome:
            if said.get("error") == "EngineRefusedError":
                raise EngineRefusedError(said["message"], status=400)
            if said.get("error") is not None:
                raise getattr(errors, said["error"])(said["message"])
            return RunOutcome(
                said["exit_code"], base64.b64decode(said["stdout"]), base64.b64decode(said["stderr"])
            )

        return attempt_by(run)(check)


@pytest.fixture(scope="module")
def subjects() -> dict[str, Subject]:
    if not BUSYBOX.exists():
        pytest.skip("the images are made of busybox-static, which is not installed here")
    return {
        name: Subject(image_of(*map(MemoryLayer, sample.layers), config=sample.config))
        for name, sample in images().items()
    }


def _judge(case: Case, subjects: Mapping[str, Subject]) -> list[tuple[str, bool]]:
    replayer = Replayer(_RECORDED[case.name].get("answers", {}))
    return results_of(judged([case.file], subjects[case.image], replayer.attempt))


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
