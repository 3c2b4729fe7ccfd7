"""What the `docker-nixdock` program answers the Docker CLI."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nixdock import __version__
from nixdock.cli import plugin

PROGRAM = Path(sys.executable).parent / "docker-nixdock"


@pytest.fixture(autouse=True)
def as_docker_runs_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND", "docker")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))


def test_the_metadata_is_what_every_version_of_the_cli_accepts(capsys: pytest.CaptureFixture[str]) -> None:
    assert plugin.run(["docker-cli-plugin-metadata"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "SchemaVersion": "0.1.0",
        "Vendor": "nixdock",
        "Version": __version__,
        "ShortDescription": "From a .nix file to a checked container",
    }
    assert err == ""


def test_the_metadata_imports_nothing_slow() -> None:
    program = (
        "import sys; from nixdock.cli.plugin import run; run(['docker-cli-plugin-metadata']);"
        "sys.stderr.write(' '.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    modules = set(done.stderr.split())
    assert {name for name in modules if name.startswith("nixdock")} == {
        "nixdock",
        "nixdock.cli",
        "nixdock.cli.plugin",
    }
    assert modules & {"click", "docker", "rich", "structlog", "tenacity", "dataclasses", "socket"} == set()


@pytest.mark.parametrize(
    "words",
    [
        ["nixdock", "--help"],
        ["help", "nixdock"],
        ["nixdock", "help"],
        ["--debug=false", "nixdock", "--help"],
    ],
)
def test_help_speaks_of_docker_nixdock(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert plugin.run(words) == 0
    assert capsys.readouterr().out.startswith("Usage: docker nixdock [OPTIONS]")


def test_help_for_a_command_is_that_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert plugin.run(["help", "nixdock", "init"]) == 0
    assert capsys.readouterr().out.startswith("Usage: docker nixdock init ")


def test_by_hand_the_name_may_be_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND")
    assert plugin.run(["init", "--help"]) == 0
    assert capsys.readouterr().out.startswith("Usage: docker-nixdock init ")


def test_dockers_folder_reaches_whatever_we_start(capsys: pytest.CaptureFixture[str]) -> None:
    environ = {"DOCKER_CONFIG": "/other"}
    assert plugin.run(["--config", "/mine", "nixdock", "--version"], environ) == 0
    assert environ["DOCKER_CONFIG"] == "/mine"


def test_context_and_host_together_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert plugin.run(["-c", "x", "-H", "unix:///y", "nixdock", "engine", "status"]) == 2
    assert capsys.readouterr().err.startswith("nixdock: --context and --host were both given\n")


def test_a_bad_docker_option_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert plugin.run(["--frobnicate", "nixdock"]) == 2
    assert capsys.readouterr().err.startswith("nixdock: unknown docker option --frobnicate\n")


@pytest.mark.parametrize(
    ("words", "proposals"),
    [
        (["nixdock", "pl"], ["plugin\tMake all this available as docker nixdock.", ":4"]),
        (["nixdock", "zz"], [":4"]),
        (["nixdock", "init", ""], [":0"]),
        (["nixdock", "up", "hel"], [":0"]),
        (["nixdock", "build", "-A", "web", "hel"], [":0"]),
        (["nixdock", "plugin", "un"], ["uninstall\tRemove what install wrote.", ":4"]),
        (["nixdock", "--progress", "q"], ["quiet", ":4"]),
        ([], [":1"]),
    ],
)
def test_completion_answers_in_cobras_form(
    words: list[str], proposals: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert plugin.run(["__complete", *words]) == 0
    assert capsys.readouterr().out.splitlines() == proposals


def test_completion_can_leave_out_the_descriptions(capsys: pytest.CaptureFixture[str]) -> None:
    assert plugin.run(["__completeNoDesc", "nixdock", "pl"]) == 0
    assert capsys.readouterr().out.splitlines() == ["plugin", ":4"]


SLEEPER = """
import sys, time
from nixdock.cli import main, plugin
main.catch_signals()
plugin.watch_cli(sys.argv[1])
try:
    print("ready", flush=True)
    time.sleep(60)
finally:
    print("cleaned up", flush=True)
"""


@pytest.mark.parametrize("abstract", [True, False])
def test_the_end_of_the_clis_socket_ends_the_plugin_after_its_clean_up(
    abstract: bool, tmp_path: Path
) -> None:
    name = f"@nixdock-test-{os.getpid()}-{time.monotonic_ns()}" if abstract else str(tmp_path / "socket")
    server = socket.socket(socket.AF_UNIX)
    server.bind("\0" + name[1:] if abstract else name)
    server.listen()
    with (
        server,
        subprocess.Popen([sys.executable, "-c", SLEEPER, name], stdout=subprocess.PIPE) as child,
    ):
        assert child.stdout is not None
        connection, _ = server.accept()
        assert child.stdout.readline() == b"ready\n"
        connection.close()
        assert child.wait(20) == 143
        assert child.stdout.read() == b"cleaned up\n"


def test_a_socket_that_nobody_answers_is_left_alone(tmp_path: Path) -> None:
    plugin.watch_cli(str(tmp_path / "nothing"))


def test_what_we_start_does_not_get_the_clis_socket(tmp_path: Path) -> None:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "socket"))
    server.listen()
    environ = {**os.environ, "DOCKER_CLI_PLUGIN_SOCKET": str(tmp_path / "socket")}
    program = (
        "import os, sys; sys.argv[1:] = ['nixdock', '--version']\n"
        "from nixdock.cli import plugin\n"
        "try:\n    plugin.main()\n"
        "finally:\n    assert 'DOCKER_CLI_PLUGIN_SOCKET' not in os.environ\n"
    )
    with server:
        done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
