"""How long an engine's response is waited for, and what cuts a call that gets none."""

from __future__ import annotations

import math
import os
import re
import signal
import socket
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from nixdock.engine.connection import patience
from nixdock.engine.connection.address import choose
from nixdock.engine.connection.api import connect
from nixdock.engine.connection.patience import CutReason, Patience
from nixdock.engine.connection.refusals import EngineLateError, EngineUnreachableError
from nixdock.image.extent import Extent
from support.hostile import DAMAGES, Hostile

if TYPE_CHECKING:
    from pathlib import Path

    from nixdock.engine.connection.api import Engine
from .hostile_calls import CALLS, at, call_in_time, reached, read_stream

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("name", ["load", "save", "logs", "attach", "wait", "get archive", "exec start"])
def test_a_long_call_ends_when_the_engine_answers_no_ping(name: str, tmp_path: Path) -> None:
    attacked, call = CALLS[name]
    with (
        Hostile(tmp_path / "s", "", "stall", pings=False) as hostile,
        reached(hostile) as engine,
    ):
        if name not in {"attach", "wait", "exec start"}:
            hostile.attacked = attacked
        if name == "exec start":
            # One that goes on for ever: its answer begins, and that is all.
            attacked, call = CALLS["attach"]
        came = call_in_time(call, engine)
    assert isinstance(came, EngineUnreachableError)
    assert "does not answer any more" in came.message


@pytest.mark.usefixtures("way")
def test_a_long_call_never_ends_by_its_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PING", 10.0)
    with Hostile(tmp_path / "s", "", "stall") as hostile, reached(hostile) as engine:
        stream, wait = engine.attach("c", tty=False), engine.wait_container("c")
        time.sleep(1.0)
        engine.start_container("c")
        assert read_stream(stream) == [(1, b"hi\n")]
        assert wait() == 0
        assert sum("/_ping" in asked for asked in hostile.asked) > 1


@pytest.mark.usefixtures("way")
def test_an_answer_that_trickles_is_no_answer(tmp_path: Path) -> None:
    """Each byte comes soon enough for a socket, and the last one never."""
    with Hostile(tmp_path / "s", "", "stall") as hostile, reached(hostile) as engine:
        DAMAGES["trickle"] = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
        hostile.attacked, hostile.damage = "GET /info", "trickle"
        original = Hostile._answer

        def trickle(self: Hostile, connection: Any, method: str, path: str) -> bool:
            going_on = original(self, connection, method, path)
            if path == "/info":
                while not self._over.wait(0.05):
                    connection.sendall(b" ")
            return going_on

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Hostile, "_answer", trickle)
            came = call_in_time(lambda e: e.info, engine)
        del DAMAGES["trickle"]
    assert isinstance(came, EngineUnreachableError)
    assert "did not answer GET /info in time" in came.message


def test_no_socket_has_a_time_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one, what the kernel sends from a file would stop whenever the engine takes a breath."""
    limits: list[float | None] = []

    class Noted(Extent):
        def send(self, connection: socket.socket) -> None:
            limits.append(connection.gettimeout())
            super().send(connection)

    monkeypatch.setattr(patience, "RESPONSE", 5.0)
    (tmp_path / "layer").write_bytes(b"layer")
    with Hostile(tmp_path / "s", "", "stall") as hostile, reached(hostile) as engine:
        descriptor = os.open(tmp_path / "layer", os.O_RDONLY)
        for _ in range(2):
            list(engine.load([Noted(descriptor, 0, 5, "layer")], size=5))
        os.close(descriptor)
    assert limits == [None, None]


@pytest.mark.usefixtures("way")
def test_a_queue_that_nobody_takes_from(tmp_path: Path) -> None:
    """An engine that is stopped: its kernel takes connections until the queue is full."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        server.listen(0)
        waiting = [socket.socket(socket.AF_UNIX) for _ in range(2)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(str(tmp_path / "s"))
        with pytest.raises(EngineUnreachableError, match="did not answer"):
            connect(choose(host=f"unix://{tmp_path}/s", environ={}), environ={})
        for one in waiting:
            one.close()


@pytest.mark.usefixtures("way")
def test_the_time_for_all_holds_over_many_calls(tmp_path: Path) -> None:
    with (
        Hostile(tmp_path / "s", "GET /info", "stall") as hostile,
        connect(at(hostile), environ={}, seconds=0.05) as engine,
    ):
        engine.patience.limit(0.05)
        with pytest.raises(EngineLateError) as caught:
            _ = engine.info
        assert caught.value.exit_code == 124
        with pytest.raises(EngineLateError):
            engine.images()
        with engine.patience.cleaning():
            assert engine.images()
        engine.patience.renew()
        assert engine.images()


@pytest.mark.usefixtures("way")
def test_cleaning_up_has_an_end_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "RESPONSE", 30.0)
    monkeypatch.setattr(patience, "CLEANING", 0.2)
    monkeypatch.setattr(patience, "_LAST_WORD", 0.1)
    with Hostile(tmp_path / "s", "DELETE /containers/.+", "stall") as hostile, connect(at(hostile)) as engine:

        def clean(engine: Engine) -> None:
            with engine.patience.cleaning():
                engine.remove_container("c")

        assert isinstance(call_in_time(clean, engine), EngineUnreachableError)


def test_what_may_take_longer_than_a_machine_can_wait_ends_no_clock() -> None:
    """As `--stop-timeout 10000000000` is taken by engines."""
    patience = Patience(None)
    wait = patience.expect("POST /stop", 1e10)
    clock = patience._clock
    assert clock is not None
    clock.join(0.2)
    assert clock.is_alive()
    assert wait.reason is None
    patience.close()


def test_a_process_that_was_stopped_does_not_blame_the_engine() -> None:
    clock = Patience(None)
    wait = clock.expect("GET /info", 5)
    before = wait.due(math.inf)[0]
    wait.prolong(100)
    assert wait.due(math.inf)[0] == before + 100
    wait.done()
    clock.close()


@pytest.mark.parametrize("name", ["changes", "delete image"])
def test_what_grows_with_the_files_may_take_longer(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "LABOUR", 20.0)
    attacked, call = CALLS[name]
    with Hostile(tmp_path / "s", "", "stall") as hostile, reached(hostile) as engine:
        real = Hostile._answer

        def answer(self: Hostile, connection: Any, method: str, path: str) -> bool:
            if re.fullmatch(attacked, f"{method} {path}"):
                time.sleep(0.5)
            return real(self, connection, method, path)

        monkeypatch.setattr(Hostile, "_answer", answer)
        assert not isinstance(call_in_time(call, engine), BaseException)


@pytest.mark.usefixtures("way")
def test_a_process_that_was_forked_has_a_clock_too(tmp_path: Path) -> None:
    with Hostile(tmp_path / "s", "", "stall") as hostile, reached(hostile) as engine:
        assert engine.images()
        hostile.attacked = "GET /info"
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            try:
                _ = engine.info
            except EngineUnreachableError:
                os._exit(7)
            os._exit(8)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_what_has_begun_late_is_not_given_up_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That it was begun is a sign of life, however long that took."""
    monkeypatch.setattr(patience, "RESPONSE", 20.0)
    monkeypatch.setattr(patience, "PING", 0.5)
    with Hostile(tmp_path / "s", "", "stall") as hostile, reached(hostile) as engine:
        real = Hostile._answer

        def answer(self: Hostile, connection: Any, method: str, path: str) -> bool:
            # It takes its time, for pings too.
            time.sleep(1.0 if path.endswith("/wait") else 0.2)
            return real(self, connection, method, path)

        monkeypatch.setattr(Hostile, "_answer", answer)
        wait = engine.wait_container("c")
        engine.start_container("c")
        assert wait() == 0


def test_tls_over_the_tls_of_a_proxy_is_cut_too() -> None:
    """urllib3's is no socket, but has one."""
    clock = Patience(None)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        wait = clock.expect("GET /info", 0.05)
        wait.goes_over(SimpleNamespace(sock=SimpleNamespace(socket=ours)))
        theirs.settimeout(20)
        assert theirs.recv(1) == b""
        assert wait.reason is CutReason.SILENT
        wait.done()
    clock.close()


def test_no_more_threads_for_a_ping_end_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PING", 0.6)
    real = threading.Thread.start
    refused: list[str] = []

    def start(thread: threading.Thread) -> None:
        if thread.name == "ping" and len(refused) < 2:
            refused.append(thread.name)
            raise RuntimeError("can't start new thread")
        real(thread)

    with Hostile(tmp_path / "s", "", "stall") as hostile, reached(hostile) as engine:
        monkeypatch.setattr(threading.Thread, "start", start)
        wait = engine.wait_container("c")
        while not any("/_ping" in asked for asked in hostile.asked):
            time.sleep(0.01)
        engine.start_container("c")
        assert wait() == 0
    assert refused == ["ping", "ping"]
