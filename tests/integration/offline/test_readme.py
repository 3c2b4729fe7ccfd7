"""The examples of the package set's manual, built and run as they are printed there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import nixdock.nixpkgs

if TYPE_CHECKING:
    from integration.offline.conftest import Images

README = Path(nixdock.nixpkgs.__file__).parent / "README.md"
PAIR = re.compile(r"```nix\n(# (\S+\.nix)\n.*?)```\n```console\n(.*?)```", re.DOTALL)
EXAMPLES = {name: (text, session) for text, name, session in PAIR.findall(README.read_text())}


def commands(session: str) -> list[tuple[str, str]]:
    """Each command of a session with what it prints."""
    parts = re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]
    return [(part.partition("\n")[0], part.partition("\n")[2]) for part in parts]


def test_the_manual_has_its_examples() -> None:
    assert len(EXAMPLES) >= 6
    assert README.read_text().count("```nix\n#") == len(EXAMPLES)


# What is fetched from a registry is in test_pull_image, which has one.
@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "pulled.nix"])
def test_the_example_does_what_the_manual_says(name: str, images: Images) -> None:
    text, session = EXAMPLES[name]
    (images.folder / name).write_text(text)

    for command, printed in commands(session):
        done = images.by_hand(command)
        assert done.returncode == 0, done.stderr
        assert done.stdout == printed
