from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from nixdock.checks.format.suite import suite_from_value
from nixdock.checks.kinds.http import HttpCheck
from nixdock.checks.model import HttpRequest
from nixdock.checks.running.live import HttpResponse, NoResponseError, send_request


@contextmanager
def _server(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server on loopback that treats its one client as told."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(10)


def _says(data: bytes) -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(data)

    return talk


def _ask(
    talk: Callable[[socket.socket], None], timeout: float = 10, request: HttpRequest | None = None
) -> HttpResponse:
    with _server(talk) as port:
        return send_request(request or HttpRequest("/x"), "127.0.0.1", port, timeout)


def test_an_answer_has_status_headers_and_body() -> None:
    answer = _ask(_says(b"HTTP/1.1 404 Nope\r\nContent-Length: 2\r\nX-A: 1\r\nx-a: 2\r\n\r\nhi"))

    assert (answer.status, answer.body) == (404, b"hi")
    assert answer.headers == {"content-length": "2", "x-a": "1, 2"}


def test_a_chunked_body_is_put_together_and_a_redirection_is_an_answer() -> None:
    answer = _ask(
        _says(
            b"HTTP/1.1 302 Found\r\nTransfer-Encoding: chunked\r\nLocation: /y\r\n\r\n"
            b"2\r\nhe\r\n1\r\ny\r\n0\r\n\r\n"
        )
    )

    assert (answer.status, answer.body, answer.headers["location"]) == (302, b"hey", "/y")


def test_method_headers_and_body_are_sent() -> None:
    heard: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        data = b""
        while not data.endswith(b"payload"):
            data += connection.recv(65536)
        heard.append(data)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    _ask(talk, request=HttpRequest("/p?q=1", method="POST", headers={"X-Key": "v"}, body=b"payload"))

    assert heard[0].startswith(b"POST /p?q=1 HTTP/1.1\r\n")
    assert b"\r\nX-Key: v\r\n" in heard[0]


def _resets(data: bytes) -> Callable[[socket.socket], None]:
    """Say something and end the connection by a reset."""

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(data)
        time.sleep(0.2)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    return talk


@pytest.mark.parametrize(
    ("talk", "why"),
    [
        (_says(b""), "the connection was closed without an answer"),
        (_resets(b""), "the connection was closed without an answer"),
        (_resets(b"HTTP/1.1 200 OK\r\n\r\nhalf"), "the connection was closed amid the answer"),
        (
            _resets(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
            "the connection was closed with 6 bytes of the answer to come",
        ),
        (_says(b"SSH-2.0-nope\r\n\r\n"), "the answer is not HTTP (BadStatusLine)"),
        (
            _says(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
            "the connection was closed with 6 bytes of the answer to come",
        ),
    ],
)
def test_what_is_no_answer_is_explained(talk: Callable[[socket.socket], None], why: str) -> None:
    with pytest.raises(NoResponseError) as caught:
        _ask(talk)
    assert str(caught.value) == why


def test_nobody_there_is_no_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(NoResponseError, match="no connection: Connection refused"):
        send_request(HttpRequest("/"), "127.0.0.1", port, 5)


def _trickle(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    with suppress(OSError):
        while True:
            connection.sendall(b"x")
            time.sleep(0.02)


def _be_silent(connection: socket.socket) -> None:
    with suppress(OSError):
        while connection.recv(65536):
            pass


@pytest.mark.parametrize("talk", [_be_silent, _trickle])
def test_silence_and_what_never_ends_are_cut_off(talk: Callable[[socket.socket], None]) -> None:
    with pytest.raises(NoResponseError, match=r"^no complete answer within 300 ms$"):
        _ask(talk, timeout=0.3)


def _check(value: dict[str, object]) -> HttpCheck:
    (check,) = suite_from_value({"checks": {"a": {"http": "/", **value}}}, "x").checks
    assert isinstance(check.what, HttpCheck)
    return check.what


def _said(check: dict[str, object], answer: HttpResponse) -> list[str]:
    return [str(finding) for finding in _check(check).judge(answer)]


def test_an_answer_is_judged_by_status_headers_and_body() -> None:
    answer = HttpResponse(200, {"content-type": "text/html", "x-n": "5"}, b'{"ok": true}')

    assert _said({}, answer) == []
    assert _said({"headers": {"Content-Type": {"contains": "html"}, "X-None": None}}, answer) == []
    assert _said({"body": {"json": {"ok": True}}, "status": 200}, answer) == []
    assert _said({"status": 404}, answer) == ["status: expected to be 404, found 200"]
    assert _said({"headers": {"X-N": "6"}}, answer) == ['headers.X-N: expected to be "6", found "5"']
    assert _said({"headers": {"X-N": None}}, answer) == ['headers.X-N: expected to be unset, found "5"']
    assert _said({"body": {"empty": True}}, answer) == ["body: expected to be empty, found '{\"ok\": true}'"]


@pytest.mark.parametrize(
    ("status", "fine"), [(200, True), (399, True), (400, False), (500, False), (100, False)]
)
def test_a_status_below_400_is_fine_unless_told(status: int, fine: bool) -> None:
    assert (not _check({}).judge(HttpResponse(status, {}, b""))) is fine
