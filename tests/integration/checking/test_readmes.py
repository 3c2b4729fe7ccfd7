"""The examples of checks in the README files, run as they are printed there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import nixdock
from integration.checking.conftest import Checker

TOP = Path(__file__).parents[3] / "README.md"
ROOM = Path(nixdock.__file__).parent / "checks" / "README.md"


def _first_expression(readme: Path) -> str:
    """The first expression with an image that a README prints."""
    blocks: list[str] = re.findall(r"```nix\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)
    return next(block for block in blocks if "redis-server" in block)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("readme", "name"), [(TOP, "redis.nix"), (ROOM, "cache.nix")])
def test_the_example_holds_hardened_or_not(check: Checker, readme: Path, name: str) -> None:
    (check.nixdock.folder / name).write_text(_first_expression(readme), encoding="utf-8")
    printed = re.findall(r"^\$ nixdock (check redis.nix[^#\n]*)", TOP.read_text("utf-8"), re.MULTILINE)
    assert len(printed) == 2

    for line in printed:
        done = check.nixdock(*line.replace("redis.nix", name).split())
        assert done.status == 0, f"{line}: {done.stdout}{done.stderr}"
        assert "FAIL" not in done.stdout
