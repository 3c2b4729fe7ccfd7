"""`nixdock up` of a service, and `nixdock down`: ready, judged, left or attended, replaced, stopped."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING, Any

import pytest

from integration.running.conftest import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from integration.running.conftest import Box

MS = 1_000_000
SERVE = (
    "echo starting; echo warming up >&2; sleep 0.5; touch /ready; echo serving;"
    'trap "echo bye; exit 0" TERM; while true; do sleep 0.1; done'
)
HEALTHY: dict[str, Any] = {
    "Cmd": ["sh", "-c", SERVE],
    "Healthcheck": {
        "Test": ["CMD", "test", "-e", "/ready"],
        "Interval": 200 * MS,
        "StartPeriod": 30_000 * MS,
    },
}


@pytest.fixture
def image(any_box: Box) -> str:
    return any_box.make_image("registry.test/team/nixdock-serve:1", HEALTHY)


def serving(box: Box, image: str, *words: str) -> str:
    """Bring the service up detached, and return its name."""
    ran = box("up", "-d", *words, image)
    assert ran.status == 0, ran.stderr
    (name,) = ran.stdout.splitlines()
    return name


def test_detached_it_prints_its_name_once_it_is_healthy(any_box: Box, image: str) -> None:
    name = serving(any_box, image)
    assert name.startswith("nixdock-serve-")
    any_box.engine.docker("exec", name, "test", "-e", "/ready")
    assert any_box("down", image).stdout == f"{name}\n"
    assert any_box.containers() == []


def test_again_with_the_same_image_and_options_there_is_nothing_to_do(any_box: Box, image: str) -> None:
    name = serving(any_box, image, "-e", "A=1")
    (before,) = any_box.containers()
    again = any_box("up", "-d", "-e", "A=1", image)
    assert again.stdout == f"{name}\n"
    assert f"{name} is running already, with the same image and options" in again.stderr
    assert [item["ID"] for item in any_box.containers()] == [before["ID"]]
    any_box("down", image)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("options", "-e A is new"),
        ("command", "command the image's own -> sh -c 'echo starting; echo warming up.*"),
        ("image", r"image nixdock-serve:1, [0-9a-f]{12} -> [0-9a-f]{12}"),
        ("stopped", "it has ended with 0"),
        ("unready", "it is paused"),
    ],
)
def test_otherwise_it_is_replaced_and_why_is_said(box: Box, change: str, reason: str) -> None:
    image = box.make_image("nixdock-serve:1", HEALTHY)
    name = serving(box, image)
    (before,) = box.containers()
    words = ["up", "-d", image]
    if change == "options":
        words[2:2] = ["-e", "A=2"]
    elif change == "command":
        words += ["--", *HEALTHY["Cmd"], "more"]
    elif change == "image":
        other = box.make_image("nixdock-serve:2", {**HEALTHY, "Env": ["A=1"]})
        box.engine.docker("tag", other, image)
    elif change == "stopped":
        box.engine.docker("stop", name)
    else:
        box.engine.docker("pause", name)
    again = box(*words)
    assert again.stdout == f"{name}\n", again.stderr
    assert re.search(f"^replacing {name}: {reason}$", again.stderr, re.MULTILINE), again.stderr
    assert before["ID"] not in [item["ID"] for item in box.containers()]
    assert len(box.containers("running")) == 1
    box("down", image)
    box.engine.docker("rmi", "-f", image)


def test_its_output_can_be_expected(box: Box) -> None:
    image = box.make_image("nixdock-serve:1", HEALTHY)
    ran = box("up", "-d", "--expect", "serving", image)
    name = ran.stdout.strip()
    assert ran.status == 0
    assert f"PASS {name}" in ran.stderr
    again = box("up", "-d", "--expect", "no such line", image)
    assert (again.status, again.out) == (1, b"")
    assert f"FAIL {name}" in again.stderr
    assert f"{name} is left running; nixdock down {name} stops it" in again.stderr
    box("down", image)


def test_an_expectation_that_fails_stops_it(box: Box) -> None:
    image = box.make_image("nixdock-serve:1", HEALTHY)
    ran = box("up", "-d", "--expect", "no such line", image)
    assert (ran.status, ran.out) == (1, b"")
    assert "expected to contain 'no such line'" in ran.stderr
    assert "is stopped and removed: its output is not as expected; --keep leaves it for a look" in ran.stderr
    assert box.containers() == []


def test_a_service_has_no_exit_status_to_expect(box: Box) -> None:
    image = box.make_image("nixdock-serve:1", HEALTHY)
    ran = box("up", "--expect-exit", "0", image)
    assert ran.status == 2
    assert "it has a HEALTHCHECK" in ran.stderr
    assert box.containers() == []


def test_attended_it_is_shown_until_it_is_stopped(any_box: Box, image: str) -> None:
    running = any_box.start("up", "--expect", "serving", image)
    assert [running.read_line(), running.read_line()] == ["starting\n", "serving\n"]
    while "is ready; Ctrl-C stops it" not in (line := running.read_error_line()):
        assert line, "it ended"
    running.signal(signal.SIGTERM)
    status, out, _ = running.end()
    assert (status, out) == (143, "bye\n")
    assert any_box.containers() == []


def test_attended_by_another_there_is_nothing_to_do(box: Box) -> None:
    image = box.make_image("nixdock-serve:1", HEALTHY)
    running = box.start("up", image)
    while "is ready" not in running.read_error_line():
        pass
    again = box("up", image)
    assert again.status == 0
    assert "is running already" in again.stderr
    running.signal(signal.SIGTERM)
    running.end()


def test_left_running_it_is_replaced_by_one_that_is_attended(box: Box) -> None:
    image = box.make_image("nixdock-serve:1", HEALTHY)
    serving(box, image)
    running = box.start("up", image)
    assert running.read_line() == "starting\n"
    errors = [running.read_error_line()]
    while "is ready" not in errors[-1]:
        errors.append(running.read_error_line())
    assert any("it runs detached, and is to be attended here" in line for line in errors)
    running.signal(signal.SIGTERM)
    running.end()
    assert box.containers() == []


def test_three_at_once_bring_it_up_once(box: Box) -> None:
    image = box.make_image("nixdock-serve:1", HEALTHY)
    ended = [one.end() for one in [box.start("up", "-d", image) for _ in range(3)]]
    names = {out for _, out, _ in ended}
    assert [status for status, _, _ in ended] == [0, 0, 0]
    assert len(names) == 1
    assert len(box.containers()) == 1
    box("down", image)


def test_an_unhealthy_one_is_removed_and_its_last_lines_shown(any_box: Box, image: str) -> None:
    words = (
        "--health-cmd",
        "echo not yet; exit 1",
        "--health-interval",
        "200ms",
        "--health-start-period",
        "1ms",
    )
    ran = any_box("up", "-d", *words, "--health-retries", "1", image)
    assert (ran.status, ran.out) == (1, b"")
    assert "is unhealthy: not yet" in ran.stderr
    assert "starting" in ran.stderr
    assert any_box.containers() == []


def test_one_that_ends_before_it_is_ready(any_box: Box, image: str) -> None:
    ran = any_box("up", "-d", image, "--", "sh", "-c", "echo last words; exit 4")
    assert (ran.status, ran.out) == (1, b"")
    assert "ended before it was ready (exit status 4)" in ran.stderr
    assert "hint: it is removed; --keep leaves it for a look" in ran.stderr
    assert "last words" in ran.stderr
    assert any_box.containers() == []


def test_one_that_is_not_ready_in_time_is_124(box: Box) -> None:
    image = box.make_image("nixdock-serve:1", HEALTHY)
    ran = box("up", "-d", "--timeout", "1s", "--health-cmd", "false", image)
    assert ran.status == 124
    assert "was not ready within 1.0 s" in ran.stderr
    assert box.containers() == []


def test_ctrl_c_while_it_gets_ready_leaves_nothing(box: Box) -> None:
    image = box.make_image("nixdock-serve:1", HEALTHY)
    running = box.start(
        "up", "-d", image, "--", "sh", "-c", 'trap "exit 1" TERM; while true; do sleep 0.1; done'
    )
    wait_until(lambda: box.containers("running"))
    running.signal(signal.SIGTERM)
    assert running.end()[0] == 143
    assert box.containers() == []


def test_a_detached_job_without_a_health_check(box: Box) -> None:
    quick = box("up", "-d", box.IMAGE)
    assert quick.status == 0
    name = quick.stdout.strip()
    ended = f"{name} has ended with 0 already: docker logs {name}, nixdock down {name}\n"
    assert quick.stderr.endswith(ended)
    assert box.engine.docker("logs", name) == "hello from the box\n"
    again = box("up", "-d", box.IMAGE)
    assert f"replacing {name}: it has ended with 0\n" in again.stderr
    assert again.stderr.endswith(ended)
    assert box("down", box.IMAGE).stdout == quick.stdout
    removed = box("up", "-d", "--rm", box.IMAGE)
    assert removed.stderr.endswith("has ended with 0 already\n")
    failing = box("up", "-d", box.IMAGE, "--", "sh", "-c", "echo why >&2; exit 3")
    assert failing.status == 1
    assert "why" in failing.stderr
    assert box.containers() == []


def test_no_healthcheck_makes_it_a_job(box: Box) -> None:
    image = box.make_image("nixdock-serve:1", HEALTHY)
    ran = box("up", "--no-healthcheck", "--expect", "job", image, "--", "echo", "job")
    assert (ran.status, ran.out) == (0, b"job\n")


SLEEP = ("sh", "-c", "trap exit TERM; while true; do sleep 0.1; done")


@pytest.mark.parametrize("command", ["up", "run"])
def test_a_port_that_all_the_network_reaches_is_said_to_be_one(box: Box, command: str) -> None:
    dashes = ("--",) if command == "up" else ()
    ran = box(command, "-d", "-p", "8080", box.IMAGE, *dashes, *SLEEP)
    (container,) = box.containers()
    bindings = box.inspect(container["ID"])["NetworkSettings"]["Ports"]["8080/tcp"]
    line = f"port 8080 is at 127.0.0.1:{bindings[0]['HostPort']}, open on all network interfaces"
    assert ran.stderr.count(f"{line} (-p 127.0.0.1::8080 keeps it to this machine)\n") == 1
    box("down", container["Names"])
    ran = box(command, "-d", "-p", "127.0.0.1::8080", box.IMAGE, *dashes, *SLEEP)
    assert "port 8080 is at 127.0.0.1:" in ran.stderr
    assert "all network interfaces" not in ran.stderr
    box("down", "--all")


def test_a_port_of_an_attended_container_is_said_before_its_output(box: Box) -> None:
    words = ("run", "-p", "127.0.0.1::8080", box.IMAGE, "sh", "-c", "echo first >&2; exec sleep 600")
    running = box.start(*words)
    lines = [running.read_error_line() for _ in range(2)]
    assert lines[0].startswith("port 8080 is at 127.0.0.1:")
    assert lines[1] == "first\n"
    running.signal(signal.SIGTERM)
    running.end()


def test_names_of_one_s_own_are_services_of_their_own(box: Box) -> None:
    image = box.make_image("nixdock-serve:1", HEALTHY)
    assert serving(box, image, "--name", "nixdock-a") == "nixdock-a"
    assert serving(box, image, "--name", "nixdock-b") == "nixdock-b"
    assert box("down", "nixdock-a").stdout == "nixdock-a\n"
    assert sorted(item["Names"] for item in box.containers()) == ["nixdock-b"]
    assert box("down", "--all").stdout == "nixdock-b\n"


def test_down_of_what_does_not_run(box: Box, tmp_path: Path) -> None:
    unknown = box("down", "nixdock-none")
    assert unknown.status == 2
    assert "there is no container of nixdock called nixdock-none" in unknown.stderr
    (box.nixdock.folder / "web.nix").write_text("{ }")
    nothing = box("down", "web.nix")
    assert (nothing.status, nothing.out, nothing.err) == (0, b"", b"nothing of nixdock was running\n")
    assert box("down", "--all").status == 0
    assert box("down", "--all", "web.nix").status == 2


def test_down_leaves_what_a_living_run_looks_after(box: Box) -> None:
    running = box.start("run", box.IMAGE, "sh", "-c", "echo up; exec sleep 600")
    running.read_line()
    assert box("down", "--all").out == b""
    assert len(box.containers("running")) == 1
    running.signal(signal.SIGTERM)
    running.end()


def test_a_home_that_cannot_be_written_does_not_matter(box: Box) -> None:
    image = box.make_image("nixdock-serve:1", HEALTHY)
    ran = box("up", "-d", image, env={"NIXDOCK_STATE_DIR": "/proc/nowhere", "HOME": "/proc/nowhere"})
    assert ran.status == 0, ran.stderr
    assert box("down", image).stdout == ran.stdout


def test_keep_leaves_one_that_failed(box: Box) -> None:
    image = box.make_image("nixdock-serve:1", HEALTHY)
    words = ("up", "--keep", "--name", "nixdock-failed", image, "--", "sh", "-c", "touch /made; exit 4")
    ran = box(*words)
    assert ran.status == 1
    assert "kept nixdock-failed" in ran.stderr
    assert "A /made" in box.engine.docker("diff", "nixdock-failed")
    box("down", "nixdock-failed")
