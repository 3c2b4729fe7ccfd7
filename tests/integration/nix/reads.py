"""A program of the tests: what each of some expressions reads, as JSON.

    python reads.py EXPRESSION...

prints of each the fields of its read set that are not empty, paths below the current directory by their
names, and as `error` the end of the message of one that fails.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from nixdock.errors import NixdockError
from nixdock.events import ignore
from nixdock.nix.command import NixOptions
from nixdock.nix.evaluator import open_evaluator
from nixdock.nix.read_set import ReadSet
from nixdock.nix.target import ExpressionTarget


def read(expression: str) -> dict[str, object]:
    """Return what an expression reads."""
    heard: list[ReadSet] = []
    found: dict[str, object] = {}
    evaluator = open_evaluator(ExpressionTarget(expression), NixOptions(), ignore)
    try:
        evaluator.evaluate(expectations=False, streams=False, reads=heard.append)
    except NixdockError as error:
        found["error"] = error.message.rpartition(": ")[2]
    (reads,) = heard
    for name, texts in reads.as_json().items():
        if texts:
            found[name] = [text.removeprefix(f"{Path.cwd()}/") for text in texts]
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps([read(expression) for expression in sys.argv[1:]]))
