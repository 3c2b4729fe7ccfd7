"""Whether an engine answers on a socket."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from nixdock.engine.daemon import lifecycle as ping_module
from nixdock.engine.daemon.lifecycle import PingResult, ping


def serve(path: Path, reply: bytes | None) -> None:
    """Answer one connection; with None, listen and never answer."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()

    def answer() -> None:
        with server:
            connection, _ = server.accept()
            with connection:
                asked = connection.recv(1000)
                assert asked.startswith(b"GET /_ping HTTP/1.0\r\n")
                if reply is None:
                    connection.recv(1)  # until the asker has given up
                else:
                    connection.sendall(reply)

    threading.Thread(target=answer, daemon=True).start()


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nOK", PingResult.ENGINE),
        (b"HTTP/1.1 200 OK\r\n\r\nOK", PingResult.ENGINE),
        (b"HTTP/1.0 404 Not Found\r\n\r\n", PingResult.SILENCE),
        (b"SSH-2.0-OpenSSH\r\n", PingResult.SILENCE),
        (b"", PingResult.SILENCE),
    ],
)
def test_only_an_engines_answer_is_one(reply: bytes, expected: PingResult, tmp_path: Path) -> None:
    serve(tmp_path / "s", reply)
    assert ping(tmp_path / "s") is expected


def test_a_missing_socket_is_nobody(tmp_path: Path) -> None:
    assert ping(tmp_path / "s") is PingResult.NOBODY


def test_a_socket_left_by_a_dead_engine_is_nobody(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "s"))
    assert ping(tmp_path / "s") is PingResult.NOBODY


def test_a_plain_file_is_nobody(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("")
    assert ping(tmp_path / "s") is PingResult.NOBODY


def test_one_who_listens_and_never_answers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ping_module, "_PING_SECONDS", 0.1)
    serve(tmp_path / "s", None)
    assert ping(tmp_path / "s") is PingResult.SILENCE


def test_a_path_too_long_for_a_socket_is_nobody(tmp_path: Path) -> None:
    assert ping(tmp_path / ("x" * 200)) is PingResult.NOBODY


class Forbidden(socket.socket):
    """A socket that may not be used, even by root who runs this."""

    def connect(self, _address: object) -> None:
        raise PermissionError(13, "Permission denied")


def test_a_socket_that_we_may_not_use_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", Forbidden)
    assert ping(tmp_path / "s") is PingResult.FORBIDDEN
