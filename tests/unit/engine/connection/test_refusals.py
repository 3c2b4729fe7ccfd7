"""Failures of the way to the engine, made by real sockets, as sentences with the next step."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from nixdock.engine.connection.address import Address, Tls, choose
from nixdock.engine.connection.api import connect
from nixdock.engine.connection.refusals import (
    EngineRefusedError,
    EngineUnreachableError,
    is_not_ready,
    translate,
)
from nixdock.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def at(path: Path) -> Address:
    return Address(f"unix://{path}", "a test")


@contextmanager
def answering(path: Path, answer: bytes, *, times: int = 1) -> Iterator[list[bytes]]:
    """Answer so many connections with the same bytes, and keep what was asked."""
    asked: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def serve() -> None:
            for _ in range(times):
                connection, _ = server.accept()
                with connection:
                    asked.append(connection.recv(65536))
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield asked
        thread.join(10)


def response(body: bytes, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body


@pytest.mark.usefixtures("way")
def test_no_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(EngineUnreachableError, match="no such socket") as caught:
        connect(at(tmp_path / "none.sock"))
    assert caught.value.hint == f"nixdock --host unix://{tmp_path}/none.sock engine start"
    assert caught.value.exit_code == 125


@pytest.mark.usefixtures("way")
def test_a_socket_without_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "dead.sock"))
    with pytest.raises(EngineUnreachableError, match="connection refused") as caught:
        connect(at(tmp_path / "dead.sock"))
    assert caught.value.hint == f"nixdock --host unix://{tmp_path}/dead.sock engine start"
    assert is_not_ready(caught.value)


@pytest.mark.usefixtures("way")
def test_a_port_without_a_server() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(EngineUnreachableError, match="connection refused") as caught:
        connect(choose(host=f"tcp://127.0.0.1:{port}", environ={"HOME": "/"}))
    assert caught.value.hint == "check that the engine runs there, and the address"


@pytest.mark.parametrize(
    ("group", "hint"),
    [
        ("docker", "sudo usermod -aG docker ann, then log in again"),
        ("podman", "sudo usermod -aG podman ann, then log in again"),
        ("root", "only root may use it: sudo "),
        (None, "sudo usermod -aG docker ann, then log in again"),
    ],
)
def test_no_permission(group: str | None, hint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("pwd.getpwuid", lambda _number: SimpleNamespace(pw_name="ann"))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("grp.getgrgid", lambda _number: SimpleNamespace(gr_name=group))
    if group is not None:
        (tmp_path / "docker.sock").touch()
    error = ConnectionError("Connection aborted.", PermissionError(13, "Permission denied"))
    address = Address(f"unix://{tmp_path}/docker.sock", "the default socket")
    translated = translate(error, address, "GET /info")
    assert translated is not None
    assert translated.message == (f"no permission to use the engine at {address.url} (the default socket)")
    assert translated.hint is not None
    assert translated.hint.startswith(hint)


@pytest.mark.parametrize(
    ("user", "source", "hint"),
    [
        (0, "the default socket", "nixdock engine start"),
        (0, "DOCKER_HOST", "nixdock engine start"),
        (0, "--host", "nixdock --host 'unix:///a b' engine start"),
        (1000, "the default socket", "sudo /usr/bin/nixdock engine start"),
        # sudo forgets the environment.
        (1000, "DOCKER_HOST", "sudo /usr/bin/nixdock --host 'unix:///a b' engine start"),
    ],
)
def test_the_engine_that_is_to_be_started_is_the_one_that_was_asked_for(
    user: int, source: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    translated = translate(
        FileNotFoundError(2, "No such file or directory"), Address("unix:///a b", source), "GET /info"
    )
    assert translated is not None
    assert translated.hint == hint


def test_plain_text_where_tls_is_expected(tmp_path: Path) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(EngineUnreachableError, match="no secure connection"):
            connect(Address(url, "a test", Tls(verify=False)))
        thread.join(10)


@pytest.mark.usefixtures("way")
def test_an_answer_that_is_a_refusal(tmp_path: Path) -> None:
    body = b'{"message": "client version 12 is too old"}'
    with (
        answering(tmp_path / "s", response(body, "400 Bad Request")),
        pytest.raises(EngineRefusedError, match="client version 12 is too old") as caught,
    ):
        connect(at(tmp_path / "s"))
    assert caught.value.status == 400


@pytest.mark.usefixtures("way")
def test_an_answer_that_breaks_off_between_two_chunks(tmp_path: Path) -> None:
    """As of an engine that is killed while it tells how far a load is."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    with answering(tmp_path / "s", head + b"2\r\n{}\r\n"), pytest.raises(EngineUnreachableError) as caught:
        connect(at(tmp_path / "s"))
    assert caught.value.message == (
        f"the connection to the engine at unix://{tmp_path}/s (a test) failed: Response ended prematurely"
    )


@pytest.mark.usefixtures("way")
def test_an_answer_is_never_asked_for_twice(tmp_path: Path) -> None:
    refusal = response(b'{"message": "x"}', "500 Internal Server Error")
    with answering(tmp_path / "s", refusal) as asked, pytest.raises(EngineRefusedError):
        connect(at(tmp_path / "s"))
    assert len(asked) == 1


@pytest.mark.usefixtures("way")
def test_one_who_hangs_up_is_no_engine(tmp_path: Path) -> None:
    with (
        answering(tmp_path / "s", b"", times=4),
        pytest.raises(EngineUnreachableError, match="the connection to the engine at"),
    ):
        connect(at(tmp_path / "s"))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n", response(b"<html>")])
def test_what_is_no_engine(tmp_path: Path, answer: bytes) -> None:
    with (
        answering(tmp_path / "s", answer),
        pytest.raises(EngineError, match="the engine answered nonsense to GET /version: "),
    ):
        connect(at(tmp_path / "s"))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("offered", "pinned", "spoken"),
    [("1.41", None, "1.41"), ("1.99", None, "1.51"), ("1.51", "1.44", "1.44")],
)
def test_the_api_version_is_agreed_on(tmp_path: Path, offered: str, pinned: str | None, spoken: str) -> None:
    body = b'{"ApiVersion": "%s", "Os": "linux", "Arch": "amd64", "Version": "1"}' % offered.encode()
    environ = {"DOCKER_API_VERSION": pinned} if pinned else {}
    with (
        answering(tmp_path / "s", response(body)) as asked,
        connect(at(tmp_path / "s"), environ=environ) as engine,
    ):
        assert engine.version.api == spoken
    assert len(asked) == 1
    assert asked[0].startswith(b"GET /version ")


@pytest.mark.usefixtures("way")
def test_podman_is_known_by_its_components(tmp_path: Path) -> None:
    body = b'{"ApiVersion": "1.41", "Components": [{"Name": "Podman Engine"}]}'
    with answering(tmp_path / "s", response(body)), connect(at(tmp_path / "s"), environ={}) as engine:
        assert engine.version.is_podman


def test_other_errors_are_not_the_engine_s() -> None:
    assert translate(ValueError("x"), Address("unix:///x", "a test"), "GET /info") is None
