"""The pytest plugin, used by test suites of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from integration.checking.conftest import Checker, busybox
from support.archives import Sample, docker_archive
from support.layers import tar_of
from support.program import Nixdock

NOWHERE = "unix:///nowhere/docker.sock"
SERVICE = """
    def test_it(nixdock_service):
        script = "mkdir /w; echo hi > /w/x; echo begun; exec httpd -f -p 80 -h /w"
        web = nixdock_service(["/bin/sh", "-c", script], ports=[80])
        web.wait_for_log("begun")
        import time, urllib.request
        for _ in range(100):
            try:
                assert urllib.request.urlopen(web.url(80, "/x")).read() == b"hi\\n"
                break
            except OSError:
                time.sleep(0.05)
        assert web.run(["/bin/echo", "there"]).stdout == b"there\\n"
        assert {expectation}
"""


@dataclass
class Project:
    """A folder with tests, and pytest run in it as a user runs it."""

    folder: Path
    environment: dict[str, str]

    def write(self, name: str, text: str) -> None:
        lines = text.strip("\n").splitlines()
        indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
        (self.folder / name).write_text("\n".join(line[indent:] for line in lines) + "\n")

    def pytest(self, *words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pytest", *words],
            cwd=self.folder,
            env={**self.environment, **(env or {})},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def counts(self, *words: str, env: dict[str, str] | None = None) -> tuple[dict[str, int], str]:
        report = self.folder / "report.xml"
        report.unlink(missing_ok=True)
        run = self.pytest("--junitxml", str(report), *words, env=env)
        suite = ET.parse(report).getroot().find("testsuite")
        assert suite is not None, run.stdout
        return {
            key: int(suite.get(key) or 0) for key in ("tests", "failures", "errors", "skipped")
        }, run.stdout


@pytest.fixture
def project(nixdock: Nixdock, check: Checker, tmp_path: Path) -> Project:
    """A project whose image is an archive."""
    folder = tmp_path / "project"
    folder.mkdir()
    sample = Sample(
        (tar_of(busybox()),), ("plugged:1",), {"Env": ["PATH=/bin"], "Cmd": ["/bin/sleep", "1000"]}
    )
    (folder / "image.tar").write_bytes(docker_archive(sample))
    (folder / "pytest.ini").write_text("[pytest]\nnixdock_target = ./image.tar\nfilterwarnings = error\n")
    site = tmp_path / "site"
    if not any(entry.name == "nixdock" for entry in entry_points(group="pytest11")):
        # As an installed nixdock has it; this one may have been installed before there was a plugin.
        metadata = site / "nixdock_plugin-1.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: nixdock-plugin\nVersion: 1\n")
        (metadata / "entry_points.txt").write_text("[pytest11]\nnixdock = nixdock.pytest_plugin\n")
    kept = {key: value for key, value in nixdock.environment.items() if not key.startswith("PYTEST")}
    return Project(folder, {**kept, "PYTHONPATH": str(site)})


def test_fixtures_run_containers_and_services(project: Project, check: Checker) -> None:
    project.write("test_service.py", SERVICE.replace("{expectation}", "True"))
    project.write(
        "test_run.py",
        """
        def test_run(nixdock_run):
            outcome = nixdock_run("/bin/sh", "-c", "echo out; exit 3", environment={"A": "1"})
            assert (outcome.exit_code, outcome.stdout) == (3, b"out\\n")

        def test_container(nixdock_container, nixdock_image):
            assert nixdock_image.reference == "plugged:1"
            assert nixdock_container.run(["id", "-u"]).stdout == b"0\\n"
        """,
    )

    counts, output = project.counts()

    assert counts == {"tests": 3, "failures": 0, "errors": 0, "skipped": 0}, output


def test_a_test_that_fails_shows_what_the_service_wrote(project: Project, check: Checker) -> None:
    project.write("test_service.py", SERVICE.replace("{expectation}", "False"))

    counts, output = project.counts()

    assert counts["failures"] == 1
    assert "nixdock: " in output
    assert "state: running" in output
    assert "stdout: begun" in output


def test_check_files_are_tests(project: Project, check: Checker) -> None:
    checks = {
        "good": {"exec": ["true"], "tags": ["quick"]},
        "bad": {"exec": ["/bin/sh", "-c", "exit 3"]},
        "later": {"exec": ["true"], "skip": "not yet"},
        "file": {"file": "/etc/passwd", "user": "root"},
        "broken": {"exec": ["true"], "setup": [["false"]]},
    }
    (project.folder / "image.checks.json").write_text(json.dumps({"checks": checks}))

    counts, output = project.counts()
    assert counts == {"tests": 5, "failures": 2, "errors": 0, "skipped": 1}, output
    assert "exit: expected to be 0, found 3" in output
    assert "by hand: docker run" in output
    assert "setup: false: exit status 1" in output

    assert project.counts("-k", "good or file")[0] == {"tests": 2, "failures": 0, "errors": 0, "skipped": 0}
    project.counts()
    assert project.counts("--lf")[0] == {"tests": 2, "failures": 2, "errors": 0, "skipped": 0}


def test_workers_share_one_image(project: Project, check: Checker) -> None:
    project.write(
        "test_many.py",
        """
        import pytest

        @pytest.mark.parametrize("n", range(6))
        def test_many(nixdock_run, n):
            assert nixdock_run("/bin/echo", str(n)).stdout == b"%d\\n" % n
        """,
    )
    checks = {f"c{n}": {"exec": ["echo", str(n)], "stdout": f"{n}\n"} for n in range(4)}
    (project.folder / "image.checks.json").write_text(json.dumps({"checks": checks}))

    counts, output = project.counts("-p", "xdist", "-n", "2")

    assert counts == {"tests": 10, "failures": 0, "errors": 0, "skipped": 0}, output


def test_without_an_engine_tests_are_skipped_unless_one_is_required(project: Project) -> None:
    project.write("test_run.py", "def test_run(nixdock_run): pass")
    (project.folder / "image.checks.json").write_text(
        '{"checks": {"needs": {"exec": ["true"]}, "static": {"file": "/etc/passwd"}}}'
    )
    there_is_none = {"DOCKER_HOST": NOWHERE}

    assert project.counts(env=there_is_none)[0] == {"tests": 3, "failures": 0, "errors": 0, "skipped": 2}
    required, output = project.counts("--nixdock-require", env=there_is_none)
    assert required["failures"] + required["errors"] == 2
    assert "(--nixdock-require)" in output


def test_collecting_contacts_nothing_and_imports_little(project: Project) -> None:
    (project.folder / "image.checks.json").write_text('{"checks": {"a": {"exec": ["true"]}}}')
    project.write(
        "conftest.py",
        """
        import sys

        def pytest_collection_finish(session):
            late = {"docker", "requests", "nixdock.engine.connection.client", "nixdock.nix.builder"}
            assert not late & sys.modules.keys(), late & sys.modules.keys()
        """,
    )

    run = project.pytest("--collect-only", "-q", "--strict-markers", env={"DOCKER_HOST": NOWHERE})

    assert run.returncode == 0, run.stdout + run.stderr
    assert "a" in run.stdout


def test_a_bad_check_file_is_told_with_its_position(project: Project) -> None:
    project.write("image.checks.yaml", "checks:\n  a:\n    exce: [x]\n")

    run = project.pytest(env={"DOCKER_HOST": NOWHERE})

    assert "image.checks.yaml:3:5: the check 'a' has no kind; did you mean 'exec'?" in run.stdout


def test_the_plugin_can_be_left_out(project: Project) -> None:
    project.write("test_plain.py", "def test_plain(): pass")
    (project.folder / "pytest.ini").unlink()

    assert "--nixdock-target" in project.pytest("--help").stdout
    without = project.pytest("-p", "no:nixdock", "--help")
    assert without.returncode == 0
    assert "--nixdock-target" not in without.stdout
