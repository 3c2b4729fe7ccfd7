"""Engines reached by a program, or at a path of any spelling."""

from __future__ import annotations

import os
import sys
import threading
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingUnixStreamServer
from typing import TYPE_CHECKING

import pytest

from nixdock.engine.connection.address import Address, choose
from nixdock.engine.connection.api import connect
from nixdock.engine.connection.refusals import EngineUnreachableError
from nixdock.engine.connection.transport import dial_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


COPIER = """\
import os, socket, sys, threading

open(os.environ["ASKED"], "a").write(" ".join(sys.argv[1:]) + "\\n")
engine = socket.socket(socket.AF_UNIX)
engine.connect(os.environ["ENGINE"])

def answer():
    while data := engine.recv(65536):
        os.write(1, data)

threading.Thread(target=answer, daemon=True).start()
while data := os.read(0, 65536):
    engine.sendall(data)
"""


class Answers(BaseHTTPRequestHandler):
    """Answers every request with the same version."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b'{"ApiVersion": "1.41", "ID": "the engine"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "local"

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "my folder, 100% + ?"
    folder.mkdir()
    with ThreadingUnixStreamServer(str(folder / "e.sock"), Answers) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder / "e.sock"
        server.shutdown()


@pytest.mark.usefixtures("way")
def test_a_socket_at_any_path(engine: Path) -> None:
    with connect(choose(host=f"unix://{engine}", environ={}), environ={}) as connected:
        assert connected.info.id == "the engine"


def test_ssh_runs_docker_on_the_other_machine(
    engine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fake ssh connects its streams to a socket, as docker on the other machine does."""
    tools = tmp_path / "tools"
    tools.mkdir()
    ssh = tools / "ssh"
    ssh.write_text(f"#!{sys.executable}\n{COPIER}")
    ssh.chmod(0o755)
    monkeypatch.setenv("ENGINE", str(engine))
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")

    with connect(choose(host="ssh://me@far.test:2222", environ={}), environ={}) as connected:
        assert connected.info.id == "the engine"

    (asked,) = (tmp_path / "asked").read_text().splitlines()
    assert asked == "-T -o ConnectTimeout=30 -l me -p 2222 -- far.test docker system dial-stdio"


def test_an_ssh_that_fails_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    ssh = tools / "ssh"
    ssh.write_text(f'#!/bin/sh\necho asked >>"{tmp_path}/asked"\nexit 255\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")

    with pytest.raises(EngineUnreachableError, match="the engine at ssh:") as caught:
        connect(choose(host="ssh://me@far.test:2222", environ={}))

    assert caught.value.hint == "check that this works: ssh -p 2222 me@far.test docker version"
    assert (tmp_path / "asked").read_text() == "asked\n"


def test_a_machine_without_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineUnreachableError, match="which is not installed"):
        connect(choose(host="ssh://far.test", environ={}))


def test_the_words_of_ssh() -> None:
    assert dial_words(Address("ssh://far.test", "a test")) == (
        *("ssh", "-T", "-o", "ConnectTimeout=30", "--", "far.test", "docker", "system", "dial-stdio"),
    )
