"""`-it`: a real terminal, driven from a real terminal."""

from __future__ import annotations

import os
import re
import signal
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pytest

from integration.running.conftest import wait_until
from support.nix import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.running.conftest import Box

PROMPT = r"[#$] "


@contextmanager
def terminal(box: Box, *words: str, rows: int = 33, columns: int = 99) -> Iterator[pexpect.spawn[str]]:
    child = pexpect.spawn(
        str(PROGRAM),
        list(words),
        env=box.nixdock.environment,
        dimensions=(rows, columns),
        timeout=30,
        encoding="utf-8",
    )
    try:
        yield child
    finally:
        child.close(force=True)


def end(child: pexpect.spawn[str]) -> int | None:
    child.expect(pexpect.EOF)
    child.close()
    status: int | None = child.exitstatus
    return status


def test_a_shell_in_a_terminal(any_box: Box) -> None:
    with terminal(any_box, "run", "-it", any_box.IMAGE, "sh") as child:
        child.expect(PROMPT)
        child.sendline("tty; echo $((6*7)); exit 9")
        child.expect("/dev/pts/")
        child.expect("42")
        assert end(child) == 9
    assert any_box.containers() == []


def test_the_size_is_ours_and_follows(any_box: Box) -> None:
    with terminal(any_box, "run", "-it", any_box.IMAGE, "sh") as child:
        child.expect(PROMPT)
        wait_for_size(child, "33 99")
        child.setwinsize(20, 70)
        wait_for_size(child, "20 70")
        child.sendline("exit")
        assert end(child) == 0


def wait_for_size(child: pexpect.spawn[str], size: str) -> None:
    def has_it() -> bool:
        child.sendline("stty size")
        child.expect(r"(\d+ \d+)\r\n")
        assert isinstance(child.match, re.Match)
        return bool(child.match.group(1) == size)

    wait_until(has_it)
    child.expect(PROMPT)


def test_ctrl_c_is_the_foreground_program_s(box: Box) -> None:
    with terminal(box, "run", "-it", box.IMAGE, "sh") as child:
        child.expect(PROMPT)
        child.sendline("echo begun; sleep 600")
        child.expect("begun\r\n")
        time.sleep(0.3)
        child.sendcontrol("c")
        child.expect(PROMPT)
        child.sendline("echo status=$?; exit")
        child.expect("status=130")
        assert end(child) == 0


def test_the_detach_keys_leave_it_running(any_box: Box) -> None:
    words = ("--stop-timeout", "1", "--name", "nixdock-left")
    with terminal(any_box, "run", "-it", *words, any_box.IMAGE, "sh") as child:
        child.expect(PROMPT)
        child.send("\x10\x11")
        child.expect("nixdock-left runs on: docker attach nixdock-left, or nixdock down nixdock-left")
        assert end(child) == 0
    assert any_box("run", any_box.IMAGE, "true").status == 0
    assert [item["Names"] for item in any_box.containers("running")] == ["nixdock-left"]
    assert any_box("down", "nixdock-left").stdout == "nixdock-left\n"


def test_other_detach_keys(box: Box) -> None:
    words = ("--detach-keys", "ctrl-a,d", "--stop-timeout", "1", "--name", "nixdock-keys")
    with terminal(box, "run", "-it", *words, box.IMAGE, "sh") as child:
        child.expect(PROMPT)
        child.send("\x10\x11\x01d")
        child.expect("nixdock-keys runs on")
        assert end(child) == 0
    box("down", "nixdock-keys")


def test_wrong_detach_keys_are_a_usage_error(box: Box) -> None:
    with terminal(box, "run", "-it", "--detach-keys", "ctrl-pp", box.IMAGE, "sh") as child:
        child.expect("invalid detach keys")
        assert end(child) == 2
    assert box.containers() == []


@pytest.mark.parametrize("how", ["exit", "term", "timeout"])
def test_the_terminal_is_as_before_afterwards(box: Box, how: str) -> None:
    words = {"exit": "", "term": "", "timeout": "--timeout 2"}[how] + " --stop-timeout 1"
    script = f'stty -a >before; "{PROGRAM}" run -it {words} "{box.IMAGE}" sh; echo "ended=$?"; stty -a >after'
    child = pexpect.spawn(
        "/bin/sh",
        ["-c", script],
        env=box.nixdock.environment,
        cwd=str(box.nixdock.folder),
        timeout=30,
    )
    child.expect(PROMPT)
    if how == "exit":
        child.sendline("exit")
        child.expect("ended=0")
    elif how == "term":
        (pid,) = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
        os.kill(int(pid), signal.SIGTERM)
        child.expect("ended=143")
    else:
        child.expect("ended=124")
    child.expect(pexpect.EOF)
    child.close()
    folder = box.nixdock.folder
    assert (folder / "after").read_text() == (folder / "before").read_text()
    assert box.containers() == []


def test_a_terminal_without_input(box: Box) -> None:
    ran = box("run", "-t", box.IMAGE, "sh", "-c", "tty >/dev/null && echo out; echo err >&2")
    assert (ran.status, ran.out, ran.err) == (0, b"out\r\nerr\r\n", b"")
