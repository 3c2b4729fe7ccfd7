"""`up` with what the target itself expects: in the expression, and in a file beside it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import textwrap
import urllib.request
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.engines import Engine
    from support.program import Nixdock

WEB = """
{ pkgs ? import <nixpkgs> { } }:
pkgs.dockerTools.buildImage {
  name = "expected-web";
  copyToRoot = pkgs.writeTextDir "srv/index.html" "served\\n";
  config.Cmd = [ "${pkgs.busybox}/bin/busybox" "httpd" "-f" "-p" "8080" "-h" "/srv" ];
}
// {
  nixdock = {
    ready = { tcp = 8080; within = "20s"; };
    service.environment.COLOUR = "blue";
    checks = {
      serves = { http = { path = "/"; port = 8080; }; body = "served\\n"; };
      coloured = { exec = [ "${pkgs.busybox}/bin/busybox" "env" ]; stdout.contains = "COLOUR=blue"; };
      page = { file = "/srv/index.html"; mode = "0444"; };
      ends = { stop = "5s"; };
    };
  };
}
"""
JOB = """
{ pkgs ? import <nixpkgs> { }, status ? 0 }:
pkgs.dockerTools.buildImage {
  name = "expected-job";
  config.Cmd = [ "${pkgs.busybox}/bin/busybox" "sh" "-c" "echo done; exit ${toString status}" ];
}
"""


@pytest.fixture
def web(nixdock: Nixdock) -> Nixdock:
    (nixdock.folder / "web.nix").write_text(WEB)
    return nixdock


def test_a_declared_readiness_makes_a_service_and_its_checks_ask_it(web: Nixdock, engine: Engine) -> None:
    run = web("up", "-d", "web.nix")
    name = run.stdout.strip()
    try:
        assert run.status == 0, run.stderr
        verdicts = [line.split()[:2] for line in run.stderr.splitlines() if line.startswith(("PASS", "SKIP"))]
        assert sorted(verdict[1] for verdict in verdicts if verdict[0] == "PASS") == [
            "coloured",
            "page",
            "serves",
            "the",
        ]
        assert ["SKIP", "ends"] in verdicts
        # Where it answers is said: nobody chose the number.
        place = re.search(
            rf"^{name} is ready\n{name}: port 8080 is at (127.0.0.1:\d+)$", run.stderr, re.MULTILINE
        )
        assert place, run.stderr
        with urllib.request.urlopen(f"http://{place[1]}/", timeout=10) as answer:
            assert answer.read() == b"served\n"
        # One container: the checks asked the one that was brought up.
        assert engine.docker("ps", "--all", "--format", "{{.Names}}").split() == [name]
        again = web("up", "-d", "web.nix")
        assert (again.status, again.stdout.strip()) == (0, name)
        assert "is running already" in again.stderr
        assert place[1] in again.stderr
    finally:
        assert web("down", "web.nix").status == 0
    assert engine.docker("ps", "--all", "--quiet") == ""


def test_a_check_that_fails_stops_the_service(web: Nixdock, engine: Engine) -> None:
    text = (web.folder / "web.nix").read_text()
    (web.folder / "web.nix").write_text(text.replace('body = "served', 'body = "other'))
    run = web("up", "-d", "web.nix")
    assert run.status == 1
    assert run.stdout == ""
    assert "FAIL serves" in run.stderr
    assert r"body: expected to be 'other\n', found 'served\n'" in run.stderr
    assert engine.docker("ps", "--all", "--quiet") == ""
    assert re.search(
        r"^expected-web-\w+ is stopped and removed: serves does not hold; --keep leaves it for a look$",
        run.stderr,
        re.MULTILINE,
    )
    # The service is gone, but the line starts one like it.
    answer = type_in(engine, read_by_hand(run.stderr, "serves"))
    assert (answer.returncode, answer.stdout.rpartition("\n\n")[2]) == (0, "served\n"), answer.stderr


def read_by_hand(text: str, check: str) -> str:
    """Return the line that does by hand what a check that failed did."""
    found = re.search(rf"FAIL +{check} .*?by hand: ([^\n]*)", text, re.DOTALL)
    assert found, text
    return found[1]


def type_in(engine: Engine, line: str, **exported: str) -> subprocess.CompletedProcess[str]:
    """Type a line into a shell whose docker speaks to the engine, and remove what it has started.

    Such a line names variables and does not show their values: they come from the shell's environment.
    """
    try:
        return subprocess.run(
            ["bash", "-c", line],
            env={**os.environ, "DOCKER_HOST": engine.host, **exported},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        left = engine.docker("ps", "--all", "--quiet").split()
        if left:
            engine.docker("rm", "-fv", *left)


def test_by_hand_lines_start_what_is_gone_and_name_what_is_kept(web: Nixdock, engine: Engine) -> None:
    text = (web.folder / "web.nix").read_text()
    bad = text.replace('"COLOUR=blue"', '"COLOUR=red"').replace('stop = "5s";', 'stop = "5s"; exit = 9;')
    (web.folder / "web.nix").write_text(bad)
    run = web("check", "web.nix")
    assert run.status == 1, run.stderr
    line = read_by_hand(run.stdout, "coloured")
    # Twice, for it names nothing that can be there already.
    for _ in range(2):
        assert "COLOUR=blue" in type_in(engine, line, COLOUR="blue").stdout
    stopped = type_in(engine, read_by_hand(run.stdout, "ends"))
    assert stopped.returncode == 0, stopped.stderr
    kept = web("check", "--keep", "--filter", "coloured", "web.nix")
    (name,) = engine.docker("ps", "--all", "--format", "{{.Names}}").split()
    line = read_by_hand(kept.stdout, "coloured")
    assert line.startswith(f"docker exec {name} ")
    assert "COLOUR=blue" in type_in(engine, line).stdout


def test_kept_it_is_named_by_the_lines_that_say_how_to_look(web: Nixdock, engine: Engine) -> None:
    text = (web.folder / "web.nix").read_text()
    (web.folder / "web.nix").write_text(text.replace('"COLOUR=blue"', '"COLOUR=red"'))
    run = web("up", "-d", "--keep", "web.nix")
    assert run.status == 1
    assert "is stopped and removed" not in run.stderr
    assert f"kept {(name := engine.docker('ps', '--format', '{{.Names}}').strip())}: " in run.stderr
    assert "COLOUR=blue" in type_in(engine, read_by_hand(run.stderr, "coloured")).stdout
    assert name.startswith("expected-web-")


def test_attended_it_stays_after_its_checks_until_it_is_stopped(web: Nixdock, engine: Engine) -> None:
    running = web.start("up", "web.nix")
    assert running.stderr is not None
    assert running.stdout is not None
    for line in running.stderr:
        if b"is ready; Ctrl-C stops it" in line:
            break
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 143
    running.communicate()
    assert engine.docker("ps", "--all", "--quiet") == ""


def test_a_service_that_is_not_ready_in_time_is_said_and_removed(web: Nixdock, engine: Engine) -> None:
    text = (web.folder / "web.nix").read_text()
    late = text.replace('tcp = 8080; within = "20s"', 'tcp = 8081; within = "1s"')
    (web.folder / "web.nix").write_text(late)
    run = web("up", "web.nix")
    assert run.status == 1
    assert "was not ready within 1.0 s: port 8081" in run.stderr
    assert engine.docker("ps", "--all", "--quiet") == ""


def test_a_job_is_run_and_then_checked_by_the_file_beside_it(nixdock: Nixdock) -> None:
    (nixdock.folder / "job.nix").write_text(JOB)
    checks = {
        "version": 1,
        "checks": {"prints": {"run": [], "stdout": "done\n"}, "bare": {"size": {"max": "9MB"}}},
    }
    (nixdock.folder / "job.checks.json").write_text(json.dumps(checks))
    run = nixdock("up", "job.nix")
    assert (run.status, run.stdout) == (0, "done\n"), run.stderr
    assert "PASS prints" in run.stderr
    assert "PASS bare" in run.stderr
    failed = nixdock("up", "job.nix", "--arg", "status", "3")
    assert (failed.status, failed.stdout) == (1, "done\n")
    assert "FAIL prints" in failed.stderr


def test_static_checks_alone_still_ask_that_the_job_ends_well(nixdock: Nixdock) -> None:
    (nixdock.folder / "job.nix").write_text(JOB)
    (nixdock.folder / "job.checks.yaml").write_text(
        textwrap.dedent(
            """
            version: 1
            checks:
              no-shell: {file: /bin/sh, exists: false}
            """
        )
    )
    assert nixdock("up", "job.nix").status == 0
    assert nixdock("up", "job.nix", "--arg", "status", "3").status == 1


def test_a_check_file_with_a_mistake_is_refused_before_anything_runs(
    nixdock: Nixdock, engine: Engine
) -> None:
    (nixdock.folder / "job.nix").write_text(JOB)
    (nixdock.folder / "job.checks.yaml").write_text("version: 1\nchecks:\n  a: {fiel: /x}\n")
    run = nixdock("up", "job.nix")
    assert run.status == 2
    assert "job.checks.yaml:3" in run.stderr
    assert "file" in run.stderr
    assert engine.docker("ps", "--all", "--quiet") == ""
