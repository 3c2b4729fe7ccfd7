"""`nixdock watch`: a real file is edited, and what it was made into is up again."""

from __future__ import annotations

import signal
import subprocess
import termios
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pexpect
import pytest

from integration.running.conftest import MACHINE, make_archive, make_root, wait_until
from support.nix import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from integration.running.conftest import Box

SERVICE = """\
{ pkgs ? import <nixpkgs> { } }:
pkgs.dockerTools.streamLayeredImage {
  name = "nixdock-test-watch";
  config = {
    Cmd = [ "${pkgs.busybox}/bin/sh" "${./serve.sh}" (import ./word.nix) ];
    Env = [ "PATH=${pkgs.busybox}/bin" ];
  };
}
"""
SERVE = "trap 'exit 0' TERM; echo serving {} $1; touch /ready; while :; do sleep 0.1; done\n"
CHECKS = """\
ready: { exec: [test, -e, /ready], interval: 100ms, within: 30s }
checks:
  %s:
    exec: [test, -e, /ready]
"""
JOB = """\
{ pkgs ? import <nixpkgs> { } }:
pkgs.dockerTools.streamLayeredImage {
  name = "nixdock-test-watch";
  config.Cmd = [ "${pkgs.busybox}/bin/echo" (builtins.readFile ./says.txt) ];
}
"""


class Watching:
    """A `nixdock watch` with pipes, and what it has written so far."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.text = {"stdout": "", "stderr": ""}
        self._seen = {"stdout": 0, "stderr": 0}
        streams = (("stdout", process.stdout), ("stderr", process.stderr))
        self._readers = [threading.Thread(target=self._read, args=one, daemon=True) for one in streams]
        for reader in self._readers:
            reader.start()

    def _read(self, name: str, stream: Any) -> None:
        for line in stream:
            self.text[name] += line.decode(errors="replace")

    def until(self, text: str, stream: str = "stderr") -> str:
        """Wait for a text after those that were waited for before; return what came up to its end."""
        start = self._seen[stream]

        def came() -> bool:
            assert self.process.poll() is None or text in self.text[stream][start:], self.text["stderr"]
            return text in self.text[stream][start:]

        try:
            wait_until(came, seconds=60)
        except AssertionError:
            pytest.fail(f"no {text!r} came: {self.text}")
        self._seen[stream] = self.text[stream].index(text, start) + len(text)
        return self.text[stream][start : self._seen[stream]]

    def close(self) -> None:
        self.process.kill()
        for reader in self._readers:
            reader.join(30)
        # Its pipes are closed, too.
        with self.process:
            pass

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def watching(box: Box, *words: str) -> Iterator[Watching]:
    with closing(Watching(box.nixdock.start("watch", *words))) as watch:
        yield watch


@pytest.fixture
def folder(box: Box) -> Iterator[Path]:
    """Where the files are; the images of these tests go with them."""
    work = box.nixdock.folder
    (work / "serve.sh").write_text(SERVE.format("one"))
    (work / "word.nix").write_text('"plain"')
    (work / "web.nix").write_text(SERVICE)
    (work / "web.checks.yaml").write_text(CHECKS % "it is there")
    (work / "job.nix").write_text(JOB)
    (work / "says.txt").write_text("one")
    yield work
    left = images(box)
    if left:
        box.engine.docker("rmi", "-f", *left)


def images(box: Box) -> list[str]:
    return box.engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}", "nixdock-test-watch*").split()


def save(file: Path, text: str) -> None:
    """Write a file as editors do: another one, which then takes its name."""
    other = file.with_name(f".{file.name}.swp")
    other.write_text(text)
    other.replace(file)


def test_a_service_is_up_again_after_each_change_that_counts(box: Box, folder: Path) -> None:
    with watching(box, "web.nix", "--name", "nixdock-watched") as watch:
        watch.until("serving one plain\n", "stdout")
        assert "PASS it is there" in watch.until("watching ")
        # No terminal, no keys.
        assert "quit" not in watch.until("\n")
        (first,) = box.containers("running")
        assert box.inspect(first["ID"])["Config"]["StopTimeout"] == 1

        # What leaves the bytes, and what nobody has read, is no reason.
        (folder / "serve.sh").touch()
        (folder / "notes.txt").write_text("1")
        save(folder / "serve.sh", SERVE.format("two"))
        assert "serve.sh has changed\n" in watch.until("replacing nixdock-watched: image ")
        watch.until("serving two plain\n", "stdout")
        watch.until("watching ")
        assert len(images(box)) == 1, "the one before is pruned"

        # A broken file is told, its repair is waited for, and what runs goes on.
        (second,) = box.containers("running")
        (folder / "word.nix").write_text('"more')
        assert "word.nix has changed\n" in watch.until("nixdock: ")
        watch.until("watching ")
        assert [one["ID"] for one in box.containers("running")] == [second["ID"]]
        # It is looked for meanwhile what an editor does in two steps.
        (folder / "word.nix").unlink()
        (folder / "word.nix").write_text('"more"')
        watch.until("evaluated web.nix")
        # Too late for this round, but not lost.
        (folder / "serve.sh").write_text(SERVE.format("three"))
        watch.until("serving three more\n", "stdout")
        watch.until("watching ")

        # One that is never ready leaves the place to the one before.
        (folder / "serve.sh").write_text("echo broken; exit 3\n")
        assert "nixdock-watched: the one before runs again" in watch.until("(exit status 3)\n")
        watch.until("watching ")
        (folder / "serve.sh").write_text(SERVE.format("three"))
        watch.until("is running already, with the same image and options")
        watch.until("watching ")

        # What is expected is asked anew, of the same container; a check that fails takes nothing away.
        (third,) = box.containers("running")
        (folder / "web.checks.yaml").write_text(
            CHECKS % "it is there" + "  it has nothing:\n    exec: [test, -e, /nothing]\n"
        )
        assert "web.checks.yaml has changed\n" in watch.until("FAIL it has nothing")
        watch.until("watching ")
        assert [one["ID"] for one in box.containers("running")] == [third["ID"]]
        assert watch.end(signal.SIGINT) == 130
    assert box.containers() == []
    assert len(images(box)) == 1


def test_a_check_file_that_is_broken_from_the_start_is_waited_for(box: Box, folder: Path) -> None:
    checks = folder / "job.checks.yaml"
    checks.write_text("checks: [ broken\n")
    with watching(box, "job.nix") as watch:
        assert "job.checks.yaml:2:1: it is not YAML" in watch.until("watching ")
        checks.write_text('checks: { it says so: { run: [], stdout: "one\\n" } }\n')
        assert "job.checks.yaml has changed\n" in watch.until("PASS ")
        assert watch.end(signal.SIGINT) == 130


def test_the_keys_and_the_terminal(box: Box, folder: Path) -> None:
    child = pexpect.spawn(
        str(PROGRAM),
        ["watch", "job.nix", "--expect", "one"],
        env=box.nixdock.environment,
        cwd=str(folder),
        dimensions=(30, 120),
        timeout=60,
        encoding="utf-8",
    )
    try:
        before = termios.tcgetattr(child.child_fd)
        child.expect("one\r\n")
        child.expect("PASS nixdock-test-watch")
        child.expect("r: again, c: checks, l: logs, q: quit")
        assert not termios.tcgetattr(child.child_fd)[3] & termios.ICANON
        for key, answer in (
            ("r", "PASS nixdock"),
            ("c", "nothing runs by now"),
            ("l", "nothing runs by now"),
        ):
            child.send(key)
            child.expect(answer)
        # What changes nothing of the image is evaluated, and no more.
        (folder / "job.nix").write_text(f"# Says it.\n{JOB}")
        child.expect(r"job\.nix has changed\r\n")
        child.expect("is the same, and has run; r runs it again")
        child.expect("q: quit")
        (folder / "says.txt").write_text("two")
        child.expect(r"says\.txt has changed\r\n")
        child.expect("FAIL nixdock-test-watch")
        child.expect("q: quit")
        child.send("q")
        child.expect(pexpect.EOF)
        assert termios.tcgetattr(child.child_fd) == before
        child.close()
        assert (child.exitstatus, child.signalstatus) == (0, None)
    finally:
        child.close(force=True)
    assert box.containers() == []


def make_image(text: str) -> bytes:
    config = {"Cmd": ["sh", "-c", f"echo {text}; exec sleep 600"]}
    return make_archive("nixdock-test-watch:1", make_root(), config, MACHINE)


def test_an_archive_is_loaded_anew_and_what_runs_is_stopped_for_it(box: Box, folder: Path) -> None:
    archive = folder / "image.tar"
    archive.write_bytes(make_image("one"))
    with watching(box, "./image.tar") as watch:
        # A job: it runs still when another one is wanted.
        watch.until("one\n", "stdout")
        archive.write_bytes(make_image("two"))
        watch.until("image.tar has changed")
        watch.until("two\n", "stdout")
        assert len(box.containers()) == 1
        assert watch.end(signal.SIGTERM) == 143
    assert box.containers() == []


def test_who_reads_no_more_ends_it(box: Box, folder: Path) -> None:
    archive = folder / "image.tar"
    archive.write_bytes(make_image("one"))
    with box.nixdock.start("watch", "./image.tar") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"one\n"
        process.stdout.close()
        archive.write_bytes(make_image("two"))
        assert process.wait(60) == 141
    assert box.containers() == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-d", "web.nix"), "-d is not for watch: watch stays with what it runs"),
        (("-i", "web.nix"), "-i is not for watch"),
        (("none.nix",), "there is no file 'none.nix'"),
        ((Box_IMAGE := "nixdock-test-box:1",), f"{Box_IMAGE} is an image of the engine"),
    ],
)
def test_what_cannot_be_watched_is_said(box: Box, folder: Path, words: tuple[str, ...], said: str) -> None:
    ran = box("watch", *words)
    assert ran.status == 2
    assert said in ran.stderr
