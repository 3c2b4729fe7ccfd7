"""The library of the offline package set gives the answers that nixpkgs' own gives.

`data/lib-answers.json` holds expressions of our own and what nixpkgs' library made of them: the value, or
the line that it fails with and lines further down in the same message.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from nixdock import process

LIB = Path(__file__).parents[3] / "nixdock" / "nixpkgs" / "lib"
VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "data" / "lib-answers.json").read_text())

pytestmark = pytest.mark.nix


def family(vector: dict[str, Any]) -> str:
    return str(vector["name"]).partition("/")[0]


FAMILIES = list(dict.fromkeys(map(family, VECTORS)))


def evaluate(expression: str) -> process.Outcome:
    return process.run(
        ["nix-instantiate", "--eval", "--strict", "--json", "--readonly-mode", "-E", expression],
    )


def differing(vectors: list[dict[str, Any]]) -> dict[str, str]:
    """What else each vector gives, by its name; all in one evaluation, and its halves where that fails."""
    expressions = "\n".join(f"({vector['expression']})" for vector in vectors)
    outcome = evaluate(f"let lib = import {LIB}; in [\n{expressions}\n]")
    if outcome:
        return {
            vector["name"]: f"{answer!r} in place of {vector['answer']!r}"
            for vector, answer in zip(vectors, json.loads(outcome.text), strict=True)
            # As text, in which 1 and 1.0 are two things.
            if json.dumps(answer, sort_keys=True) != json.dumps(vector["answer"], sort_keys=True)
        }
    if len(vectors) == 1:
        return {vectors[0]["name"]: outcome.error_text}
    middle = len(vectors) // 2
    return differing(vectors[:middle]) | differing(vectors[middle:])


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_answers_as_nixpkgs_does(name: str) -> None:
    assert differing([vector for vector in VECTORS if family(vector) == name and "answer" in vector]) == {}


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "vector",
    [pytest.param(vector, id=vector["name"]) for vector in VECTORS if "throws" in vector],
)
def test_what_nixpkgs_refuses_fails_with_its_words(vector: dict[str, Any]) -> None:
    outcome = evaluate(f"let lib = import {LIB}; in ({vector['expression']})")

    assert not outcome
    message = re.split(r"(?m)^\s*error:", outcome.error_text)[-1]
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    assert lines[0] == vector["throws"].strip()
    assert [line for line in vector.get("also", ()) if line.strip() not in lines] == []
