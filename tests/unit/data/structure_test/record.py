"""Record what the real program says of the corpus, and how the commands in it end on a real engine.

    PYTHONPATH=tests python tests/unit/data/structure_test/record.py [NAME...]

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
from dataclasses import asdict
from pathlib import Path
from typing import Any

from integration.structure_test.conftest import Judges, judging
from nixdock.checks.structure_test.judgement import NotReachedError
from nixdock.checks.structure_test.rig import CommandAnswer, CommandRequest, Rig
from nixdock.checks.structure_test.suite import run
from nixdock.errors import EngineError
from support import engines
from support.structure_tests import DATA, ENVIRON, FOLDER, Case, cases, results_of


class Recorder:
    """Passes commands on to a real runner, and keeps the answers."""

    def __init__(self, judges: Judges, case: Case) -> None:
        self._apart = judges.runner(case)
        self.answers: dict[str, dict[str, Any]] = {}

    def run(self, request: CommandRequest) -> CommandAnswer:
        """Run a command, once however often it is asked for."""
        try:
            answer = self._apart.run(request)
        except NotReachedError as error:
            self._keep(request, {"error": "NotReachedError", "message": error.message})
            raise
        except EngineError as error:
            self._keep(request, {"error": type(error).__name__, "message": error.message})
            raise
        outcome = answer.outcome
        said = {
            "exit_code": outcome.exit_code,
            "stdout": base64.b64encode(outcome.stdout[:]).decode(),
            "stderr": base64.b64encode(outcome.stderr[:]).decode(),
            "setup_codes": answer.setup_codes,
        }
        self._keep(request, said)
        return answer

    def _keep(self, request: CommandRequest, said: dict[str, Any]) -> None:
        self.answers[key_of(request)] = said


def key_of(request: CommandRequest) -> str:
    """Return what a request is known by."""
    return json.dumps(asdict(request), sort_keys=True)


def record(judges: Judges, case: Case) -> dict[str, Any]:
    """Return what is to be known of one file."""
    recorder = Recorder(judges, case)
    rig = Rig(judges.subjects[case.image], recorder, environ=ENVIRON, folder=FOLDER)  # type: ignore[arg-type]
    usual = results_of(run([case.file], rig))
    return {"original": judges.original(case), "usual": usual, "answers": recorder.answers}


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
