"""`nixdock up` and `nixdock run` of what Nix builds, with the offline package set."""

from __future__ import annotations

import re
import secrets
import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from integration.running.conftest import Box

SERVICE = """\
{ pkgs ? import <nixpkgs> { } }:
pkgs.dockerTools.buildImage {
  name = "nixdock-test-web";
  copyToRoot = [ pkgs.busybox ];
  config = {
    Cmd = [ "${pkgs.busybox}/bin/sh" "-c" "echo starting; touch /ready; echo serving; exec sleep 600" ];
    Healthcheck.Test = [ "CMD" "${pkgs.busybox}/bin/test" "-e" "/ready" ];
    StopSignal = "SIGKILL";
  };
}
"""
TWO = """\
{ pkgs ? import <nixpkgs> { } }:
let image = text: pkgs.dockerTools.buildImage {
  name = "nixdock-test-${text}";
  config.Cmd = [ "${pkgs.busybox}/bin/echo" "says ${text}" ];
};
in { one = image "one"; two = image "two"; }
"""


@pytest.fixture(autouse=True)
def clean_images(box: Box) -> object:
    """Images of these tests go with them: engines are shared."""
    yield
    names = box.engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}", "nixdock-test-*").split()
    builds = [name for name in names if re.search(r":[0-9a-z]{32}$", name)]
    if builds:
        box.engine.docker("rmi", "-f", *builds)


def write(box: Box, name: str, text: str) -> str:
    path = box.nixdock.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return name


def test_the_five_minutes(box: Box) -> None:
    box("init")
    ran = box("up", "hello-docker.nix", "--expect", "Hello, world!")
    assert (ran.status, ran.out) == (0, b"Hello, world!\n"), ran.stderr
    loaded = re.search(r"^Loaded image: hello-docker:([0-9a-z]{32})$", ran.stderr, re.MULTILINE)
    assert loaded, ran.stderr
    assert re.search(rf"^PASS hello-docker:{loaded[1]} \(", ran.stderr, re.MULTILINE)
    assert not (box.nixdock.folder / "result").exists()
    assert box("run", f"hello-docker:{loaded[1]}").out == b"Hello, world!\n"
    assert box("run", "hello-docker.nix", "/bin/nothing").status == 127
    box.engine.docker("rmi", f"hello-docker:{loaded[1]}")


def test_an_edit_gives_a_new_tag_and_a_new_output(box: Box) -> None:
    write(box, "a folder with spaces/two.nix", TWO)
    target = ("up", "a folder with spaces/two.nix", "-A", "one")
    first = box(*target)
    write(box, "a folder with spaces/two.nix", TWO.replace("says", "now says"))
    second = box(*target)
    assert (first.out, second.out) == (b"says one\n", b"now says one\n"), second.stderr
    tags = [re.findall(r"Loaded image: nixdock-test-one:(\S+)", ran.stderr) for ran in (first, second)]
    assert tags[0] != tags[1]


def test_several_images_are_a_usage_error_that_names_them(box: Box) -> None:
    write(box, "two.nix", TWO)
    for command in ("up", "run"):
        ran = box(command, "two.nix")
        assert ran.status == 2
        assert "two.nix gives 2 images, and this command takes one: one, two" in ran.stderr
        assert "hint: choose one: -A one" in ran.stderr


def test_words_for_the_container_stand_after_dashes(box: Box) -> None:
    write(box, "default.nix", TWO.replace("in {", "in (image: image.two) {"))
    assert box("up").out == b"says two\n"
    assert "says" not in box("up", "--", "/no/such/command").stdout


def test_a_service_is_known_by_its_file(box: Box) -> None:
    write(box, "web.nix", SERVICE)
    up = box("up", "-d", "web.nix", "--expect", "serving")
    assert up.status == 0, up.stderr
    (name,) = up.stdout.split()
    again = box("up", "-d", box.nixdock.folder / "web.nix")
    assert again.stdout == up.stdout
    assert "is running already" in again.stderr
    write(box, "web.nix", SERVICE.replace("serving", "serving better"))
    changed = box("up", "-d", "web.nix", "--expect", "serving better")
    assert changed.stdout == up.stdout, changed.stderr
    assert f"replacing {name}" in changed.stderr
    # An edit that has not been brought up, and a file that no longer evaluates, do not hide it.
    write(box, "web.nix", "{ this is no nix")
    assert box("down", "web.nix").stdout == up.stdout
    assert box.containers() == []


@pytest.mark.slow
def test_one_file_is_one_service_however_it_is_named(box: Box) -> None:
    write(box, "web.nix", SERVICE)
    below, link = box.nixdock.folder / "below", box.nixdock.folder.parent / "link"
    below.mkdir()
    link.symlink_to(box.nixdock.folder)
    first = box("up", "-d", "../web.nix", cwd=below)
    assert first.status == 0, first.stderr
    for words, folder in ((("web.nix",), None), (("path:web.nix",), None), (("link/web.nix",), link.parent)):
        again = box("up", "-d", *words, cwd=folder)
        assert (again.stdout, len(box.containers())) == (first.stdout, 1), again.stderr
        assert "is running already" in again.stderr
    # One that has been moved away is found by the name that it had, and by its container's ID.
    (box.nixdock.folder / "web.nix").rename(below / "web.nix")
    assert box("down", "../web.nix", cwd=below).stdout == first.stdout
    assert box.containers() == []
    assert "there is no file '../web.nix'" in box("down", "../web.nix", cwd=below).stderr
    started = box("run", "-d", box.IMAGE, "sleep", "600").stdout.strip()
    assert box("down", started[:12]).status == 0
    assert box.containers() == []


def test_an_image_of_the_engine_needs_no_nix(box: Box) -> None:
    ran = box("run", box.IMAGE, env={"PATH": "/nonexistent"})
    assert ran.out == b"hello from the box\n"


def test_ctrl_c_during_the_build_ends_it(box: Box) -> None:
    # One that nobody has built before, to its end perhaps.
    commands = f"echo {secrets.token_hex()}; sleep 600"
    write(box, "slow.nix", SERVICE.replace("copyToRoot", f'extraCommands = "{commands}"; copyToRoot'))
    running = box.start("up", "slow.nix", "--verbose")
    while "building" not in (line := running.read_error_line()) or "nixdock-test-web" not in line:
        assert line, running.end()
    running.signal(signal.SIGINT)
    status, _, err = running.end()
    assert status == 130, err
    assert box.containers() == []
