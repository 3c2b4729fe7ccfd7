"""`nixdock device`: what anybody's containers see of it, and what becomes of it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from integration.conftest import install

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.conftest import Fleet
    from support.engines import Engine
    from support.program import Nixdock, Run

    from .conftest import Box

IMAGE = """\
{ word ? "first", pkgs ? import <nixpkgs> { } }:
let note = pkgs.writeText "note" "SALT ${word}\\n"; in
pkgs.dockerTools.streamLayeredImage {
  name = "localhost:5000/tests/nixdock-test-device";
  config.Cmd = [
    "${pkgs.busybox}/bin/sh" "-c" "cat ${note}; ls /nix/store; echo no > ${note} || echo cannot be written"
  ];
}
"""
NAME = "nixdock-test-device"
DEVICE = f"nixdock.io/closure={NAME}"
WITHOUT_STORE = f"nixdock.invalid/closure/{NAME}"


class Devices:
    """A target of this test's own, its device, and an engine that has such devices."""

    def __init__(self, nixdock: Nixdock, engine: Engine) -> None:
        self.nixdock = nixdock
        self.engine = engine
        self.salt = secrets.token_hex(8)
        (nixdock.folder / "web.nix").write_text(IMAGE.replace("SALT", self.salt))

    def __call__(self, *words: str, status: int = 0) -> Run:
        """Run `nixdock device WORDS...`, which ends with a status."""
        done = self.nixdock("device", *words)
        assert done.status == status, done.stdout + done.stderr
        return done

    @property
    def file(self) -> Path:
        return self.engine.root / "cdi" / f"nixdock.io-closure_{NAME}.json"

    @property
    def roots(self) -> list[Path]:
        state = Path(self.nixdock.environment["NIXDOCK_STATE_DIR"])
        return [path.readlink() for path in state.glob("devices/*/*/root*")]

    def listed(self) -> dict[str, Any]:
        (device,) = json.loads(self("ls", "--json").stdout)
        found: dict[str, Any] = device
        return found

    def images(self) -> list[str]:
        told = self.engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split()
        return [name for name in told if NAME in name]


def choose(name: str, fleet: Fleet, request: pytest.FixtureRequest) -> Engine:
    if name not in request.config.getoption("--engines").split(","):
        pytest.skip(f"{name} is left out by --engines")
    return fleet.get(name)


@pytest.fixture
def devices(
    fleet: Fleet, shared_cache: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Devices]:
    """A device's target on Docker 28, whose engine is left without devices."""
    engine = choose("docker-28", fleet, request)
    made = Devices(install(engine, shared_cache, tmp_path), engine)
    yield made
    for file in engine.root.glob("*cdi/*"):
        file.unlink()
    for container in engine.docker("ps", "-aq", "--filter", f"name={NAME}").split():
        engine.docker("rm", "-f", container)
    if names := made.images():
        engine.docker("rmi", "-f", *names)


def test_any_docker_run_has_the_store_paths_and_nothing_else_of_this_machine(devices: Devices) -> None:
    added = devices("add", "web.nix")
    assert added.stdout == f"{DEVICE}\n"
    words = ("run", "--rm", "--device", DEVICE, WITHOUT_STORE)
    assert f"docker {' '.join(words[:1] + words[2:])}" in added.stderr
    first, *paths, last = devices.engine.docker(*words).splitlines()
    assert (first, last) == (f"{devices.salt} first", "cannot be written")
    listed = devices.listed()
    assert sorted(f"/nix/store/{path}" for path in paths) == listed["paths"]
    assert (listed["device"], listed["image"], listed["state"]) == (DEVICE, WITHOUT_STORE, "ok")
    assert (listed["file"], listed["size"] > 1_000_000) == (str(devices.file), True)
    # None of them is in the engine, and the whole image is not.
    assert int(devices.engine.docker("inspect", "-f", "{{.Size}}", WITHOUT_STORE)) < 100_000
    assert all(name.startswith("nixdock.invalid/") for name in devices.images())
    assert devices.engine.docker("ps", "-aq") == ""

    # What nixdock would prune of it is another name.
    assert devices.nixdock("prune", "--keep", "0").status == 0
    assert devices.images() == [f"{WITHOUT_STORE}:latest"]
    table = devices("ls").stdout.splitlines()
    assert table[0].split() == ["NAME", "IMAGE", "PATHS", "SIZE", "STATE"]
    assert table[1].split()[:3] == [NAME, WITHOUT_STORE, str(len(paths))]
    assert table[1].endswith("   ok")
    # Who cannot ask Nix may look, too.
    without_nix = devices.nixdock("device", "ls", env={"PATH": "/none"}).stdout.splitlines()
    assert without_nix[1].split()[3:] == ["?", "ok"]

    devices.engine.docker("create", "--name", f"{NAME}-1", "--device", DEVICE, WITHOUT_STORE)
    refused = devices("rm", NAME, status=2)
    assert f"{DEVICE} stays, for containers have it: {NAME}-1 (created)" in refused.stderr
    assert devices.listed()["state"] == "ok"
    devices.engine.docker("rm", f"{NAME}-1")
    assert devices("rm", DEVICE).stdout == f"{DEVICE}\n"
    assert (devices.images(), devices.roots, devices.file.exists()) == ([], [], False)
    assert devices("ls", "--json").stdout == "[]\n"
    assert "there is no device" in devices("rm", NAME, status=2).stderr


def test_another_build_takes_its_place_and_who_has_the_one_before_is_told_of(devices: Devices) -> None:
    devices("add", "web.nix", "-q")
    devices.engine.docker("create", "--name", f"{NAME}-1", "--device", DEVICE, WITHOUT_STORE)
    (before,) = devices.roots
    elsewhere = devices.engine.root / "run-cdi"
    again = devices("add", "web.nix", "--argstr", "word", "second", "--cdi-dir", str(elsewhere))
    # Of two files an engine would take the one, or neither.
    assert (devices.file.exists(), devices.listed()["file"]) == (False, f"{elsewhere / devices.file.name}")
    assert f"made with {DEVICE} as it was before, and to be made again: {NAME}-1" in again.stderr
    # Which would need the store paths of before, were it started before this.
    assert before in devices.roots
    shown = devices.engine.docker("run", "--rm", "--device", DEVICE, WITHOUT_STORE)
    assert shown.startswith(f"{devices.salt} second\n")
    assert "are kept" in devices("rm", "--force", NAME).stderr
    assert len(devices.roots) == 2
    devices.engine.docker("rm", f"{NAME}-1")
    devices("add", "web.nix")
    assert devices.roots == [before]


def test_what_was_kept_of_a_removed_device_goes_when_it_is_removed_again(devices: Devices) -> None:
    devices("add", "web.nix", "-q")
    devices.engine.docker("create", "--name", f"{NAME}-1", "--device", DEVICE, WITHOUT_STORE)
    kept = devices.roots
    assert devices("rm", "--force", NAME).stdout == f"{DEVICE}\n"
    assert "stays, for containers have it" in devices("rm", NAME, status=2).stderr
    assert devices.roots == kept != []
    devices.engine.docker("rm", f"{NAME}-1")
    assert devices("rm", NAME).stdout == f"{DEVICE}\n"
    assert devices.roots == []
    assert "there is no device" in devices("rm", NAME, status=2).stderr


def test_what_was_lost_is_said_and_mended_by_adding_it_again(devices: Devices) -> None:
    devices("add", "web.nix", "-q")
    note = next(path for path in devices.listed()["paths"] if path.endswith("-note"))
    users = subprocess.run(
        ["nix-store", "--query", "--referrers-closure", note], check=True, capture_output=True, text=True
    ).stdout.split()
    collect = ["nix-store", "--delete", *users]
    held = subprocess.run(collect, capture_output=True, check=False, text=True)
    assert held.returncode != 0
    assert "still alive" in held.stderr

    for root in Path(devices.nixdock.environment["NIXDOCK_STATE_DIR"]).glob("devices/*/*/root*"):
        root.unlink()
    subprocess.run(collect, check=True, capture_output=True)
    devices.engine.docker("rmi", "-f", WITHOUT_STORE)
    listed = devices.listed()
    assert listed["faults"] == [
        f"1 of its {len(listed['paths'])} store paths are gone",
        "its image is gone",
    ]
    assert "   broken: 1 of its " in devices("ls").stdout
    devices("add", "web.nix", "-q")
    assert devices.listed()["state"] == "ok"
    assert devices.engine.docker("run", "--rm", "--device", DEVICE, WITHOUT_STORE).startswith(devices.salt)

    # The engine refuses this one, and what it names is asked of nobody.
    document = json.loads(devices.file.read_text())
    document["devices"][0]["containerEdits"]["mounts"][0]["hostPath"] = "--delete"
    devices.file.write_text(json.dumps(document))
    assert devices.listed()["faults"] == [f"{devices.file} is not as nixdock wrote it"]
    # Of two files with one device it finds none, so neither is left.
    (devices.file.parent / "other.json").write_text(
        devices.file.read_text().replace("--delete", "/nix/store").replace(NAME, f"{NAME}-2")
    )
    try:
        twice = devices("add", "web.nix", "--name", f"{NAME}-2", status=125)
    finally:
        (devices.file.parent / "other.json").unlink()
    assert f"the engine does not find nixdock.io/closure={NAME}-2" in twice.stderr
    assert [file.name for file in devices.file.parent.iterdir()] == [devices.file.name]
    assert len(devices.roots) == 1


def test_an_engine_without_such_devices_is_refused_before_anything_is_built(box: Box) -> None:
    (box.nixdock.folder / "web.nix").write_text("throw ''evaluated''")
    refused = box("device", "add", "web.nix")
    assert refused.status == 125
    assert "takes no devices that files describe (CDI)" in refused.stderr
    assert "--host-store" in refused.stderr
    assert box("device", "ls").status == 125


def test_podman_takes_the_same_file(
    fleet: Fleet, shared_cache: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    engine = choose("podman", fleet, request)
    nixdock = install(engine, shared_cache, tmp_path)
    salt = secrets.token_hex(8)
    (nixdock.folder / "web.nix").write_text(IMAGE.replace("SALT", salt))
    # It looks where all Podmans look: a name of one's own.
    name = f"{NAME}-{salt}"
    # The one of its two that is gone after a restart; in Python, as a library of tests would.
    add = "nixdock.add_device('web.nix', name=sys.argv[1], directory=pathlib.Path('/var/run/cdi'))"
    try:
        added = subprocess.run(
            [
                sys.executable,
                "-c",
                f"import nixdock, pathlib, sys; made = {add}; print(made.id, made.image)",
                name,
            ],
            capture_output=True,
            text=True,
            check=False,
            env=nixdock.environment,
            cwd=nixdock.folder,
        )
        assert added.stdout == f"nixdock.io/closure={name} nixdock.invalid/closure/{name}\n", added.stderr
        podman = ["podman", f"--root={engine.root}/data", f"--runroot={engine.root}/run"]
        words = ("run", "--rm", "--device", f"nixdock.io/closure={name}", f"nixdock.invalid/closure/{name}")
        ran = subprocess.run(
            [*podman, *words],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "CONTAINERS_CONF": f"{engine.root}/containers.conf"},
        )
        assert ran.stdout.startswith(f"{salt} first\n"), ran.stderr
        assert ran.stdout.endswith("cannot be written\n")
    finally:
        removed = nixdock("device", "rm", name)
        Path(f"/var/run/cdi/nixdock.io-closure_{name}.json").unlink(missing_ok=True)
    assert removed.stdout == f"nixdock.io/closure={name}\n", removed.stderr
    engine.docker(
        "rmi", "-f", *engine.docker("images", "-q", "--filter", f"reference=*/*/*/*/{NAME}").split()
    )
