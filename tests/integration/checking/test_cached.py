"""`check --cached`: what the engine is asked to do when all has held before, and when something has not."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from integration.checking.conftest import Checker

if TYPE_CHECKING:
    from pathlib import Path

    from support.program import Run

CHECKS: dict[str, Any] = {
    "own": {"run": ["/bin/echo", "a"], "stdout": "a\n"},
    "idle": {"exec": ["/bin/echo", "b"], "stdout": "b\n"},
    "file": {"file": "/bin/sh"},
}


class Watched:
    """Runs `check --cached` with a memory of its own, and counts the containers that it makes."""

    def __init__(self, check: Checker, folder: Path) -> None:
        self.check = check
        self.cache = {"NIXDOCK_CACHE_DIR": str(folder / "cache")}
        self.made = 0

    def __call__(self, checks: dict[str, Any], *options: str | Path, image: str = Checker.IMAGE) -> Run:
        file = self.check.write({"checks": checks})
        since = f"{time.time():.9f}"
        run = self.check.nixdock(
            *("check", image, "--cached", "--checks", file, *options),
            env=self.cache,
        )
        words = ("events", "--since", since, "--until", f"{time.time():.9f}", "--filter", "event=create")
        self.made = len(self.check.engine.docker(*words, "--filter", "type=container").splitlines())
        return run

    def cached(self, checks: dict[str, Any], *options: str | Path, image: str = Checker.IMAGE) -> list[str]:
        """Return the names of the checks that were not run; all must hold."""
        run = self(checks, "--json", *options, image=image)
        assert run.status == 0, run.stdout + run.stderr
        return [one["name"] for one in json.loads(run.stdout)["checks"] if one.get("cached")]


def test_what_held_is_not_run_again_and_the_reports_say_so(check: Checker, tmp_path: Path) -> None:
    watched = Watched(check, tmp_path)
    assert watched.cached(CHECKS) == []
    assert watched.made == 2
    report = tmp_path / "report.xml"
    run = watched(CHECKS, "--junit", report)
    assert (run.status, watched.made) == (0, 0)
    assert [line.split()[-1] for line in run.stdout.splitlines()[1:4]] == ["(cached)"] * 3
    assert "3 passed (3 cached)" in run.stdout
    assert report.read_text().count('<property name="cached" value="true" />') == 3


def test_what_differs_is_run_and_the_rest_is_not(check: Checker, tmp_path: Path) -> None:
    watched = Watched(check, tmp_path)
    watched.cached(CHECKS)
    edited = {**CHECKS, "own": {"run": ["/bin/echo", "c"], "stdout": "c\n"}}
    assert watched.cached(edited) == ["idle", "file"]
    assert watched.made == 1
    # Another image of the same name, and the engine's settings of a container.
    other = check.make_image("nixdock-checked-other:1", Env=["OTHER=1", "PATH=/bin"])
    assert watched.cached(CHECKS, image=other) == []
    assert watched.cached(CHECKS, "--env", "A=b") == ["file"]
    assert watched.cached(CHECKS) == ["own", "idle", "file"]


def test_what_failed_or_reaches_out_is_run_each_time(check: Checker, tmp_path: Path) -> None:
    watched = Watched(check, tmp_path)
    checks = {
        "fails": {"run": ["/bin/false"]},
        "volume": {"run": ["/bin/true"], "options": {"volumes": ["/x"]}},
        "holds": {"run": ["/bin/true"]},
    }
    for made in (3, 2):
        run = watched(checks)
        assert (run.status, watched.made) == (1, made)
    run = watched(checks, "--update")
    assert run.status == 2
    assert "--cached" in run.stderr
