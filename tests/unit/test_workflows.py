"""The workflows: what they use cannot change under them, and the required job waits for all others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

WORKFLOWS = Path(__file__).parents[2] / ".github" / "workflows"


def jobs_of(path: Path) -> dict[str, dict[str, Any]]:
    jobs: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text())["jobs"]
    return jobs


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.yml")), ids=lambda path: path.name)
def test_every_action_is_pinned_by_its_commit_and_every_job_has_an_end(path: Path) -> None:
    for line in path.read_text().splitlines():
        used = re.search(r"uses: (?!\./)(.*)", line)
        assert used is None or re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", used[1]), line
    assert all("timeout-minutes" in job or "uses" in job for job in jobs_of(path).values())


def test_the_required_job_needs_all_others() -> None:
    jobs = jobs_of(WORKFLOWS / "test.yml")
    required = jobs.pop("required")
    assert set(required["needs"]) == set(jobs)
    assert required["if"] == "always()"


def test_a_release_waits_for_all_that_a_branch_does() -> None:
    jobs = jobs_of(WORKFLOWS / "release.yml")
    assert jobs["publish"]["needs"] == "test"
    assert jobs["test"] == {"needs": "version", "uses": "./.github/workflows/test.yml"}
