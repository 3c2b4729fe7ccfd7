"""Projects in the style of those that people keep in their repositories, checked as they would check them.

A directory of `projects/images/` is one: its `default.nix` or `flake.nix`, and in `checks.yaml` what must
hold of its image. A file `target` says which output of the flake is meant.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.program import Nixdock

PROJECTS = Path(__file__).parent / "projects" / "images"
CHEAP = (
    "redis-gosu",
    "flask",
    "node-app",
    "static-site",
    "multi-stage",
    "flake-utils",
    "flake-parts",
    "c-libraries",
    "perl-json",
    "overlay",
    "modules",
    "several",
)
"""Those that need little that other tests do not need: they come first, and always."""

OTHERS = tuple(sorted({path.name for path in PROJECTS.iterdir()} - {*CHEAP, "time-zone"}))


def check(nixdock: Nixdock, name: str) -> None:
    """Check a project, in a directory of its own: what stands beside the file is part of many an image."""
    project = nixdock.folder / name
    shutil.copytree(PROJECTS / name, project, ignore=shutil.ignore_patterns("checks.yaml", "target"))
    target = PROJECTS / name / "target"
    output = target.read_text().strip() if target.exists() else ""
    done = nixdock("check", f"./{name}{output}", "--checks", PROJECTS / name / "checks.yaml", timeout=900)
    assert done.status == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", CHEAP)
def test_a_project_holds_what_it_promises(nixdock: Nixdock, name: str) -> None:
    check(nixdock, name)


@pytest.mark.sampled(1000)
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", ["time-zone", *OTHERS])
def test_a_further_project_holds_what_it_promises(nixdock: Nixdock, name: str) -> None:
    check(nixdock, name)
