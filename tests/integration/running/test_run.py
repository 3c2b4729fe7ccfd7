"""`nixdock run`: docker run's words, output and exit status, and nothing left behind."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from integration.running.conftest import FOREIGN, read_peak_memory
from support.nix import PROGRAM

if TYPE_CHECKING:
    from integration.running.conftest import Box


def test_the_container_s_streams_and_status_are_nixdock_s_own(any_box: Box) -> None:
    ran = any_box("run", any_box.IMAGE, "sh", "-c", "echo out; echo err >&2; exit 5")
    assert (ran.status, ran.out, ran.err) == (5, b"out\n", b"err\n")
    assert any_box.containers() == []


def test_without_words_the_image_s_own_command_runs(box: Box) -> None:
    assert box("run", box.IMAGE).out == b"hello from the box\n"


def test_parsing_stops_at_the_image(box: Box) -> None:
    ran = box("run", "-e", "A=1", box.IMAGE, "sh", "-c", 'echo "$A $0 $*"', "-e", "--name", "-d", "--help")
    assert ran.out == b"1 -e --name -d --help\n"


def test_no_byte_is_changed(box: Box) -> None:
    data = bytes(range(256)) * 300 + b"\xff\xfe invalid UTF-8, and no newline"
    ran = box("run", "-i", box.IMAGE, "cat", stdin=data)
    assert ran.out == data


def test_a_burst_of_lines_on_both_streams_loses_none(any_box: Box) -> None:
    script = "for i in $(seq 10000); do echo out$i; echo err$i >&2; done"
    ran = any_box("run", any_box.IMAGE, "sh", "-c", script)
    assert ran.out == b"".join(b"out%d\n" % number for number in range(1, 10001))
    assert ran.err == b"".join(b"err%d\n" % number for number in range(1, 10001))


def test_a_container_that_ends_at_once_loses_no_output(box: Box) -> None:
    assert [box("run", box.IMAGE, "echo", str(n)).out for n in range(8)] == [b"%d\n" % n for n in range(8)]


def test_a_gigabyte_goes_through_in_bounded_memory(box: Box) -> None:
    running = box.start(
        *("run", "--log-driver", "none", box.IMAGE, "dd", "if=/dev/zero", "bs=1M", "count=1024")
    )
    stdout = running.process.stdout
    assert stdout is not None
    size = 0
    while size < (1 << 30) - (1 << 20):
        size += len(stdout.read(1 << 16))
    # It cannot have ended yet: a pipe does not hold the last megabyte.
    peak = read_peak_memory(running.pid)
    size += len(stdout.read())
    assert (size, running.end()[0]) == (1 << 30, 0)
    assert peak < 120_000_000


def test_the_input_is_there_only_when_asked_for(box: Box) -> None:
    assert box("run", box.IMAGE, "cat", stdin=b"unread").out == b""
    assert box("run", "-i", box.IMAGE, "head", "-c", "3", stdin=b"x" * 1_000_000).out == b"xxx"


def test_docker_s_letters(box: Box, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "file").write_text("from outside")
    (tmp_path / "values.env").write_text("FROM_FILE=yes\n")
    ran = box(
        *("run", "-e", "A=1", "--env-file", tmp_path / "values.env", "-u", "1000:1001", "-w", "/tmp"),
        *(
            "-v",
            f"{tmp_path}/shared:/s:ro",
            "--tmpfs",
            "/t:mode=1777",
            "-h",
            "name",
            "--read-only",
            "-m",
            "64m",
        ),
        *("--network", "none", "--ulimit", "nofile=99", "--label", "l=v", "--init", "--shm-size", "1m"),
        *("--entrypoint", "sh", box.IMAGE, "-c"),
        "echo $A $FROM_FILE; id -u; id -g; pwd; cat /s/file; echo; touch /t/x && ls /t; ulimit -n;"
        "cat /etc/hostname; touch /x 2>&1; touch /s/x 2>&1; ls /sys/class/net",
    )
    assert ran.stdout.splitlines() == [
        *("1 yes", "1000", "1001", "/tmp", "from outside", "x", "99", "name"),
        *("touch: /x: Read-only file system", "touch: /s/x: Read-only file system", "lo"),
    ]


def test_a_published_port_answers(box: Box) -> None:
    image = box.make_image("nixdock-test-port:1")
    started = box(
        "run",
        "-d",
        "--name",
        "nixdock-port",
        "-p",
        "127.0.0.1::80",
        image,
        "sh",
        "-c",
        "nc -lp 80 -e echo hi",
    )
    assert started.status == 0
    address, port = box.engine.docker("port", "nixdock-port", "80/tcp").strip().split(":")
    answered = subprocess.run(
        ["busybox", "nc", address, port], capture_output=True, input=b"", timeout=20, check=False
    )
    assert answered.stdout == b"hi\n"
    assert box("down", "nixdock-port").out == b"nixdock-port\n"


def test_detached_it_prints_the_id_and_lives_on(any_box: Box) -> None:
    started = any_box("run", "-d", "--stop-timeout", "1", any_box.IMAGE, "sleep", "600")
    (container,) = any_box.containers("running")
    assert started.out == f"{container['ID']}\n".encode()
    stopped = any_box("down", "--debug", container["Names"])
    assert stopped.status == 0
    # How long it has to end is what it was made with.
    assert re.search(r"method=POST params=\{'t': 1\} path=/containers/\w+/stop\b", stopped.stderr)


def test_rm_with_d_leaves_the_removal_to_the_engine(box: Box) -> None:
    words = ("--rm", "--stop-timeout", "1", "--name", "nixdock-rm")
    box("run", "-d", *words, box.IMAGE, "sleep", "600")
    assert box.inspect("nixdock-rm")["HostConfig"]["AutoRemove"] is True
    box("down", "nixdock-rm")


def test_keep_keeps_it_and_says_how_to_look_at_it(box: Box) -> None:
    ran = box("run", "--keep", "--name", "nixdock-kept", box.IMAGE, "sh", "-c", "touch /made; exit 4")
    assert ran.status == 4
    assert "kept nixdock-kept" in ran.stderr
    assert "A /made" in box.engine.docker("diff", "nixdock-kept")
    assert box("run", box.IMAGE, "true").status == 0
    assert [container["Names"] for container in box.containers()] == ["nixdock-kept"]
    assert box("down", "nixdock-kept").stdout == "nixdock-kept\n"


def test_anonymous_volumes_go_with_the_container(box: Box) -> None:
    before = box.engine.docker("volume", "ls", "-q")
    assert box("run", "-v", "/data", box.IMAGE, "touch", "/data/x").status == 0
    assert box.engine.docker("volume", "ls", "-q") == before


def test_timeout_kills_and_is_124(any_box: Box) -> None:
    script = 'trap "" INT TERM; echo begun; while true; do sleep 1; done'
    ran = any_box("run", "--timeout", "1s", any_box.IMAGE, "sh", "-c", script)
    assert (ran.status, ran.out) == (124, b"begun\n")
    assert "longer than 1.0 s" in ran.stderr
    assert any_box.containers() == []


def test_an_image_that_is_not_there_is_never_pulled(any_box: Box) -> None:
    ran = any_box("run", "nixdock-test-nowhere:1")
    assert ran.status == 125
    assert ran.stderr == (
        "nixdock: the engine has no image nixdock-test-nowhere:1; nixdock does not pull\n"
        "hint: docker pull nixdock-test-nowhere:1\n"
    )


@pytest.fixture
def faulty(any_box: Box) -> str:
    """An image with a file for each way in which a command cannot be executed."""
    return any_box.make_image(
        "nixdock-test-faulty:1",
        extra={
            "foreign": (FOREIGN, 0o755),
            "text": (b"just text\n", 0o755),
            "script": (b"#!/no/such/shell\n", 0o755),
            "closed": (b"#!/bin/sh\n", 0o644),
        },
    )


@pytest.mark.parametrize(
    ("command", "status", "sentence"),
    [
        ("nope", 127, "there is no command 'nope' in nixdock-test-faulty:1"),
        ("/nope", 127, "there is no '/nope' in nixdock-test-faulty:1"),
        ("/script", 127, "'/script' is in nixdock-test-faulty:1, but its interpreter is not"),
        ("/closed", 126, "'/closed' in nixdock-test-faulty:1 cannot be executed: permission denied"),
        ("/bin", 126, "'/bin' in nixdock-test-faulty:1 cannot be executed: permission denied"),
        ("/foreign", 126, "(exec format error)"),
        ("/text", 126, "nor a script that begins with #! (exec format error)"),
    ],
)
def test_why_a_command_cannot_be_executed(
    any_box: Box, faulty: str, command: str, status: int, sentence: str
) -> None:
    ran = any_box("run", faulty, command)
    assert sentence in ran.stderr
    assert "hint: " in ran.stderr
    assert ran.status == status
    assert any_box.containers() == []


def test_an_image_without_a_command_is_explained(any_box: Box, faulty: str) -> None:
    ran = any_box("run", faulty)
    assert ran.status == 125
    assert f"the image {faulty} has no command: neither Cmd nor Entrypoint is set" in ran.stderr


def test_a_command_that_says_the_same_of_another_is_believed(box: Box) -> None:
    ran = box("run", box.IMAGE, "sh", "-c", "echo 'exec /bin/x: exec format error' >&2; exit 1")
    assert (ran.status, ran.stderr) == (1, "exec /bin/x: exec format error\n")


def test_an_image_for_another_machine_is_said(any_box: Box) -> None:
    name = any_box.make_image(
        "nixdock-test-arm:1", {"Cmd": ["/foreign"]}, extra={"foreign": (FOREIGN, 0o755)}, architecture="arm64"
    )
    ran = any_box("run", name)
    assert f"warning: {name} is for arm64, the engine's machine is amd64" in ran.stderr
    assert "is for arm64, the engine's machine is amd64 (exec format error)" in ran.stderr
    assert ran.status == 126


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-p", "99999:80"], 'invalid argument "99999:80" for "-p, --publish" flag: invalid hostPort: 99999'),
        (["--env-file", "none.env"], "open none.env: no such file or directory"),
        (["--rm", "--keep"], "--rm and --keep exclude each other"),
        (["--restart", "always"], "--restart needs -d"),
        (["-it"], "the input device is not a TTY"),
        (["--timeout", "soon"], "'soon' is not a duration"),
        (["--no-such-option"], "no such option"),
    ],
)
def test_wrong_words_are_usage_errors(box: Box, words: list[str], sentence: str) -> None:
    ran = box("run", *words, box.IMAGE)
    assert sentence in ran.stderr
    assert ran.status == 2


def test_a_name_that_is_taken_is_the_engine_s_refusal(box: Box) -> None:
    box("run", "-d", "--stop-timeout", "1", "--name", "nixdock-taken", box.IMAGE, "sleep", "600")
    ran = box("run", "--name", "nixdock-taken", box.IMAGE)
    assert ran.status == 125
    assert "nixdock-taken" in ran.stderr
    box("down", "nixdock-taken")


def test_no_engine_is_125_with_the_next_step(box: Box, tmp_path: Path) -> None:
    ran = box("run", box.IMAGE, env={"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    assert ran.status == 125
    assert ran.stderr == (
        f"nixdock: no engine answers at unix://{tmp_path}/none.sock (DOCKER_HOST): no such socket\n"
        "hint: nixdock engine start\n"
    )


def test_quiet_tells_nothing_but_the_container_s_output(box: Box) -> None:
    ran = box("run", "-q", "--keep", "--name", "nixdock-quiet", box.IMAGE)
    assert (ran.out, ran.err) == (b"hello from the box\n", b"")
    box("down", "nixdock-quiet")


def test_a_full_disk_behind_the_output_is_said(box: Box) -> None:
    with Path("/dev/full").open("wb") as full:
        process = subprocess.run(
            [PROGRAM, "run", box.IMAGE, "yes"],
            env=box.nixdock.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert b"No space left on device" in process.stderr
    assert process.returncode not in {0, 1}
    assert box.containers() == []


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_standard_streams_may_be_closed(box: Box, closed: str) -> None:
    script = f'"$0" run -i "$1" sh -c "cat; echo out; exit 3" {closed}'
    ended = subprocess.run(
        ["sh", "-c", script, PROGRAM, box.IMAGE],
        env=box.nixdock.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (3, b"")
    assert ended.stdout == (b"" if ">&-" in closed.replace("2>&-", "") else b"out\n")
    assert box.containers() == []


def test_what_the_engine_refuses_is_told_with_a_next_step(any_box: Box) -> None:
    holder = any_box("run", "-d", "--name", "nixdock-holder", any_box.IMAGE, "sleep", "600")
    assert holder.status == 0, holder.stderr
    for words, hint in (
        (("--network", "nixdock-nope"), "docker network create"),
        (("--user", "nobodyx"), "-u 1000:1000"),
        (("--name", "nixdock-holder"), "nixdock down NAME"),
        (("--cap-add", "NOPE"), "NET_ADMIN"),
    ):
        ran = any_box("run", *words, any_box.IMAGE, "true")
        assert ran.status in {125, 126}, ran.stderr
        assert f"hint: {hint}" in ran.stderr or hint in ran.stderr.rpartition("hint: ")[2], ran.stderr
    any_box("down", "nixdock-holder")
