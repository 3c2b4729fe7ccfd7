"""Nobody above the door sees which way a question went: the same requests, answers and sentences by both."""

from __future__ import annotations

import json
import re
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from nixdock.engine.connection import client
from nixdock.engine.connection.address import Address, Tls
from nixdock.engine.connection.api import connect
from nixdock.engine.connection.dialling import dial_port
from nixdock.engine.connection.plain import is_plain
from nixdock.engine.connection.refusals import EngineUnreachableError
from nixdock.errors import EngineError
from support.hostile import DAMAGES, VERSION, Hostile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nixdock.engine.connection.patience import Patience

from .hostile_calls import CALLS, be_patient, call_in_time, reached


def make_outcome(name: str, damage: str | None, path: Path) -> tuple[object, list[str], list[bytes]]:
    """Return what came of a call, as a value, and what was asked for it."""
    attacked, call = CALLS[name]
    with Hostile(path, "", "stall") as hostile, reached(hostile) as engine:
        if damage is not None:
            hostile.attacked, hostile.damage = attacked, damage
        if damage == "stall":
            engine.patience.limit(0.1)
        if damage is None and name in {"wait", "attach"}:
            engine.start_container("c")
        came = call_in_time(call, engine)
    if isinstance(came, BaseException):
        assert isinstance(came, EngineError), repr(came)
        came = (type(came), came.message, came.hint, came.exit_code, getattr(came, "status", None))
    return came, hostile.asked, hostile.bodies


@pytest.mark.sampled(11)
@pytest.mark.parametrize("damage", [None, *DAMAGES])
@pytest.mark.parametrize("name", CALLS)
def test_both_ways_give_the_same(
    name: str, damage: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_patient(monkeypatch)
    ours = make_outcome(name, damage, tmp_path / "s")
    (tmp_path / "s").unlink()
    monkeypatch.setattr(client, "is_plain", lambda _address: False)
    assert ours == make_outcome(name, damage, tmp_path / "s")


@pytest.mark.parametrize("name", CALLS)
def test_only_what_streams_goes_over_the_sdk(name: str, tmp_path: Path) -> None:
    attacked, call = CALLS[name]
    with Hostile(tmp_path / "s", "", "empty") as hostile, reached(hostile) as engine:
        hostile.attacked = attacked
        call_in_time(call, engine)
        over_sdk = engine._connection._sdk is not None
    assert over_sdk == (name in {"load", "load in chunks", "exec start"})


@contextmanager
def answering(path: Path, *answers: bytes) -> Iterator[list[list[bytes]]]:
    """Answer each request with the next bytes; keep what was asked, by connection.

    Bytes that end in a `!` have it taken off, and the connection ended.
    """
    asked: list[list[bytes]] = []
    left = list(answers)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        server.settimeout(10)

        def serve() -> None:
            while left:
                connection, _ = server.accept()
                asked.append([])
                with connection:
                    while left and (request := connection.recv(65536)):
                        asked[-1].append(request)
                        answer = left.pop(0)
                        connection.sendall(answer.removesuffix(b"!"))
                        if answer.endswith(b"!"):
                            break

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield asked
        thread.join(10)
        assert not thread.is_alive()


BODY = json.dumps(VERSION).encode()
HEAD = b"HTTP/1.1 200 OK\r\n"
SIZED = b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
ODD = {
    "until it hangs up": HEAD + b"\r\n" + BODY + b"!",
    "of HTTP 1.0": b"HTTP/1.0 200 OK\r\n" + SIZED + b"!",
    "a size that chunks overrule": HEAD
    + b"content-length: 3\r\nTRANSFER-ENCODING: Chunked\r\n\r\n%X;name=value\r\n" % len(BODY)
    + BODY
    + b"\r\n0\r\nX-Late: 1\r\n\r\n",
    "after another one": b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + SIZED,
    "without a reason": b"HTTP/1.1 200\r\n" + SIZED,
    "newlines alone": (HEAD + SIZED).replace(b"\r\n", b"\n"),
    "a header in two lines": HEAD + b"X-Long: a\r\n b\r\n" + SIZED,
}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("answer", ODD.values(), ids=ODD)
def test_what_is_odd_and_http_is_read(answer: bytes, tmp_path: Path) -> None:
    with answering(tmp_path / "s", answer), connect(Address(f"unix://{tmp_path}/s", "a test")) as engine:
        assert engine.version.api == "1.41"


NO_HTTP = {
    b"HTTP/2.0 200 OK\r\n\r\n!": "HTTP/2.0 200 OK",
    b"HTTP/1.1 20 OK\r\n\r\n!": "HTTP/1.1 20 OK",
    b"HTTP/1.1 \x1b[2J\r\n\r\n!": "HTTP/1.1 \\x1b[2J",
    b"SSH-2.0!": "SSH-2.0",
    b"\r\n\r\n!": "(an empty line)",
    HEAD + b"no header\r\n\r\n!": "no header",
    HEAD + b"X: 1\r\n" * 20_000 + b"\r\n!": "more than 65536 bytes of a head",
    b"H" * 70_000 + b"!": "bytes of a head without an end",
    HEAD + b"Content-Length: -1\r\n\r\n!": "Content-Length: -1",
    HEAD + b"Content-Length: 1_0\r\n\r\n!": "Content-Length: 1_0",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n!": "-1",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n!": "0x2",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}more\r\n!": "more",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 99 + b"\r\n!": "f" * 99,
}


@pytest.mark.parametrize("answer", NO_HTTP, ids=NO_HTTP.values())
def test_what_is_no_http_is_told(answer: bytes, tmp_path: Path) -> None:
    with answering(tmp_path / "s", answer), pytest.raises(EngineError) as caught:
        connect(Address(f"unix://{tmp_path}/s", "a test"))
    assert caught.value.message.startswith("the engine answered nonsense to GET /version: it is no HTTP (")
    assert NO_HTTP[answer] in caught.value.message


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"Content-Length: 10\r\n\r\n12!", "IncompleteRead(2 bytes read, 8 more expected)"),
        (b"Transfer-Encoding: chunked\r\n\r\nA\r\n12!", "IncompleteRead(2 bytes read, 8 more expected)"),
        (b"Transfer-Encoding: chunked\r\n\r\n2\r\n12\r\n!", "Response ended prematurely"),
    ],
)
def test_what_breaks_off_is_told(answer: bytes, said: str, tmp_path: Path) -> None:
    with answering(tmp_path / "s", HEAD + answer), pytest.raises(EngineUnreachableError) as caught:
        connect(Address(f"unix://{tmp_path}/s", "a test"))
    assert caught.value.message.endswith(f"(a test) failed: {said}")


EMPTY = HEAD + b"Content-Length: 2\r\n\r\n[]"


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("second", "connections"),
    [
        (EMPTY, [4]),
        (b"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\n{}", [4]),
        (HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\n[]!", [2, 2]),
        # It ends while nobody asks anything.
        (EMPTY + b"!", [2, 2]),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n", [4]),
    ],
)
def test_a_connection_serves_again(second: bytes, connections: list[int], tmp_path: Path) -> None:
    answers = HEAD + SIZED, second, EMPTY, EMPTY
    with (
        answering(tmp_path / "s", *answers) as asked,
        connect(Address(f"unix://{tmp_path}/s", "a test")) as engine,
    ):
        for _ in range(3):
            assert engine.find_container("c") is None if b"404" in second else engine.images() == ()
            second = EMPTY
    assert [len(requests) for requests in asked] == connections


ENDED = {
    b"409 Conflict": "Cannot kill container: c: Container 1f is not running",
    b"500 Internal Server Error": "can only kill running containers. 1f is in state exited: improper",
}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("status", ENDED)
def test_one_that_has_ended_may_be_killed(status: bytes, tmp_path: Path) -> None:
    """As Docker and Podman 4 say it; another refusal is one."""

    def refuse(message: str) -> bytes:
        body = json.dumps({"message": message}).encode()
        return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)

    with (
        answering(
            tmp_path / "s", HEAD + SIZED, refuse(ENDED[status]), b"HTTP/1.1 500 No\r\n" + SIZED
        ) as asked,
        connect(Address(f"unix://{tmp_path}/s", "a test")) as engine,
    ):
        engine.kill_container("c")
        with pytest.raises(EngineError):
            engine.kill_container("c")
    assert asked[0][1].startswith(b"POST /v1.41/containers/c/kill?signal=KILL ")


def test_what_nobody_asked_for_is_not_the_next_answer(tmp_path: Path) -> None:
    smuggled = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"Id":"stolen"}'
    with (
        answering(tmp_path / "s", HEAD + SIZED, EMPTY + smuggled, EMPTY) as asked,
        connect(Address(f"unix://{tmp_path}/s", "a test")) as engine,
    ):
        assert engine.images() == engine.images() == ()
    assert [len(requests) for requests in asked] == [2, 1]


def write_head(path: Path) -> tuple[bytes, dict[bytes, bytes]]:
    with (
        answering(path, HEAD + SIZED, HEAD + b'Content-Length: 11\r\n\r\n{"Id": "c"}') as asked,
        connect(Address(f"unix://{path}", "a test")) as engine,
    ):
        engine.create_container({"Image": "b\u00f6x"}, name="\u00f6 &=+/~;", platform="linux/amd64")
    path.unlink()
    first, *lines = asked[0][1].partition(b"\r\n\r\n")[0].split(b"\r\n")
    headers = dict(re.split(rb": *", line, maxsplit=1) for line in lines)
    return first, {name.lower(): text for name, text in headers.items()}


def test_both_ways_send_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.json").write_text('{"HttpHeaders": {"X-Meta": "\u00fc", "ACCEPT": "all"}}')
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    ours = write_head(tmp_path / "s")
    monkeypatch.setattr(client, "is_plain", lambda _address: False)
    theirs = write_head(tmp_path / "s")
    assert ours[1].pop(b"user-agent") != theirs[1].pop(b"user-agent")
    # What HTTP 1.1 does anyway.
    assert theirs[1].pop(b"connection") == b"keep-alive"
    assert ours == theirs
    assert ours[1][b"x-meta"] == "\u00fc".encode()
    assert ours[1][b"accept"] == b"all"


@pytest.mark.parametrize(
    ("url", "tls", "ours"),
    [
        ("unix:///run/a b.sock", None, True),
        ("tcp://127.0.0.1:2375", None, True),
        ("tcp://localhost:2375/base", None, True),
        ("tcp://[::1]:2375", None, True),
        ("tcp://127.0.0.1:2376", Tls(), False),
        ("tcp://far.test:2375", None, False),
        ("ssh://localhost", None, False),
    ],
)
def test_an_engine_elsewhere_is_asked_over_the_sdk(url: str, tls: Tls | None, ours: bool) -> None:
    assert is_plain(Address(url, "a test", tls)) is ours


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_port_of_this_machine(family: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dialled: list[tuple[str, int]] = []

    def note(host: str, port: int, patience: Patience) -> socket.socket:
        dialled.append((host, port))
        return dial_port(host, port, patience)

    monkeypatch.setattr("nixdock.engine.connection.plain.dial_port", note)
    with socket.socket(family) as server:
        server.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        server.listen()
        host, port = server.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        with Hostile(tmp_path / "s", "", "stall", server=server) as hostile:
            with connect(Address(f"tcp://{shown}:{port}", "a test"), environ={}) as engine:
                assert engine.images()
            with pytest.raises(EngineError, match="nonsense to GET /version: nothing"):
                connect(Address(f"tcp://{shown}:{port}/base", "a test"))
    assert set(dialled) == {(host, port)}
    assert hostile.asked[0] == "GET /version"
    assert hostile.asked[-1] == "GET /base/version"
