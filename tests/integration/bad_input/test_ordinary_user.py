"""An ordinary user: through a real nix-daemon, and with or without the right to use the engine."""

from __future__ import annotations

import grp
import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from integration.nix.conftest import LIBRARY
from support import nix
from support.archives import docker_archive, layer, runnable
from support.nix import PROGRAM
from support.program import Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.engines import Engine
    from support.nix import NixMachine

LIMIT = 30_000_000


class User:
    """An ordinary user of a machine with a nix-daemon, which the engine's socket is shown to."""

    def __init__(self, machine: NixMachine, number: int) -> None:
        self.machine = machine
        self.number = number
        self.socket = machine.root / "docker.sock"

    def __call__(self, *words: str, groups: str = "--clear-groups", env: dict[str, str] | None = None) -> Run:
        """Run nixdock to its end."""
        become = ["setpriv", f"--reuid={self.number}", f"--regid={self.number}", groups]
        variables = self.machine.variables({"DOCKER_HOST": f"unix://{self.socket}", "USER": "user"})
        # Nothing says what <nixpkgs> is.
        del variables["NIX_PATH"]
        variables.update(env or {})
        done = subprocess.run(
            self.machine.argv([*become, PROGRAM, *words]), env=variables, capture_output=True, check=False
        )
        return Run(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def user(engine: Engine) -> Iterator[User]:
    with nix.machine("debian-12", users=True) as machine, nix.daemon(machine) as number:
        user = User(machine, number)
        user.socket.touch()
        shown = machine.run("mount", "--bind", engine.host.removeprefix("unix://"), user.socket)
        assert shown.status == 0, shown.stderr
        yield user


def test_the_five_minutes_of_an_ordinary_user(user: User, engine: Engine) -> None:
    assert user("init").status == 0
    words = ("up", "hello-docker.nix", "--expect", "Hello, world!")

    forbidden = user(*words)
    assert (forbidden.status, forbidden.stdout) == (125, "")
    assert f"no permission to use the engine at unix://{user.socket} (DOCKER_HOST)\n" in forbidden.stderr
    assert "usermod -aG docker user" in forbidden.stderr
    assert "then log in again" in forbidden.stderr

    member = f"--groups={grp.getgrnam('docker').gr_gid}"
    up = user(*words, groups=member)
    assert (up.status, up.stdout) == (0, "Hello, world!\n"), up.stderr
    assert "warning" not in up.stderr
    assert "\nPASS hello-docker:" in up.stderr
    (name,) = [line.split()[-1] for line in up.stderr.splitlines() if line.startswith("Loaded image: ")]
    assert int(engine.docker("image", "inspect", "--format", "{{.Size}}", name)) < LIMIT
    assert user("run", name, groups=member).stdout == "Hello, world!\n"
    assert [entry.name for entry in user.machine.work.iterdir()] == ["hello-docker.nix"]
    engine.docker("rmi", "--force", name)


@pytest.fixture
def newcomer(engine: Engine) -> Iterator[User]:
    """A user of a machine as Debian's packages leave it: no build users, no daemon, no group."""
    with nix.machine("debian-12") as machine:
        copy = machine.root / "etc"
        # What is made there is seen on this machine alone.
        assert machine.run("cp", "-a", "/etc", copy).status == 0
        assert machine.run("mount", "--bind", copy, "/etc").status == 0
        assert machine.run("useradd", "--uid", "60001", "--no-create-home", "user").status == 0
        for folder in (machine.work, machine.root / "home"):
            os.chown(folder, 60001, 60001)
        assert machine.run("nix-store", "--init").status == 0
        user = User(machine, 60001)
        user.socket.touch()
        shown = machine.run("mount", "--bind", engine.host.removeprefix("unix://"), user.socket)
        assert shown.status == 0, shown.stderr
        try:
            yield user
        finally:
            # Nix gives itself mounts of its own: the machine's are among them.
            for entry in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    ours = os.fsencode(copy) in (entry / "mountinfo").read_bytes()
                    if ours and (entry / "comm").read_text() == "nix-daemon\n":
                        os.kill(int(entry.name), signal.SIGKILL)


def test_what_doctor_says_word_by_word_until_up_works(newcomer: User, engine: Engine) -> None:
    machine = newcomer.machine
    image = docker_archive(runnable(layer("etc/there"), tags=("newcomer:1",)))
    (machine.work / "image.tar").write_bytes(image)
    machine.write("toy.nix", LIBRARY)
    name = '{ imageName = "newcomer"; imageTag = "1"; }'
    machine.write("x.nix", f'with import ./toy.nix; run "newcomer" "cat ${{./image.tar}} > $out" // {name}')
    nixpkgs = {"NIX_PATH": machine.environment["NIX_PATH"]}
    done = 0
    while True:
        doctor = newcomer("doctor", "--json", groups="--init-groups", env=nixpkgs)
        missing = [part for part in json.loads(doctor.stdout)["findings"] if part["state"] == "missing"]
        if not missing:
            break
        done += 1
        assert done <= 3, missing
        assert missing[0]["mend"], missing[0]
        command, _, rest = missing[0]["mend"].partition(", then ")
        assert rest in {"", "log in again"}
        # As Debian's users have it.
        mended = machine.run("sh", "-c", command, env={"PATH": "/usr/local/bin:/usr/bin:/bin"})
        assert mended.status == 0, mended.stderr
        if "nix-daemon" in command:
            socket = machine.root / "nix/var/nix/daemon-socket/socket"
            end = time.monotonic() + 30
            while not socket.exists():
                assert time.monotonic() < end
                time.sleep(0.05)
    assert done == 2
    assert doctor.status == 0
    up = newcomer("up", "x.nix", "--expect", "hello", groups="--init-groups", env=nixpkgs)
    assert (up.status, up.stdout) == (0, "hello\n"), up.stderr
    engine.docker("rmi", "--force", "newcomer:1")
