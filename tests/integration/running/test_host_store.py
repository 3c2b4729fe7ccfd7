"""`--host-store`: containers have this machine's store paths mounted, and an image without them."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from integration.conftest import install
from integration.running.conftest import Box, wait_until
from support import engines

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGES = """\
{ pkgs ? import <nixpkgs> { } }:
let
  inherit (pkgs) busybox dockerTools;
  note = pkgs.writeText "note" "a file as a store path\\n";
  dangling = pkgs.runCommand "dangling" { } "ln -s /run/nothing $out";
  sees = ''
    ls /nix/store; cat ${note}; readlink ${dangling}; readlink /bin/sh; cat /etc/motd
    echo no > ${note} || echo cannot be written
  '';
  config.Cmd = [ "${busybox}/bin/sh" "-c" sees ];
  common = { tag = "1"; inherit config; };
  layered = common // { contents = [ busybox ]; extraCommands = "mkdir etc; echo hello > etc/motd"; };
  built = dockerTools.buildImage (common // {
    name = "nixdock-test-built";
    copyToRoot = [ (pkgs.writeTextDir "etc/motd" "hello\\n") (pkgs.runCommand "bin" { } ''
      mkdir -p $out/bin
      ln -s ${busybox}/bin/sh $out/bin/sh
    '') ];
  });
in
{
  inherit built;
  streamed = dockerTools.streamLayeredImage (layered // { name = "nixdock-test-streamed"; });
  layered = dockerTools.buildLayeredImage (layered // { name = "nixdock-test-layered"; });
  based = dockerTools.streamLayeredImage (common // { name = "nixdock-test-based"; fromImage = built; });
  service = dockerTools.streamLayeredImage {
    name = "nixdock-test-service";
    tag = "1";
    config.Cmd = [ "${busybox}/bin/sleep" "600" ];
    config.StopSignal = "SIGKILL";
  };
}
"""
SUITE = """\
checks:
  nothing is written: {writes: {}}
  a command: {exec: [cat, /etc/motd], stdout: "hello\\n"}
  what is in the image: {closure: {count: 3}}
  its files: {file: /etc/motd, content: {contains: hello}}
"""
STRUCTURE = """\
schemaVersion: 2.0.0
commandTests:
- {name: setup, setup: [[/bin/touch, /made]], command: /bin/ls, args: [/made], expectedOutput: [/made]}
"""


@pytest.fixture(autouse=True)
def clean_images(box: Box) -> Iterator[None]:
    """Images of these tests go with them: engines are shared."""
    yield
    remove_images(box)


def remove_images(box: Box) -> None:
    if names := [name for name in names_of(box) if "nixdock-test-" in name and name != Box.IMAGE]:
        box.engine.docker("rmi", "-f", *names)


def names_of(box: Box) -> list[str]:
    return box.engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split()


def write(box: Box) -> str:
    (box.nixdock.folder / "images.nix").write_text(IMAGES)
    return "images.nix"


def without_store(kind: str) -> str:
    return f"nixdock.invalid/host-store/nixdock-test-{kind}:1"


@pytest.mark.sampled(2)
@pytest.mark.parametrize("kind", ["streamed", "layered", "built", "based"])
def test_a_container_sees_what_it_sees_in_the_whole_image(box: Box, kind: str) -> None:
    target = write(box)
    mounted = box("run", "--host-store", "-A", kind, target)
    assert f"sent {without_store(kind)}" in mounted.stderr
    assert f"nixdock-test-{kind}:1" not in names_of(box)
    size = int(box.engine.docker("inspect", "-f", "{{.Size}}", without_store(kind)))
    loaded = box("run", "-A", kind, target)
    assert int(box.engine.docker("inspect", "-f", "{{.Size}}", f"nixdock-test-{kind}:1")) > 10 * size or (
        kind == "based"
    )
    assert "busybox" in loaded.stdout
    assert "/run/nothing" in loaded.stdout
    # Root may write to the whole image, and nobody to this machine's store.
    assert mounted.stdout == f"{loaded.stdout}cannot be written\n"


@pytest.mark.sampled(3)
def test_every_engine_of_this_machine_mounts(any_box: Box) -> None:
    target = write(any_box)
    try:
        ran = any_box("run", "-A", "streamed", target, env={"NIXDOCK_HOST_STORE": "yes"})
        assert ran.stdout.endswith("hello\ncannot be written\n"), ran.stderr
        assert "Image nixdock-test-streamed:1: 2 store paths to mount from this machine" in ran.stderr
        assert "docker.io/library/nixdock-test-streamed:1" not in names_of(any_box)
    finally:
        remove_images(any_box)


def test_an_engine_that_does_not_see_the_store_is_sent_the_whole_image(
    box: Box, shared_cache: Path, tmp_path: Path
) -> None:
    with engines.dockerd("docker-elsewhere", without=Path("/nix")) as engine:
        folder = tmp_path / "elsewhere"
        folder.mkdir()
        elsewhere = Box(install(engine, shared_cache, folder), engine)
        target = write(elsewhere)
        ran = elsewhere(
            "check", "--host-store", "-A", "streamed", target, "--expect", "hello", "--timeout", "60"
        )
        assert ran.status == 0, ran.stdout + ran.stderr
        said = "nixdock-test-streamed:1 is loaded whole: the engine does not see this machine's store paths"
        assert ran.stderr.count(said) == 1
        assert "nixdock-test-streamed:1" in names_of(elsewhere)
        assert elsewhere.containers() == []


def test_a_service_holds_its_store_paths_until_it_is_gone(box: Box) -> None:
    target = write(box)
    up = ("up", "-d", "-A", "service", target)
    name = box(*up, "--host-store").stdout.strip()
    (container,) = box.containers("running")
    mounts = json.loads(box.engine.docker("inspect", "-f", "{{json .Mounts}}", name))
    assert mounts
    assert all(mount["Source"] == mount["Destination"] and not mount["RW"] for mount in mounts)
    (root,) = roots(box)
    assert root.parent.name == container["ID"]
    assert root.readlink().name.endswith("stream-nixdock-test-service")
    # The same build with its store paths loaded is the same service.
    again = box(*up)
    assert f"{name} is running already, with the same image and options" in again.stderr
    box.engine.docker("rm", "-f", name)
    # What it held is swept at the next start.
    assert box(*up, "--host-store").stdout == f"{name}\n"
    (root,) = roots(box)
    assert root.parent.name != container["ID"]
    assert box("down", "nixdock-test-service:1").stdout == f"{name}\n"
    assert roots(box) == []


def test_a_service_holds_its_store_paths_though_nixdock_is_killed(box: Box) -> None:
    target = write(box)
    words = ("--health-cmd", "false", "--health-start-period", "60s", "-A", "service", target)
    running = box.start("up", "-d", "--host-store", *words)
    wait_until(lambda: box.containers("running"))
    running.signal(signal.SIGKILL)
    running.end()
    (container,) = box.containers("running")
    (root,) = roots(box)
    assert root.parent.name == container["ID"]
    assert box("down", container["Names"]).status == 0
    assert roots(box) == []


def roots(box: Box) -> list[Path]:
    return list(Path(box.nixdock.environment["NIXDOCK_STATE_DIR"]).glob("roots/*/*/root"))


def test_checks_look_at_the_whole_image_and_run_in_one_with_mounts(box: Box) -> None:
    target = write(box)
    (box.nixdock.folder / "suite.yaml").write_text(SUITE)
    # What a container made goes to the next as an image, which lacks the store paths as well.
    (box.nixdock.folder / "structure.yaml").write_text(STRUCTURE)
    files = ("--checks", "suite.yaml", "--checks", "structure.yaml")
    ran = box("check", "--host-store", "-A", "streamed", target, *files)
    assert ran.stdout.count("PASS") == 5, ran.stdout + ran.stderr
    assert names_of(box).count(without_store("streamed")) == 1
    assert "nixdock-test-streamed:1" not in names_of(box)
    pruned = box("prune", "--keep", "0", "nixdock-test-streamed")
    assert pruned.stdout == f"Removed image: {without_store('streamed')}\n"
