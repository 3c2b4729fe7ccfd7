"""`nixdock engine`: real dockerds in folders of a test's own, beside whatever the machine runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nixdock.engine.daemon.home import DaemonHome
from support import debian
from support.engines import DOCKER_28

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.program import Nixdock, Run


BUSYBOX = "busybox-of-the-test"


class Machine:
    """A nixdock whose engine, if it starts one, is this test's."""

    def __init__(self, nixdock: Nixdock, folder: Path) -> None:
        self.nixdock = nixdock
        self.socket = folder / "run" / "docker.sock"
        self.state = folder / "state of the test"
        self.environment = {"DOCKER_HOST": f"unix://{self.socket}", "NIXDOCK_STATE_DIR": str(self.state)}

    def __call__(self, *words: str, env: dict[str, str] | None = None) -> Run:
        return self.nixdock("engine", *words, env={**self.environment, **(env or {})})

    def status(self) -> dict[str, object]:
        """What status tells."""
        parsed: dict[str, object] = json.loads(self("status", "--json").out)
        return parsed

    def docker(self, *words: str, stdin: bytes | None = None) -> str:
        """Ask the engine by the docker program."""
        done = subprocess.run(
            ["docker", *words],
            env={**self.nixdock.environment, **self.environment},
            input=stdin,
            capture_output=True,
            check=True,
        )
        return done.stdout.decode()

    def import_busybox(self, folder: Path) -> None:
        """Give the engine an image to run."""
        target = folder / "root" / "bin" / "busybox"
        target.parent.mkdir(parents=True)
        target.write_bytes(Path("/bin/busybox").read_bytes())
        target.chmod(0o755)
        archive = subprocess.run(["tar", "-C", folder / "root", "-c", "."], capture_output=True, check=True)
        self.docker("import", "-", BUSYBOX, stdin=archive.stdout)

    @property
    def pid(self) -> int:
        """The engine's process."""
        pid = self.status()["pid"]
        assert isinstance(pid, int)
        return pid

    def leftovers(self) -> list[str]:
        """What a stopped engine must not leave: processes, mounts, bridges, sockets."""
        links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
        ours = [
            path.read_bytes().replace(b"\0", b" ").decode()
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if path.parent.name != str(os.getpid())
        ]
        return [
            *(
                line
                for line in Path("/proc/mounts").read_text().splitlines()
                if str(self.state.parent) in line
            ),
            *(line for line in ours if f"--data-root={self.state}" in line),
            *(line for line in links.splitlines() if self.name in line),
            *(str(path) for path in Path("/run/nixdock").glob(f"*{self.name}*")),
            *(
                [str(self.state / "engine/engine.json")]
                if (self.state / "engine/engine.json").exists()
                else []
            ),
        ]

    @property
    def name(self) -> str:
        """What its bridge is called."""
        return DaemonHome(self.state / "engine").name


@pytest.fixture
def machine(nixdock: Nixdock, tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(nixdock, tmp_path)
    yield machine
    machine("stop")


def test_an_engine_is_started_once_asked_about_and_stopped(machine: Machine) -> None:
    before = machine("status")
    assert before.status == 125
    assert before.stdout == f"not running: unix://{machine.socket} (DOCKER_HOST)\n"
    assert "hint: nixdock engine start" in before.stderr

    started = machine("start")
    assert started.status == 0, started.stderr
    assert started.stdout == ""
    pid = machine.pid
    assert f"unix://{machine.socket} (nixdock's own, pid {pid})" in started.stderr
    assert machine("start").status == 0
    assert machine.pid == pid
    status = machine("status")
    assert (status.status, status.stderr) == (0, "")
    assert status.stdout.startswith(f"running: unix://{machine.socket}: Docker ")

    stopped = machine("stop")
    assert stopped.status == 0
    assert f"stopped: unix://{machine.socket}" in stopped.stderr
    assert machine.leftovers() == []
    assert machine.status()["running"] is False
    assert machine("stop").status == 0


def test_images_outlive_a_stop_and_containers_run(machine: Machine, tmp_path: Path) -> None:
    assert machine("start").status == 0
    machine.import_busybox(tmp_path)
    assert machine.docker("run", "--rm", BUSYBOX, "/bin/busybox", "echo", "runs") == "runs\n"
    machine.docker("run", "--detach", BUSYBOX, "/bin/busybox", "sleep", "600")
    assert machine("stop").status == 0
    assert machine.leftovers() == []
    assert machine("start").status == 0
    assert BUSYBOX in machine.docker("images")


def test_two_starts_at_once_start_one_engine(machine: Machine) -> None:
    runs = [machine.nixdock.start("engine", "start", env=machine.environment) for _number in range(2)]
    for run in runs:
        _, err = run.communicate(timeout=120)
        assert run.returncode == 0, err.decode()
    found = [
        path
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if f"--host=unix://{machine.socket}".encode() in path.read_bytes()
    ]
    assert len(found) == 1


def test_an_engine_that_was_killed_is_started_anew(machine: Machine) -> None:
    machine("start")
    pid = machine.pid
    os.kill(pid, signal.SIGKILL)
    while Path(f"/proc/{pid}/exe").exists():
        time.sleep(0.05)
    assert machine.status()["running"] is False
    assert machine("start").status == 0
    assert machine.pid != pid
    assert machine("stop").status == 0
    assert machine.leftovers() == []


def test_containers_of_an_engine_that_was_killed_are_found_again(machine: Machine, tmp_path: Path) -> None:
    machine("start")
    machine.import_busybox(tmp_path)
    container = machine.docker("run", "--detach", BUSYBOX, "/bin/busybox", "sleep", "600").strip()
    os.kill(machine.pid, signal.SIGKILL)
    assert machine("start").status == 0
    listed = machine.docker("ps", "--all", "--no-trunc", "--format", "{{.ID}}")
    assert listed.strip() == container
    machine.docker("rm", "--force", container)


def test_an_engine_that_nixdock_did_not_start_is_never_stopped(machine: Machine) -> None:
    # The shared fixture's engine answers at nixdock's own DOCKER_HOST.
    address = {"DOCKER_HOST": machine.nixdock.environment["DOCKER_HOST"]}
    started = machine("start", env=address)
    assert started.status == 0
    assert "not started by nixdock" in started.stderr
    stopped = machine("stop", env=address)
    assert (stopped.status, stopped.stderr) == (0, "no engine of nixdock's own runs\n")
    assert json.loads(machine("status", "--json", env=address).out)["running"] is True


def test_a_dockerd_that_fails_shows_the_end_of_its_log_and_leaves_nothing(
    machine: Machine, tmp_path: Path
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "dockerd").write_text("#!/bin/sh\necho 'failed to start daemon: the reason' >&2\nexit 1\n")
    (folder / "dockerd").chmod(0o755)
    failed = machine("start", env={"PATH": f"{folder}:{os.environ['PATH']}"})
    assert failed.status == 125
    assert failed.stdout == ""
    assert failed.stderr.endswith(
        "nixdock: dockerd was started, and ended at once\n"
        "  failed to start daemon: the reason\n"
        f"hint: its whole log is {machine.state}/engine/log\n"
    )
    assert machine.leftovers() == []


def test_a_machine_without_control_groups_is_given_some(machine: Machine) -> None:
    # In a mount namespace of its own, so that the machine's are out of sight and stay as they are.
    script = """
        umount --recursive /sys/fs/cgroup
        nixdock engine start && docker info --format '{{.CgroupVersion}}' && nixdock engine stop
    """
    environment = {**machine.nixdock.environment, **machine.environment}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in {"1", "2"}
    assert "control groups were not mounted: they are now" in done.stderr
    assert machine.leftovers() == []


def test_an_address_that_is_no_socket_cannot_be_started(machine: Machine) -> None:
    failed = machine("start", env={"DOCKER_HOST": "tcp://127.0.0.1:1"})
    assert failed.status == 125
    assert "no engine can be started at tcp://127.0.0.1:1 (DOCKER_HOST)" in failed.stderr


def test_a_current_dockerd_is_started_too(machine: Machine) -> None:
    programs = debian.unpack("sid", *DOCKER_28)
    env = {"PATH": f"{programs}/usr/sbin:{programs}/usr/bin:{os.environ['PATH']}"}
    started = machine("start", env=env)
    assert started.status == 0, started.stderr
    version = str(machine.status()["version"])
    assert int(version.split(".", maxsplit=1)[0]) >= 26
    assert machine("stop").status == 0
    assert machine.leftovers() == []
