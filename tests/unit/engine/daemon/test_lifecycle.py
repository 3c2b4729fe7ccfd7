"""Which engine is ours, and when none is started."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from nixdock.engine.connection.address import Address
from nixdock.engine.daemon import lifecycle as daemon_module
from nixdock.engine.daemon.home import Daemon, DaemonHome, birth_of, find_home
from nixdock.engine.daemon.lifecycle import PingResult, start, stop
from nixdock.errors import EngineError

SOCKET = Address("unix:///nowhere/docker.sock", "the default socket")


@pytest.fixture
def home(tmp_path: Path) -> DaemonHome:
    return DaemonHome(tmp_path / "engine")


def remember(home: DaemonHome, daemon: Daemon) -> None:
    home.directory.mkdir()
    home.write(daemon)


def test_a_process_is_known_by_its_birth() -> None:
    own = birth_of(os.getpid())
    assert own == birth_of(os.getpid())
    assert own != birth_of(1)
    assert own is not None
    assert own.startswith(Path("/proc/sys/kernel/random/boot_id").read_text().strip())


def test_a_process_that_is_gone_or_only_waited_for_has_no_birth() -> None:
    child = subprocess.Popen(["/bin/true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert birth_of(child.pid) is None
    child.wait()
    assert birth_of(child.pid) is None


def test_a_process_with_spaces_and_brackets_in_its_name_is_read(tmp_path: Path) -> None:
    program = tmp_path / "a) S 1 ("
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "60"]) as child:
        assert str(birth_of(child.pid)).rpartition(":")[2].isdigit()
        child.kill()


def test_ours_is_remembered_while_it_lives(home: DaemonHome) -> None:
    assert home.read() is None
    ours = Daemon(os.getpid(), birth_of(os.getpid()) or "", SOCKET.url, "nixdock0")
    remember(home, ours)
    assert home.read() == ours


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": 1}', "null"])
def test_a_damaged_memory_is_no_memory(home: DaemonHome, text: str) -> None:
    home.directory.mkdir()
    home.state.write_text(text)
    assert home.read() is None


def test_a_process_with_the_number_of_ours_is_not_ours(home: DaemonHome) -> None:
    remember(home, Daemon(os.getpid(), "an-earlier-boot:17", SOCKET.url))
    assert home.read() is None
    assert stop(home) is None  # or this very process would have been told to end


def test_the_place_follows_the_state_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NIXDOCK_STATE_DIR", raising=False)
    assert find_home().directory == Path("/var/lib/nixdock/engine")
    assert find_home().name == "nixdock0"
    monkeypatch.setenv("NIXDOCK_STATE_DIR", str(tmp_path))
    assert find_home().directory == tmp_path / "engine"
    assert len(find_home().name) == 15


def test_an_engine_elsewhere_cannot_be_started(home: DaemonHome) -> None:
    with pytest.raises(EngineError) as caught:
        start(Address("tcp://build:2375", "DOCKER_HOST"), home)
    assert caught.value.message.startswith("no engine can be started at tcp://build:2375 (DOCKER_HOST)")
    assert not home.directory.exists()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (PingResult.FORBIDDEN, "an engine listens on /nowhere/docker.sock, and you may not use it"),
        (
            PingResult.SILENCE,
            "something listens on /nowhere/docker.sock, but it does not answer as an engine",
        ),
    ],
)
def test_whoever_listens_there_is_not_pushed_aside(
    answer: PingResult, message: str, home: DaemonHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon_module, "ping", lambda _path: answer)
    with pytest.raises(EngineError) as caught:
        start(SOCKET, home)
    assert caught.value.message == message
    assert caught.value.exit_code == 125


def test_an_engine_that_answers_is_left_alone(home: DaemonHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon_module, "ping", lambda _path: PingResult.ENGINE)
    assert start(SOCKET, home) is None
    assert not home.directory.exists()


def test_without_dockerd_the_package_is_named(home: DaemonHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon_module, "search_path", lambda: "/nowhere")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(EngineError) as caught:
        start(SOCKET, home)
    assert str(caught.value.hint).endswith("apt-get install docker.io")


def test_only_root_can_start_one(home: DaemonHome, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "dockerd").touch(mode=0o755)
    monkeypatch.setattr(daemon_module, "search_path", lambda: str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(EngineError) as caught:
        start(SOCKET, home)
    assert "nixdock engine start" in str(caught.value.hint)
    assert str(caught.value.hint).startswith(("sudo ", "su - -c "))
    assert not home.directory.exists()


def test_ours_on_another_address_is_told(
    home: DaemonHome, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "dockerd").touch(mode=0o755)
    monkeypatch.setattr(daemon_module, "search_path", lambda: str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    remember(home, Daemon(os.getpid(), birth_of(os.getpid()) or "", "unix:///elsewhere"))
    with pytest.raises(EngineError) as caught:
        start(SOCKET, home)
    assert caught.value.message == "nixdock's engine runs already, on unix:///elsewhere"
