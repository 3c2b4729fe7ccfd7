"""`docker nixdock`, by every docker program that this machine has."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nixdock import __version__

if TYPE_CHECKING:
    from support.engines import Engine
    from support.program import Nixdock


def find_clients() -> list[str]:
    """Return each docker program there is, once."""
    found = {
        os.path.realpath(path)
        for folder in os.environ["PATH"].split(os.pathsep)
        if (path := shutil.which("docker", path=folder))
    }
    return sorted(found)


@pytest.fixture(params=find_clients() or ["docker"])
def client(request: pytest.FixtureRequest, nixdock: Nixdock) -> Client:
    """One of the docker programs, with nixdock installed as its plugin."""
    assert nixdock("plugin", "install").status == 0
    return Client(request.param, nixdock)


class Client:
    """A docker program with the home of a test's nixdock."""

    def __init__(self, program: str, nixdock: Nixdock) -> None:
        self.program = program
        self.environment = dict(nixdock.environment)
        self.folder = nixdock.folder

    def __call__(
        self, *words: str | Path, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *map(str, words)],
            env={**self.environment, **(env or {})},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def version(self) -> tuple[int, ...]:
        """Its version, as far as it matters here."""
        text = self("version", "--format", "{{.Client.Version}}").stdout
        return tuple(int(part) for part in text.split("+")[0].split(".")[:2])


def test_docker_lists_nixdock_among_its_commands(client: Client) -> None:
    line = next(line for line in client("--help").stdout.splitlines() if line.startswith("  nixdock*"))
    assert "From a .nix file to a checked container" in line


def test_docker_info_calls_the_plugin_valid(client: Client) -> None:
    text = client("info").stdout
    assert "nixdock: From a .nix file to a checked container" in text
    assert "WARNING: Plugin" not in text


def test_arguments_output_and_status_pass_through(client: Client) -> None:
    done = client("nixdock", "init", "a b.nix")
    assert (done.returncode, done.stdout) == (0, "a b.nix\n")
    assert (client.folder / "a b.nix").exists()
    again = client("nixdock", "init", "a b.nix")
    assert (again.returncode, again.stdout) == (2, "")
    assert "is there already" in again.stderr


def test_help_is_asked_for_in_both_of_dockers_ways(client: Client) -> None:
    for words in (["nixdock", "--help"], ["help", "nixdock"]):
        done = client(*words)
        assert (done.returncode, done.stdout[:21]) == (0, "Usage: docker nixdock"), words
    assert client("nixdock", "--version").stdout == f"nixdock {__version__}\n"


def test_dockers_host_is_ours(client: Client, engine: Engine) -> None:
    del client.environment["DOCKER_HOST"]
    done = client("--host", engine.host, "nixdock", "engine", "status")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"running: {engine.host}: Docker ")


def test_dockers_context_is_ours(client: Client, engine: Engine) -> None:
    del client.environment["DOCKER_HOST"]
    made = client("context", "create", "tests", "--docker", f"host={engine.host}")
    assert made.returncode == 0, made.stderr
    for words in (
        ["--context", "tests", "nixdock"],
        ["-c", "tests", "nixdock"],
        ["nixdock", "--context", "tests"],
    ):
        done = client(*words, "engine", "status")
        assert done.stdout.startswith(f"running: {engine.host}: Docker "), words
    missing = client("--context", "nowhere", "nixdock", "engine", "status")
    assert missing.returncode != 0
    assert "nowhere" in missing.stderr


def test_dockers_configuration_folder_is_ours(client: Client, engine: Engine, tmp_path: Path) -> None:
    del client.environment["DOCKER_HOST"]
    home = Path(client.environment["HOME"]) / ".docker"
    other = tmp_path / "other config"
    assert client("context", "create", "tests", "--docker", f"host={engine.host}").returncode == 0
    home.rename(other)
    done = client("--config", other, "--context", "tests", "nixdock", "engine", "status")
    assert done.stdout.startswith(f"running: {engine.host}: Docker "), done.stderr


def test_completion_goes_through_docker(client: Client) -> None:
    if client.version < (23, 0):
        # Older clients complete their own commands only; what they do then must stay harmless.
        assert client("__complete", "nixdock", "pl").returncode == 0
        return
    done = client("__complete", "nixdock", "pl")
    assert done.stdout.splitlines()[:2] == ["plugin\tMake all this available as docker nixdock.", ":4"]


def test_a_signal_to_docker_alone_ends_the_plugin(client: Client, tmp_path: Path) -> None:
    # A pipe that nobody writes to: `load` waits for the archive, as it does for `docker load`.
    trace = tmp_path / "ended"
    wrapper = Path(client.environment["HOME"]) / ".docker" / "cli-plugins" / "docker-nixdock"
    # The plugin's own status is written down, for docker's may be another one after a signal.
    wrapper.rename(wrapper.with_name("docker-nixdock.real"))
    # Not the call for the metadata, which has one argument.
    script = 'trap : TERM; "$0.real" "$@"; status=$?; [ $# = 1 ] || echo $status >"$ENDED"; exit $status'
    wrapper.write_text(f"#!/bin/sh\n{script}\n")
    wrapper.chmod(0o755)
    with subprocess.Popen(
        [client.program, "nixdock", "--debug", "load"],
        env={**client.environment, "ENDED": str(trace)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as docker:
        assert docker.stderr is not None
        assert docker.stderr.readline()  # it runs
        if client.version >= (25, 0):
            docker.send_signal(signal.SIGTERM)
        else:
            # Older clients tell their plugins nothing: a terminal's or a job's signal reaches all.
            os.killpg(docker.pid, signal.SIGTERM)
        docker.wait(30)
        docker.stderr.read()
    assert trace.read_text().strip() == "143"
