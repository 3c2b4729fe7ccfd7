"""A service in the place of another, which is kept until the new one is proven, whatever happens."""

from __future__ import annotations

import signal
import socket
from typing import TYPE_CHECKING, Any

import pytest

from integration.running.conftest import wait_until

if TYPE_CHECKING:
    from integration.running.conftest import Box

SERVE = 'trap "exit 0" TERM; while true; do sleep 0.1; done'
DEAF = 'trap "" TERM; while true; do sleep 0.1; done'
SAVES = "--init, a handler for it in the program, or StopSignal in the image's config would save the wait"


def start(box: Box, *words: str, program: str = SERVE) -> dict[str, Any]:
    """Bring the service `web` up, and return what the engine says of it."""
    ran = box("up", "-d", "--name", "web", *words, box.IMAGE, "--", "sh", "-c", program)
    assert (ran.status, ran.stdout) == (0, "web\n"), ran.stderr
    return box.inspect("web")


def names(box: Box) -> list[str]:
    return sorted(container["Names"] for container in box.containers())


@pytest.mark.sampled(3)
def test_one_that_fails_leaves_the_one_before_with_its_name_and_its_port(any_box: Box) -> None:
    box = any_box
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    port = ("-p", f"127.0.0.1:{number}:80")
    before = start(box, *port)
    # A health check, so that it cannot pass for ready on a slow machine.
    sick = (*port, "-e", "A=1", "--health-cmd", "false", "--health-start-period", "60s")
    failed = box("up", "-d", "--name", "web", *sick, box.IMAGE, "--", "sh", "-c", "exit 3")
    assert failed.status == 1
    assert "web ended before it was ready (exit status 3)" in failed.stderr
    assert failed.stderr.count("web: the one before runs again\n") == 1
    assert names(box) == ["web"]
    again = box.inspect("web")
    assert (again["Id"], again["State"]["Running"]) == (before["Id"], True)
    assert again["HostConfig"]["PortBindings"] == before["HostConfig"]["PortBindings"]
    after = start(box, *port, "-e", "A=1")
    assert after["Id"] != before["Id"]
    assert after["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"] == str(number)
    assert (
        "running already"
        in box("up", "-d", "--name", "web", *port, "-e", "A=1", box.IMAGE, "--", "sh", "-c", SERVE).stderr
    )
    assert box("down", "web").stdout == "web\n"
    assert names(box) == []


def test_what_cannot_be_created_does_not_touch_the_one_before(box: Box) -> None:
    before = start(box)
    refused = box("up", "-d", "--name", "web", "-m", "1k", box.IMAGE, "--", "sh", "-c", SERVE)
    assert refused.status == 125
    assert "web: the one before runs on\n" in refused.stderr
    assert box.inspect("web")["State"] == before["State"]
    box("down", "web")


def test_one_that_never_is_ready_goes_and_may_be_kept_for_a_look(box: Box) -> None:
    before = start(box)
    sick = ("--health-cmd", "false", "--health-interval", "200ms", "--health-start-period", "1ms")
    words = (*sick, "--health-retries", "1", box.IMAGE, "--", "sh", "-c", f"echo other; {SERVE}")
    failed = box("up", "-d", "--keep", "--name", "web", *words)
    assert failed.status == 1
    (kept,) = [name for name in names(box) if name != "web"]
    assert kept.startswith("web.failed-")
    assert f"kept {kept}: docker logs {kept}" in failed.stderr
    assert box.engine.docker("logs", kept) == "other\n"
    assert not box.inspect(kept)["State"]["Running"]
    again = box.inspect("web")
    assert (again["Id"], again["State"]["Running"]) == (before["Id"], True)
    # It is nothing that was cut short.
    assert box("run", box.IMAGE, "true").status == 0
    assert box.inspect("web")["State"] == again["State"]
    assert box("down", kept).stdout == f"{kept}\n"
    assert box("down", "web").stdout == "web\n"


def test_one_that_ignores_the_signal_is_told_of_while_it_is_waited_for(box: Box) -> None:
    start(box, "--stop-timeout", "3", program=DEAF)
    ran = box("up", "-d", "--name", "web", box.IMAGE, "--", "sh", "-c", DEAF)
    lines = ran.stderr.splitlines()
    at = lines.index("stopping web, by force in 1 s")
    assert lines[at + 1].startswith("waited for web to end (")
    ended = f"web did not end on SIGTERM and was killed after 3 s: {SAVES}, --stop-timeout 1 shortens it"
    assert lines[at + 2] == ended
    # It had ten seconds, and has one by the command's own word; nothing is told where that is no wait.
    down = box("down", "web", "--stop-timeout", "1")
    assert down.stderr == f"web did not end on SIGTERM and was killed after 1 s: {SAVES}\n"


def test_a_request_to_end_meanwhile_has_the_one_before_started_again(box: Box) -> None:
    before = start(box, program=DEAF)
    running = box.start("up", "-d", "--name", "web", "-e", "A=1", box.IMAGE, "--", "sh", "-c", SERVE)
    while "stopping web, by force in" not in (line := running.read_error_line()):
        assert line, "it ended"
    running.signal(signal.SIGTERM)
    told = "web: the one before is started again once it has ended; Ctrl-C kills it\n"
    while told != (line := running.read_error_line()):
        assert line, "it ended"
    running.signal(signal.SIGINT)
    status, out, err = running.end()
    assert (status, out) == (143, "")
    assert err.endswith("web: the one before runs again\n")
    assert names(box) == ["web"]
    again = box.inspect("web")
    assert (again["Id"], again["State"]["Running"]) == (before["Id"], True)
    box("down", "web", "--stop-timeout", "0")


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("moment", "healer"), [("stopping", "up"), ("starting", "run")])
def test_a_killed_nixdock_is_made_good_by_the_next(any_box: Box, moment: str, healer: str) -> None:
    box = any_box
    before = start(box, "--stop-timeout", "2", program=DEAF if moment == "stopping" else SERVE)
    running = box.start(
        *("up", "-d", "--name", "web", "--health-cmd", "false", "--health-start-period", "60s", box.IMAGE),
        *("--", "sh", "-c", SERVE),
    )
    wait_until(lambda: f"web.{'new' if moment == 'stopping' else 'old'}" in " ".join(names(box)))
    if moment == "starting":
        wait_until(lambda: "web" in names(box) and box.inspect("web")["State"]["Running"])
    running.signal(signal.SIGKILL)
    running.end()
    assert len(names(box)) == 2
    if healer == "run":
        assert box("run", box.IMAGE, "true").status == 0
    else:
        again = box("up", "-d", "--name", "web", "--stop-timeout", "2", box.IMAGE, "--", "sh", "-c", DEAF)
        assert "web: the one before runs again: what was to replace it was cut short\n" in again.stderr
        assert "web is running already, with the same image and options" in again.stderr
    assert names(box) == ["web"]
    healed = box.inspect("web")
    assert (healed["Id"], healed["State"]["Running"]) == (before["Id"], True)
    box("down", "web", "--stop-timeout", "0")


def test_those_that_are_stopped_end_together_and_advice_is_given_once(box: Box) -> None:
    for name in ("web", "shop"):
        assert box("up", "-d", "--name", name, box.IMAGE, "--", "sh", "-c", DEAF).status == 0
    down = box("down", "--all", "--stop-timeout", "3")
    assert sorted(down.stdout.split()) == ["shop", "web"]
    lines = down.stderr.splitlines()
    told = [line.partition(",")[0] for line in lines if line.startswith("stopping ")]
    assert sorted(told) == ["stopping shop", "stopping web"]
    # Both were told of before either had ended.
    assert [line.partition(" ")[0] for line in lines[:2]] == ["stopping", "stopping"]
    assert len([line for line in lines if SAVES in line]) == 1


def test_down_takes_both_halves_of_one_that_was_cut_short(box: Box) -> None:
    start(box)
    running = box.start(
        *("up", "-d", "--name", "web", "--health-cmd", "false", "--health-start-period", "60s", box.IMAGE),
        *("--", "sh", "-c", SERVE),
    )
    wait_until(lambda: "web.old" in " ".join(names(box)) and "web" in names(box))
    running.signal(signal.SIGKILL)
    running.end()
    assert len(box("down", "web").stdout.split()) == 2
    assert names(box) == []
