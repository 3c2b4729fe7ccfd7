"""Whatever containers and users do: nothing is lost, nothing is left, and nothing takes for ever."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest

from integration.checking.conftest import Checker, wait_until

LONG = {f"c{n}": {"run": ["/bin/sleep", "1000"]} for n in range(2)}
SERVICE = {
    "service": {"command": ["/bin/sh", "-c", "echo begun; exec sleep 1000"]},
    "ready": {"log": "begun\n"},
}


def test_ten_thousand_lines_in_a_burst_come_whole_and_in_order(any_check: Checker) -> None:
    lines = {"lines": {"count": 10_000, "some": ["1", "5000", "10000"], "every": {"matches": "^[0-9]+$"}}}

    checked = any_check(
        {
            "run": {"run": ["/bin/seq", "10000"], "stdout": lines},
            "exec": {"exec": ["seq", "10000"], "stdout": lines},
        }
    )

    assert set(checked.statuses().values()) == {"PASS"}, checked.run.stdout


def _own_memory(pid: int) -> int:
    """Bytes of a process's own memory: pages of files, which the kernel can take back, do not count."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), 0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["run", "exec"])
def test_a_gigabyte_of_output_is_judged_in_bounded_memory(check: Checker, kind: str) -> None:
    size = 1 << 30
    script = f"head -c {size} /dev/zero | tr '\\0' x; echo needle"
    expected = {"length": size + 7, "contains": "needle", "matches": "xneedle\n$"}
    checks = {"a": {kind: ["/bin/sh", "-c", script], "stdout": expected, "timeout": "10m"}}
    file = check.write({"checks": checks})
    peak = 0

    with check.nixdock.start("check", Checker.IMAGE, "--checks", file, "--timeout", "15m") as running:
        while running.poll() is None:
            peak = max(peak, _own_memory(running.pid))
            time.sleep(0.05)
        out, err = running.communicate()

    assert running.returncode == 0, out.decode() + err.decode()
    assert peak < 150 << 20


def test_binary_output_invalid_utf8_and_no_newline_are_judged_as_they_are(any_check: Checker) -> None:
    script = r"printf '\377\376\000end'; printf '\303' >&2"
    expected = {"stdout": {"contains": "end", "length": 6}, "stderr": {"length": 1, "matches": "^\ufffd$"}}

    checked = any_check(
        {
            "run": {"run": ["/bin/sh", "-c", script], **expected},
            "exec": {"exec": ["/bin/sh", "-c", script], **expected},
        }
    )

    assert set(checked.statuses().values()) == {"PASS"}, checked.run.stdout


def test_a_container_that_ends_before_anybody_looks_loses_nothing(any_check: Checker) -> None:
    checks = {f"c{n}": {"run": ["/bin/echo", str(n)], "stdout": f"{n}\n"} for n in range(8)}

    assert any_check(checks, "--parallel", "4").statuses() == dict.fromkeys(checks, "PASS")


def test_a_container_that_forks_and_leaves_children_ends_all_the_same(check: Checker) -> None:
    fork = ["/bin/sh", "-c", "for i in 1 2 3; do sleep 1000 & done; echo done"]

    checked = check(
        {
            "run": {"run": fork, "stdout": "done\n", "timeout": "20s"},
            "exec": {"exec": fork, "stdout": "done\n", "timeout": "20s"},
        }
    )

    assert set(checked.statuses().values()) == {"PASS"}, checked.run.stdout


def test_an_image_without_a_command_can_be_asked_all_but_that(check: Checker) -> None:
    image = check.make_image("nixdock-no-command:1")

    checked = check({"own": {"run": []}, "exec": {"exec": ["true"]}}, image=image)

    assert checked.statuses() == {"own": "ERROR", "exec": "PASS"}
    assert "has no command" in checked.said("own")


def test_the_time_of_all_checks_ends_them(check: Checker) -> None:
    began = time.monotonic()

    checked = check({"quick": {"exec": ["true"]}, **LONG}, "--timeout", "3s")

    assert checked.status == 124
    assert checked.statuses() == {"quick": "PASS", "c0": "ERROR", "c1": "ERROR"}
    assert "the time of the whole run was up" in checked.said("c0")
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_everything_and_leaves_nothing(check: Checker, number: int, status: int) -> None:
    file = check.write({"checks": {"quick": {"exec": ["true"]}, **LONG, "s": {"logs": "x"}}, **SERVICE})
    running = check.nixdock.start("check", Checker.IMAGE, "--checks", file, "--parallel", "4")
    wait_until(lambda: len(check.labelled()["containers"]) >= 3)

    running.send_signal(number)
    out, err = running.communicate(timeout=60)

    assert running.returncode == status, err.decode()
    assert "the run was stopped" in out.decode()


def test_a_reader_that_goes_away_stops_everything_quietly(check: Checker) -> None:
    file = check.write({"checks": {"quick": {"exec": ["true"]}, **LONG}})
    running = check.nixdock.start("check", Checker.IMAGE, "--checks", file, "--timeout", "10s")
    assert running.stdout is not None
    running.stdout.readline()
    running.stdout.close()

    assert running.wait(timeout=60) == 128 + signal.SIGPIPE
    assert running.stderr is not None
    assert b"Traceback" not in running.stderr.read()
    running.stderr.close()
    assert running.stdin is not None
    running.stdin.close()


@pytest.mark.slow
def test_fifty_kills_and_one_sweep_leave_nothing(check: Checker) -> None:
    file = check.write({"checks": {"e": {"exec": ["sleep", "1000"]}, **LONG, "s": {"logs": "x"}}, **SERVICE})
    volumes = check.volumes()
    chance = random.Random(5)
    for _ in range(50):
        running = check.nixdock.start("check", Checker.IMAGE, "--checks", file, "--parallel", "4")
        time.sleep(chance.uniform(0.2, 2.0))
        running.kill()
        running.communicate()

    last = check({"ok": {"exec": ["true"]}})

    assert last.status == 0, last.run.stderr
    assert not any(check.labelled().values())
    assert check.volumes() <= volumes
