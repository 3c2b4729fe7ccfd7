"""An ordinary user: through a real nix-daemon, and with or without the right to use the engine."""

from __future__ import annotations

import grp
import subprocess
from typing import TYPE_CHECKING

import pytest

from conftest import Run
from support import nix
from support.nix import PROGRAM

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

    def __call__(self, *words: str, groups: str = "--clear-groups") -> Run:
        """Run nixdock to its end."""
        become = ["setpriv", f"--reuid={self.number}", f"--regid={self.number}", groups]
        variables = self.machine.variables({"DOCKER_HOST": f"unix://{self.socket}", "USER": "user"})
        # Nothing says what <nixpkgs> is.
        del variables["NIX_PATH"]
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
