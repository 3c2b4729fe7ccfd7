"""The agent itself, as a program of this machine, spoken to as it is in a container."""

from __future__ import annotations

import hashlib
import io
import os
import platform
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixdock.checks.agent import MACHINES, pack_agent, read_agent
from nixdock.checks.agent.protocol import (
    CommandEnded,
    Greeted,
    Message,
    NotRun,
    Parser,
    ProtocolError,
    Swept,
    Wrote,
    write_kill,
    write_run,
    write_sweep,
)
from nixdock.checks.files.facts import read_elf
from nixdock.image.manifest import Platform

_HELLO = b"\0" * 8 + b"\x0c\0\0\0nixdock2\0\0\0\0"
_HERE = Platform.of_machine(platform.machine()).architecture


class _Agent:
    """A running agent."""

    PREFIX: tuple[str, ...] = ()

    def __init__(self, folder: Path) -> None:
        program = read_agent(_HERE)
        assert program is not None
        path = folder / "agent"
        path.write_bytes(program)
        path.chmod(0o755)
        self.process = subprocess.Popen(
            [*self.PREFIX, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "KEPT": "yes", "CHANGED": "no"},
            cwd=folder,
        )
        self._parser = Parser()
        self._messages: list[Message] = []
        # Here it is nobody's first process.
        assert self.next() == Greeted(is_exposed=True)

    def send(self, request: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(request)
        self.process.stdin.flush()

    def next(self) -> Message:
        assert self.process.stdout is not None
        while not self._messages:
            piece = os.read(self.process.stdout.fileno(), 65536)
            assert piece, "the agent has ended"
            self._messages += self._parser.feed(piece)
        return self._messages.pop(0)

    def run(
        self, *argv: str, ident: int = 1, **options: object
    ) -> tuple[bytes, bytes, CommandEnded | NotRun]:
        env = options.pop("env", {})
        assert isinstance(env, dict)
        self.send(write_run(ident, argv, env, **options))  # type: ignore[arg-type]
        stdout = stderr = b""
        while True:
            match self.next():
                case Wrote(to_stderr=True, data=data):
                    stderr += data
                case Wrote(data=data):
                    stdout += data
                case (CommandEnded() | NotRun()) as end:
                    return stdout, stderr, end


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[_Agent]:
    started = _Agent(tmp_path)
    with started.process:
        yield started
        started.process.kill()


def test_there_is_an_agent_for_each_machine_and_none_for_others() -> None:
    for machine in MACHINES:
        program = read_agent(machine)
        assert program is not None
        assert program.startswith(b"\x7fELF")
        assert len(program) < 10_000
    assert read_agent("riscv64") is None


def test_the_archive_holds_the_agent_executable() -> None:
    with tarfile.open(fileobj=io.BytesIO(pack_agent(b"program"))) as tar:
        (member,) = tar.getmembers()
    assert (member.name, member.mode, member.size) == ("agent", 0o555, 7)


def test_commands_get_words_variables_folder_and_input(agent: _Agent, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    script = 'echo "$KEPT $CHANGED $NEW|$1"; pwd; cat >&2; exit 3'

    stdout, stderr, end = agent.run(
        "sh", "-c", script, "sh", "a b", env={"CHANGED": "so", "NEW": "x=y"}, workdir="sub", stdin=b"in\0put"
    )

    assert stdout.decode().splitlines() == ["yes so x=y|a b", str(tmp_path / "sub")]
    assert stderr == b"in\0put"
    assert end == CommandEnded(1, 3)


def test_output_of_any_size_and_content_comes_whole(agent: _Agent) -> None:
    stdout, _, end = agent.run("head", "-c", "3000000", "/dev/urandom")
    assert (len(stdout), end) == (3_000_000, CommandEnded(1, 0))

    stdout, stderr, _ = agent.run("sh", "-c", "printf 'a\\377b'; printf 'no newline' >&2")
    assert (stdout, stderr) == (b"a\xffb", b"no newline")


def test_input_of_any_size_is_read_and_need_not_be(agent: _Agent) -> None:
    assert agent.run("wc", "-c", stdin=b"x" * 2_000_000)[0] == b"2000000\n"
    assert agent.run("true", stdin=b"x" * 2_000_000)[2] == CommandEnded(1, 0)


@pytest.mark.parametrize(
    ("words", "workdir", "failure"),
    [
        (["no-such-command"], "", NotRun(1, False, 2)),
        (["/no/such"], "", NotRun(1, False, 2)),
        (["/etc/passwd"], "", NotRun(1, False, 13)),
        (["/"], "", NotRun(1, False, 13)),
        (["true"], "/no/such", NotRun(1, True, 2)),
        (["true"], "/etc/passwd", NotRun(1, True, 20)),
    ],
)
def test_what_cannot_be_run_is_told_with_the_kernels_reason(
    agent: _Agent, words: list[str], workdir: str, failure: NotRun
) -> None:
    assert agent.run(*words, workdir=workdir) == (b"", b"", failure)
    assert agent.run("true")[2] == CommandEnded(1, 0)


def test_a_file_that_is_no_program_is_not_given_to_a_shell(agent: _Agent, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("echo surprise\n")
    script.chmod(0o755)

    assert agent.run(str(script)) == (b"", b"", NotRun(1, False, 8))


def test_the_path_of_the_command_counts_not_the_agents(agent: _Agent, tmp_path: Path) -> None:
    tool = tmp_path / "sub" / "tool"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho mine\n")
    tool.chmod(0o755)

    assert agent.run("tool")[2] == NotRun(1, False, 2)
    assert agent.run("tool", env={"PATH": f"/none:{tool.parent}:/bin"})[0] == b"mine\n"


def test_commands_run_side_by_side_and_are_killed_with_their_children(agent: _Agent) -> None:
    agent.send(write_run(1, ["sh", "-c", "echo begun; sleep 1000 & wait"], {}))
    assert agent.next() == Wrote(1, False, b"begun\n")
    agent.send(write_run(2, ["echo", "second"], {}))
    assert agent.next() == Wrote(2, False, b"second\n")
    assert agent.next() == CommandEnded(2, 0)

    agent.send(write_kill(1))

    assert agent.next() == CommandEnded(1, 128 + signal.SIGKILL)


def test_a_background_process_does_not_keep_a_command_from_ending(agent: _Agent) -> None:
    stdout, _, end = agent.run("sh", "-c", "sleep 1000 & echo done")

    assert (stdout, end) == (b"done\n", CommandEnded(1, 0))


def test_a_command_that_a_signal_ended_has_128_and_its_number(agent: _Agent) -> None:
    assert agent.run("sh", "-c", "kill -TERM $$")[2] == CommandEnded(1, 143)


def test_signals_are_as_usual_for_commands(agent: _Agent) -> None:
    stdout, _, _ = agent.run("grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status")

    assert {line.split()[1] for line in stdout.decode().splitlines() if "SigBlk" in line} == {"0" * 16}


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, None])
def test_it_ends_when_asked_or_when_nobody_is_left(agent: _Agent, ending: signal.Signals | None) -> None:
    if ending is None:
        assert agent.process.stdin is not None
        agent.process.stdin.close()
    else:
        agent.process.send_signal(ending)

    assert agent.process.wait(10) == 0


def test_it_reaps_what_is_left_to_it(tmp_path: Path) -> None:
    # Children of a dead process go to the nearest subreaper: in a container that is the agent.
    script = (
        "import ctypes, os, sys; ctypes.CDLL(None).prctl(36, 1, 0, 0, 0);"
        f"os.execv({str(tmp_path / 'agent')!r}, ['agent'])"
    )
    program = read_agent(_HERE)
    assert program is not None
    (tmp_path / "agent").write_bytes(program)
    (tmp_path / "agent").chmod(0o755)
    started = _Agent.__new__(_Agent)
    started.process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    started._parser, started._messages = Parser(), []
    assert started.next() == Greeted(is_exposed=True)

    with started.process:
        stdout, _, _ = started.run("sh", "-c", "(sleep 0.2 & echo $! >&2; exec echo $!) | cat")
        orphan = int(stdout)
        end = time.monotonic() + 10
        while Path(f"/proc/{orphan}").exists() and time.monotonic() < end:
            time.sleep(0.02)
        assert not Path(f"/proc/{orphan}").exists()
        started.process.kill()


def test_a_word_with_a_zero_byte_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot have a zero byte"):
        write_run(1, ["a\0b"], {})


@given(st.lists(st.tuples(st.integers(0, 1), st.binary(max_size=50))), st.integers(1, 20))
def test_messages_are_cut_however_they_come(pieces: list[tuple[int, bytes]], size: int) -> None:
    data = _HELLO
    for stream, text in pieces:
        data += b"\x07\0\0\0" + bytes([1 + stream, 0, 0, 0]) + len(text).to_bytes(4, "little") + text
    parser = Parser()

    found = [message for at in range(0, len(data), size) for message in parser.feed(data[at : at + size])]

    assert found == [Greeted(is_exposed=False), *(Wrote(7, stream == 1, text) for stream, text in pieces)]


NOT_THE_AGENT = {
    "text": b"Hello, world! I am no agent.",
    "an older agent": b"\0" * 8 + b"\x08\0\0\0nixdock1",
    "a newer agent": b"\0" * 8 + b"\x0c\0\0\0nixdock9\0\0\0\0",
    "a greeting with an id": b"\1" + b"\0" * 7 + b"\x0c\0\0\0nixdock2\0\0\0\0",
    "an answer before the greeting": struct.pack("<IIII", 1, 3, 4, 0),
    "output before the greeting": struct.pack("<III", 1, 1, 0),
    "a greeting again": _HELLO * 2,
    "an unknown type": _HELLO + struct.pack("<III", 1, 9, 0),
    "the largest type": _HELLO + struct.pack("<III", 1, 0xFFFFFFFF, 0),
    "a piece that is too long": _HELLO + struct.pack("<III", 1, 1, (1 << 20) + 1),
    "a piece without end": _HELLO + struct.pack("<III", 1, 1, 0xFFFFFFFF),
    "an end without a status": _HELLO + struct.pack("<III", 1, 3, 0),
    "an end with half a status": _HELLO + struct.pack("<IIIH", 1, 3, 2, 0),
    "an end with two": _HELLO + struct.pack("<IIIII", 1, 3, 8, 0, 0),
    "a failure without a reason": _HELLO + struct.pack("<IIII", 1, 4, 4, 0),
    "a failure with much": _HELLO + struct.pack("<IIIIII", 1, 4, 12, 0, 0, 0),
    "swept without a word": _HELLO + struct.pack("<III", 1, 5, 0),
    "swept with much": _HELLO + struct.pack("<IIIII", 1, 5, 8, 1, 1),
}


@pytest.mark.parametrize("data", NOT_THE_AGENT.values(), ids=NOT_THE_AGENT)
def test_what_is_not_the_agent_is_recognised(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        list(Parser().feed(data))


def test_an_agent_that_is_not_the_first_process_kills_nobody(agent: _Agent) -> None:
    agent.send(write_sweep(5))

    assert agent.next() == Swept(5, is_clean=False)
    assert agent.run("true")[2] == CommandEnded(1, 0)


class _FirstProcess(_Agent):
    """An agent in a namespace of processes of its own."""

    PREFIX = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")


@pytest.mark.skipif(os.getuid() != 0, reason="only root makes namespaces")
def test_a_sweep_leaves_no_process_and_says_whether_the_agent_is_as_it_was(tmp_path: Path) -> None:
    agent = _FirstProcess(tmp_path)
    with agent.process:
        agent.run("sh", "-c", "for i in 1 2 3; do setsid sleep 1000 & done")
        agent.send(write_sweep(7))
        assert agent.next() == Swept(7, is_clean=True)
        left = agent.run("sh", "-c", "echo /proc/[0-9]*", ident=8)[0].split()
        assert b"/proc/1" in left
        assert len(left) == 2

        agent.run(sys.executable, "-c", "import resource as r; r.prlimit(1, r.RLIMIT_FSIZE, (0, 0))", ident=9)
        agent.send(write_sweep(10))
        assert agent.next() == Swept(10, is_clean=False)
        agent.process.kill()


def test_each_agent_is_a_static_program_for_its_machine() -> None:
    for machine, number in (("amd64", 62), ("arm64", 183)):
        program = read_agent(machine)
        assert program is not None
        elf = read_elf(program)
        assert elf is not None
        assert (elf.machine, elf.interpreter, elf.needed, elf.executable) == (number, "", (), True)


def test_the_agents_were_built_of_this_source_by_these_words() -> None:
    directory = Path(__file__).parents[4] / "nixdock/checks/agent"
    for line in (directory / "agent.sums").read_text().splitlines():
        digest, name = line.split()
        found = hashlib.sha256((directory / name).read_bytes()).hexdigest()
        assert found == digest, f"{name} has changed: run scripts/build-agent"


def _compilers() -> set[str]:
    """The versions of the compilers that scripts/build-agent would take."""
    found: set[str] = set()
    for machine in ("x86_64", "aarch64"):
        name = f"{machine}-linux-gnu-gcc"
        compiler = shutil.which(name) or shutil.which(f"{name}-12")
        if compiler is not None:
            asked = subprocess.run([compiler, "-dumpfullversion"], capture_output=True, text=True, check=True)
            found.add(asked.stdout.strip())
    return found


@pytest.mark.skipif(_compilers() != {"12.2.0"}, reason="only Debian 12's compiler makes the same bytes")
def test_each_agent_is_what_its_source_says() -> None:
    script = Path(__file__).parents[4] / "scripts/build-agent"
    checked = subprocess.run([script, "--check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
