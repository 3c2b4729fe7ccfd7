"""Record what the real program says of the corpus, and how the commands in it end on a real engine.

    PYTHONPATH=tests:tests/integration python tests/unit/data/structure_test/record.py [NAME...]

recorded.json is written; and differences.json, in which a new entry must be given the name of its
divergence by hand. With names only these files of the corpus are recorded anew. Files whose tests need
mounts are left to the integration tests.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from integration.structure_test.conftest import Judges, judging
from nixdock.checks.kinds.exec import ExecCheck, RunCommand
from nixdock.checks.running.idle_group import IdleGroup
from nixdock.errors import EngineError
from support import engines
from support.structure_tests import DATA, Case, cases, exec_of, key_of

if TYPE_CHECKING:
    from nixdock.checks.model import Check, Command
    from nixdock.checks.verdict import CheckResult
    from nixdock.outcome import RunOutcome


def record(judges: Judges, case: Case) -> dict[str, Any]:
    """Return what is to be known of one file."""
    answers: dict[str, dict[str, Any]] = {}
    with pytest.MonkeyPatch.context() as patch:
        attempt, perform = IdleGroup.attempt, ExecCheck.perform

        def recorded_attempt(group: IdleGroup, check: Check) -> CheckResult:
            said: dict[str, Any] = {}

            def recorded(what: ExecCheck, run: RunCommand, timeout: float, *, reproduce: str) -> CheckResult:
                return perform(what, _noting(run, said), timeout, reproduce=reproduce)

            patch.setattr(ExecCheck, "perform", recorded)
            result = attempt(group, check)
            if not said:
                (finding,) = result.findings
                said = {"subject": finding.subject, "message": finding.message}
            answers[key_of(exec_of(check))] = said
            return result

        patch.setattr(IdleGroup, "attempt", recorded_attempt)
        usual = judges.nixdock(case)
    return {"original": judges.original(case), "usual": usual, "answers": answers}


def _noting(run: RunCommand, said: dict[str, Any]) -> RunCommand:
    """Have what comes of a command noted."""

    def noting(command: Command, seconds: float) -> RunOutcome:
        try:
            outcome = run(command, seconds)
        except EngineError as error:
            said.update({"error": type(error).__name__, "message": error.message})
            raise
        said.update(
            exit_code=outcome.exit_code,
            stdout=base64.b64encode(outcome.stdout[:]).decode(),
            stderr=base64.b64encode(outcome.stderr[:]).decode(),
        )
        return outcome

    return noting


def main(names: set[str]) -> None:
    """Record the files of these names, or all."""
    recorded, differences = (_read(name) for name in ("recorded", "differences"))
    known = {name: one["divergence"] for name, one in differences.items()}
    with (
        tempfile.TemporaryDirectory() as folder,
        engines.start("docker-20") as engine,
        judging(engine, Path(folder)) as judges,
    ):
        for case in cases():
            if names and case.name not in names:
                continue
            sys.stderr.write(f"{case.name}\n")
            if case.needs_mounts:
                found = {"original": judges.original(case), "usual": judges.nixdock(case)}
            else:
                found = record(judges, case)
                recorded[case.name] = {key: found[key] for key in ("original", "answers") if found[key]}
            differences.pop(case.name, None)
            if found["original"] is not None and found["usual"] != found["original"]:
                divergence = known.get(case.name, "")
                differences[case.name] = {"divergence": divergence, "verdicts": found["usual"]}
    _write("recorded", {case.name: recorded[case.name] for case in cases() if case.name in recorded})
    _write("differences", {case.name: differences[case.name] for case in cases() if case.name in differences})


def _read(name: str) -> dict[str, Any]:
    path = DATA / f"{name}.json"
    read: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return read


def _write(name: str, value: dict[str, Any]) -> None:
    (DATA / f"{name}.json").write_text(json.dumps(value, indent=1) + "\n")


if __name__ == "__main__":
    os.chdir(DATA)
    main(set(sys.argv[1:]))
