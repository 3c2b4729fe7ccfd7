"""dotenv.json holds what the real program made of such files: the variables that reached a container.

It passes over variables without a name or a value; null is a file that it could not read.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nixdock.checks.structure_test.go_text import parse_dotenv

_RECORDED: list[tuple[str, dict[str, str] | None]] = [
    (text, variables)
    for text, variables in json.loads(
        (Path(__file__).parents[2] / "data" / "structure_test" / "dotenv.json").read_text()
    )
]


@pytest.mark.parametrize(("text", "variables"), _RECORDED)
def test_variables_are_read_as_the_original_reads_them(text: str, variables: dict[str, str] | None) -> None:
    if variables is None:
        with pytest.raises(ValueError, match=r"name is missing|are not closed"):
            parse_dotenv(text)
    else:
        assert {key: value for key, value in parse_dotenv(text).items() if key and value} == variables
