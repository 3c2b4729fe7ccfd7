"""The tutorial's own commands, typed by hand after `eval "$(nixdock env)"`: no nixdock runs by then."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.engines import Engine
    from support.program import Nixdock

PATH_OF_RESULT = re.compile(r"/nix/store/([0-9a-z]{32})-docker-image-hello-docker\.tar\.gz\n")


def type_by_hand(nixdock: Nixdock, script: str) -> str:
    """Run lines of a user's shell and return what they printed."""
    folder = Path(sys.executable).parent
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f'eval "$({folder}/nixdock env)"\n{script}'],
        env=nixdock.environment,
        cwd=nixdock.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def tag(nixdock: Nixdock) -> str:
    """The tag of the tutorial's image, from the name of what nix-build made."""
    assert nixdock("init").status == 0
    printed = type_by_hand(nixdock, "nix-build hello-docker.nix")
    found = PATH_OF_RESULT.fullmatch(printed)
    assert found, printed
    return found[1]


def test_the_result_is_loaded_and_run(nixdock: Nixdock, engine: Engine, tag: str) -> None:
    image = f"hello-docker:{tag}"
    assert type_by_hand(nixdock, "docker load < result") == f"Loaded image: {image}\n"
    assert type_by_hand(nixdock, f"docker run --rm {image}") == "Hello, world!\n"
    # A terminal ends lines with \r\n, which reading as text folds.
    assert type_by_hand(nixdock, f"docker run --rm -t {image}") == "Hello, world!\n"


def test_the_output_path_is_loaded_without_a_link(nixdock: Nixdock, engine: Engine, tag: str) -> None:
    (nixdock.folder / "result").unlink()
    printed = type_by_hand(nixdock, "docker load < $(nix-build --no-out-link hello-docker.nix)")
    assert printed == f"Loaded image: hello-docker:{tag}\n"
    assert not (nixdock.folder / "result").exists()


def test_nixdock_up_gives_the_same_tag(nixdock: Nixdock, tag: str) -> None:
    run = nixdock("up", "hello-docker.nix")
    assert (run.status, run.stdout) == (0, "Hello, world!\n")
    assert f"Loaded image: hello-docker:{tag}\n" in run.stderr


def test_the_closure_of_hello_is_small(nixdock: Nixdock, tag: str) -> None:
    printed = type_by_hand(
        nixdock, "nix-store -qR $(nix-build --no-out-link -E '(import <nixpkgs> { }).hello')"
    )
    names = [Path(line).name.partition("-")[2] for line in printed.splitlines()]
    assert len(names) < 8
    assert any(name.startswith("hello-") for name in names)


def test_docker_nixdock_up_is_the_same_command(nixdock: Nixdock, tag: str) -> None:
    assert nixdock("plugin", "install").status == 0
    # Debian's own docker program, where there is another one before it.
    docker = "/usr/bin/docker" if Path("/usr/bin/docker").exists() else shutil.which("docker")
    done = subprocess.run(
        [str(docker), "nixdock", "up", "hello-docker.nix", "--expect", "Hello, world!"],
        env=nixdock.environment,
        cwd=nixdock.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Hello, world!\n"
    assert "PASS" in done.stderr
