from __future__ import annotations

from pathlib import Path

import nixdock.checks.structure_test as package
from nixdock.checks.structure_test.divergences import DIVERGENCES


def test_the_readme_shows_every_divergence_and_no_other() -> None:
    readme = Path(package.__path__[0], "README.md").read_text()
    rows = [line for line in readme.splitlines() if line.startswith("| `")]
    assert rows == [f"| `{one.name}` | {one.theirs} | {one.ours} |" for one in DIVERGENCES]
