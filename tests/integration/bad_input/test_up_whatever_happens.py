"""`nixdock up` of a file where something around it is not as usual."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from support.archives import docker_archive, layer, runnable
from support.nix import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.engines import Engine
    from support.program import Nixdock, Run

GREETING = "Hello, world!\n"


@pytest.fixture
def loaded(nixdock: Nixdock, engine: Engine) -> Iterator[str]:
    """The tutorial's file, built and loaded; its image's name."""
    assert nixdock("init").status == 0
    run = nixdock("up", "hello-docker.nix")
    assert (run.status, run.stdout) == (0, GREETING), run.stderr
    name = name_of(run)
    yield name
    engine.docker("rmi", "--force", name)


def name_of(run: Run) -> str:
    (name,) = re.findall(r"^Loaded image: (\S+)$", run.stderr, re.MULTILINE)
    assert isinstance(name, str)
    return name


def test_the_right_tag_on_a_wrong_image_is_told_and_set_right(
    nixdock: Nixdock, engine: Engine, loaded: str
) -> None:
    wrong = "nixdock-test-wrong:1"
    engine.docker("load", stdin=docker_archive(runnable(layer("wrong"), tags=(wrong,), says="wrong")))
    engine.docker("tag", wrong, loaded)
    run = nixdock("up", "hello-docker.nix")
    assert (run.status, run.stdout) == (0, GREETING)
    assert f"{loaded} was another image (" in run.stderr
    assert nixdock("run", loaded).stdout == GREETING
    engine.docker("rmi", wrong)


def test_two_at_once_of_one_file_that_is_not_built_yet(nixdock: Nixdock, engine: Engine) -> None:
    salt = os.urandom(4).hex()
    (nixdock.folder / "two.nix").write_text(
        "{ pkgs ? import <nixpkgs> { } }:\n"
        "pkgs.dockerTools.buildImage {\n"
        '  name = "nixdock-test-two";\n'
        f'  config.Cmd = [ "${{pkgs.busybox}}/bin/echo" "{salt}" ];\n'
        "}\n"
    )
    runs: list[Run] = []
    threads = [threading.Thread(target=lambda: runs.append(nixdock("up", "two.nix"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(run.status, run.stdout) for run in runs] == [(0, f"{salt}\n")] * 2, [run.stderr for run in runs]
    (name,) = {name_of(run) for run in runs}
    engine.docker("rmi", "--force", name)


def test_a_home_that_can_only_be_read(nixdock: Nixdock, tmp_path: Path, loaded: str) -> None:
    home = tmp_path / "read-only"
    home.mkdir()
    script = f"mount -t tmpfs -o ro tmpfs '{home}' && exec '{PROGRAM}' up hello-docker.nix"
    environment = {**nixdock.environment, "HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}
    del environment["NIXDOCK_STATE_DIR"]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-ec", script],
        env=environment,
        cwd=nixdock.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, GREETING), done.stderr
    assert f"Loaded image: {loaded}\n" in done.stderr
    assert "warning" not in done.stderr


def test_a_reader_that_goes_away(nixdock: Nixdock, loaded: str) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        done = subprocess.run(
            [PROGRAM, "up", "hello-docker.nix"],
            env=nixdock.environment,
            cwd=nixdock.folder,
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode in {0, 141}
    assert done.stderr.splitlines()[-1] == f"Loaded image: {loaded}"


def test_an_image_for_another_machine_is_told_once(nixdock: Nixdock, engine: Engine, tmp_path: Path) -> None:
    (nixdock.folder / "arm.nix").write_text(
        "{ pkgs ? import <nixpkgs> { } }:\n"
        "pkgs.dockerTools.buildImage {\n"
        '  name = "nixdock-test-arm64";\n'
        '  architecture = "arm64";\n'
        '  config.Cmd = [ "${pkgs.busybox}/bin/echo" "ran" ];\n'
        "}\n"
    )
    run = nixdock("up", "arm.nix")
    warnings = [line for line in run.stderr.splitlines() if "warning" in line]
    assert len(warnings) == 1, run.stderr
    assert "is made for linux/arm64, but the engine runs linux/amd64" in warnings[0]
    engine.docker("rmi", "--force", name_of(run))
