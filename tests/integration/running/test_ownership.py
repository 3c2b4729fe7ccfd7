"""What is nixdock's is told by more than labels, for images hand those on."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from integration.running.conftest import wait_until

if TYPE_CHECKING:
    from integration.running.conftest import Box


COMMITTED = "nixdock-test-committed:1"


@pytest.mark.slow
def test_what_is_made_of_our_containers_is_the_user_s(any_box: Box) -> None:
    """Committed while a run goes on, which is killed then: its labels go on in the image."""
    box, docker = any_box, any_box.engine.docker
    run = box.start("run", "--name", "ours", box.IMAGE, "sh", "-c", "echo up; exec sleep 600")
    assert run.read_line() == "up\n"
    unnamed = COMMITTED
    if box.engine.name == "podman":
        # docker's program cannot ask it for a commit.
        box.make_image(COMMITTED, {"Labels": box.inspect("ours")["Config"]["Labels"]})
    else:
        docker("commit", "ours", COMMITTED)
        unnamed = docker("commit", "-c", "LABEL io.nixdock.step=setup", "ours").strip()
    run.signal(signal.SIGKILL)
    run.end()
    theirs = docker("run", "-d", "--name", "theirs", COMMITTED, "sleep", "600").strip()
    try:
        stays = box("run", "-d", "--name", "stays", COMMITTED, "sleep", "600")
        assert stays.status == 0, stays.stderr
        # What the dead run left is removed by now, and that alone.
        assert box("run", box.IMAGE, "true").status == 0
        wait_until(lambda: docker("ps", "-aq", "--filter", "name=^ours$") == "")
        assert box.inspect(theirs)["State"]["Running"]
        assert box.inspect("stays")["State"]["Running"]

        down = box("down", "theirs")
        assert down.status == 2
        assert "there is no container of nixdock called theirs" in down.stderr
        assert box("down", "--all").stdout == "stays\n"
        assert box.inspect(theirs)["State"]["Running"]
        docker("image", "inspect", unnamed)
    finally:
        docker("rm", "-fv", "theirs")
        docker("rmi", "-f", *{COMMITTED, unnamed})


def test_a_name_is_no_pattern(box: Box) -> None:
    words = ("sh", "-c", "trap 'exit 0' TERM; sleep 600 & wait")
    for name in ("my-app", "my.app"):
        up = box("up", "-d", "--name", name, box.IMAGE, "--", *words)
        assert up.status == 0, up.stderr
        assert up.stdout == f"{name}\n"
        assert "running already" not in up.stderr
        assert "replacing" not in up.stderr
    assert sorted(one["Names"] for one in box.containers("running")) == ["my-app", "my.app"]
    assert "running already" in box("up", "-d", "--name", "my.app", box.IMAGE, "--", *words).stderr
    assert sorted(box("down", "--all").stdout.split()) == ["my-app", "my.app"]
