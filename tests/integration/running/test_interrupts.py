"""Ctrl-C, SIGTERM, a reader that goes away: the container is removed whatever happens."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from integration.running.conftest import wait_until
from nixdock.engine.connection.address import choose
from nixdock.engine.connection.api import connect
from nixdock.engine.containers.owner import Owner, find_ourselves
from support.nix import PROGRAM

if TYPE_CHECKING:
    from integration.running.conftest import Box

INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
LOOP = "echo ready; while true; do sleep 0.1; done"
DEAF = f'trap "" INT TERM HUP; {LOOP}'
FORWARDED = "SIGINT sent to the container; a process with PID 1 often ignores it. Ctrl-C again stops it\n"
STOPPING = "stopping the container, in 10 s by force; Ctrl-C kills it now\n"
SAVES = "--init, a handler for it in the program, or StopSignal in the image's config would save the wait\n"


def test_the_first_ctrl_c_is_the_container_s(any_box: Box) -> None:
    running = any_box.start("run", any_box.IMAGE, "sh", "-c", f'trap "echo got it; exit 7" INT; {LOOP}')
    assert running.read_line() == "ready\n"
    running.signal(INT)
    assert running.end() == (7, "got it\n", FORWARDED)
    assert any_box.containers() == []


def test_the_second_stops(any_box: Box) -> None:
    running = any_box.start(
        "run", any_box.IMAGE, "sh", "-c", f'trap "" INT; trap "echo term; exit 8" TERM; {LOOP}'
    )
    running.read_line()
    running.signal(INT)
    assert running.read_error_line() == FORWARDED
    running.signal(INT)
    assert running.end() == (130, "term\n", STOPPING)
    assert any_box.containers() == []


def test_the_third_kills(box: Box) -> None:
    running = box.start("run", box.IMAGE, "sh", "-c", DEAF)
    running.read_line()
    for answer in (FORWARDED, STOPPING):
        running.signal(INT)
        assert running.read_error_line() == answer
    running.signal(INT)
    assert running.end() == (130, "", "")
    assert box.containers() == []


@pytest.mark.parametrize(("number", "status"), [(TERM, 143), (HUP, 129)])
def test_a_request_to_end_is_as_the_second(box: Box, number: int, status: int) -> None:
    running = box.start("run", box.IMAGE, "sh", "-c", f'trap "echo term; exit 8" TERM; {LOOP}')
    running.read_line()
    running.signal(number)
    assert running.end() == (status, "term\n", STOPPING)
    assert box.containers() == []


def test_a_container_that_ignores_it_is_killed_after_its_grace(box: Box) -> None:
    running = box.start("run", "--stop-timeout", "1", box.IMAGE, "sh", "-c", DEAF)
    running.read_line()
    running.signal(TERM)
    told = f"the container did not end on SIGTERM and was killed after 1 s: {SAVES}"
    assert running.end() == (143, "", STOPPING.replace("10", "1") + told)
    assert box.containers() == []


def test_other_signals_are_the_container_s_alone(box: Box) -> None:
    running = box.start("run", box.IMAGE, "sh", "-c", f'trap "echo one; exit 3" USR1; {LOOP}')
    running.read_line()
    running.signal(signal.SIGUSR1)
    assert running.end() == (3, "one\n", "")


def test_a_signal_before_the_start_is_not_lost(box: Box) -> None:
    running = box.start("run", "--stop-timeout", "1", box.IMAGE, "sh", "-c", DEAF)
    wait_until(box.containers)
    running.signal(TERM)
    running.signal(TERM)
    status, _, _ = running.end()
    assert status == 143
    assert box.containers() == []


def test_a_pipe_that_breaks_ends_quietly(any_box: Box) -> None:
    running = any_box.start("run", any_box.IMAGE, "yes")
    assert running.read_line() == "y\n"
    assert running.process.stdout is not None
    running.process.stdout.close()
    assert running.process.stderr is not None
    assert running.process.stderr.read() == b""
    assert running.process.wait(30) == 128 + signal.SIGPIPE
    running.process.stdin.close()  # type: ignore[union-attr]
    running.process.stderr.close()
    assert any_box.containers() == []


def test_up_into_head_ends_quietly(box: Box) -> None:
    done = subprocess.run(
        ["sh", "-c", '"$0" up --expect y "$1" -- yes | head -n 1', PROGRAM, box.IMAGE],
        env=box.nixdock.environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == (b"y\n", b"")
    wait_until(lambda: box.containers() == [])


def test_a_killed_run_s_container_is_swept_by_the_next(any_box: Box) -> None:
    running = any_box.start("run", "-v", "/data", any_box.IMAGE, "sh", "-c", LOOP)
    running.read_line()
    (before,) = any_box.containers("running")
    running.process.kill()
    running.end()
    assert [container["ID"] for container in any_box.containers("running")] == [before["ID"]]
    volumes = [mount["Name"] for mount in any_box.inspect(before["ID"])["Mounts"]]

    assert any_box("run", any_box.IMAGE, "true").status == 0

    assert any_box.containers() == []
    assert not set(volumes) & set(any_box.engine.docker("volume", "ls", "-q").split())


def test_a_living_run_s_container_is_not_swept(box: Box) -> None:
    running = box.start("run", box.IMAGE, "sh", "-c", LOOP)
    running.read_line()
    assert box("run", box.IMAGE, "true").status == 0
    assert len(box.containers("running")) == 1
    running.signal(TERM)
    running.end()


def test_a_deadline_that_passed_is_swept_whoever_lives(box: Box) -> None:
    owner = Owner("x", find_ourselves(), deadline=1.0)
    body = {
        "Image": box.IMAGE,
        "Cmd": ["sleep", "600"],
        "Labels": owner.labels(),
        "HostConfig": {"ContainerIDFile": owner.mark()},
    }
    with connect(choose(host=box.engine.host, environ={})) as engine:
        engine.start_container(engine.create_container(body).id)
    assert len(box.containers()) == 1
    box("run", box.IMAGE, "true")
    assert box.containers() == []


def test_what_others_made_is_never_touched(box: Box) -> None:
    foreign = box.engine.docker("run", "-d", box.IMAGE, "sleep", "600").strip()
    try:
        box("run", box.IMAGE, "true")
        assert box("down", "--all").status == 0
        assert box.inspect(foreign)["State"]["Running"] is True
    finally:
        box.engine.docker("rm", "-f", foreign)
