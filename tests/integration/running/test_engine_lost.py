"""An engine that stops answering while a container runs: said at once, cleaned up by the next run."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from integration.running.conftest import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from integration.running.conftest import Box


class Relay:
    """A socket that leads to an engine, until it is cut."""

    def __init__(self, path: Path, engine: str) -> None:
        self.host = f"unix://{path}"
        self._engine = engine.removeprefix("unix://")
        self._open: list[socket.socket] = []
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        """End every connection, and take no more."""
        for one in (self._server, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _serve(self) -> None:
        while True:
            try:
                ours, _ = self._server.accept()
            except OSError:
                return
            theirs = socket.socket(socket.AF_UNIX)
            theirs.connect(self._engine)
            self._open += [ours, theirs]
            for source, target in ((ours, theirs), (theirs, ours)):
                threading.Thread(target=self._copy, args=(source, target), daemon=True).start()

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@pytest.fixture
def relay(box: Box, tmp_path: Path) -> Iterator[Relay]:
    relay = Relay(tmp_path / "relay.sock", box.engine.host)
    yield relay
    relay.cut()


def test_a_lost_engine_is_said_and_swept_after(box: Box, relay: Relay) -> None:
    away = box.nixdock
    box.nixdock = type(away)({**away.environment, "DOCKER_HOST": relay.host}, away.folder)
    running = box.start("run", box.IMAGE, "sh", "-c", "echo up; exec sleep 600")
    assert running.read_line() == "up\n"

    relay.cut()

    status, _, err = running.end()
    assert status == 125
    assert f"nixdock: the connection to the engine at {relay.host} (DOCKER_HOST) failed" in err
    assert "could not be removed" in err
    assert len(box.containers("running")) == 1
    box.nixdock = away
    assert box("run", box.IMAGE, "true").status == 0
    wait_until(lambda: box.containers() == [])
