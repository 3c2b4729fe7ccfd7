"""That an engine is not waited for for ever holds for every kind of address."""

from __future__ import annotations

import os
import socket
import ssl
import sys
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from nixdock.engine.connection import patience
from nixdock.engine.connection.address import Tls, choose
from nixdock.engine.connection.api import connect
from nixdock.engine.connection.refusals import EngineLateError, EngineUnreachableError
from support.certificates import make_authority, make_certificate
from support.hostile import Hostile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from nixdock.engine.connection.address import Address
    from nixdock.engine.connection.api import Engine

SSH = """\
import os, socket, threading
engine = socket.socket(socket.AF_UNIX)
engine.connect(os.environ["ENGINE"])
def answer():
    while data := engine.recv(65536):
        os.write(1, data)
threading.Thread(target=answer, daemon=True).start()
while data := os.read(0, 65536):
    engine.sendall(data)
"""


@contextmanager
def reached(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Hostile, Address]]:
    """Have an engine that is reached in one way."""
    path = folder / "s"
    if kind in {"unix", "ssh"}:
        with Hostile(path, "", "stall") as hostile:
            if kind == "ssh":
                (folder / "ssh").write_text(f"#!{sys.executable}\n{SSH}")
                (folder / "ssh").chmod(0o755)
                monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
                monkeypatch.setenv("ENGINE", str(path))
            yield hostile, choose(host=hostile.host if kind == "unix" else "ssh://far.test", environ={})
        return
    server = socket.create_server(("127.0.0.1", 0))
    host = f"tcp://127.0.0.1:{server.getsockname()[1]}"
    tls = None
    if kind == "tls":
        make_authority(folder / "authority")
        make_certificate(folder / "authority", folder / "engine")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "engine" / "cert.pem", folder / "engine" / "key.pem")
        server = context.wrap_socket(server, server_side=True)
        ca, cert, key = (folder / "engine" / name for name in ("ca.pem", "cert.pem", "key.pem"))
        tls = Tls(verify=True, ca=ca, cert=cert, key=key)
    with Hostile(path, "", "stall", server=server) as hostile:
        yield hostile, choose(host=host, tls=tls, environ={})


def _read_output(engine: Engine) -> object:
    with closing(engine.attach("c", tty=False)) as stream:
        return list(stream.read())


CALLS: dict[str, tuple[str, float | None, Callable[[Engine], object], type[Exception]]] = {
    "plain": ("GET /info", None, lambda e: e.info, EngineUnreachableError),
    "late": ("GET /info", 0.1, lambda e: e.info, EngineLateError),
    "load": ("POST /images/load", 0.3, lambda e: list(e.load(bytes(9) for _ in range(9))), EngineLateError),
    "wait": ("nothing", 0.3, lambda e: e.wait_container("c")(), EngineLateError),
    "attach": ("nothing", 0.3, _read_output, EngineLateError),
    "dead": ("GET /_ping", None, lambda e: e.wait_container("c")(), EngineUnreachableError),
}


@pytest.mark.parametrize("kind", ["unix", "ssh", "tcp", "tls"])
def test_no_address_is_waited_at_for_ever(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "RESPONSE", 5.0)
    monkeypatch.setattr(patience, "PING_PAUSE", 0.1)
    monkeypatch.setattr(patience, "PING", 0.3)
    with reached(kind, tmp_path, monkeypatch) as (hostile, address):
        for name, (attacked, limit, call, error) in CALLS.items():
            hostile.attacked = "nothing"
            with connect(address, environ={}) as engine:
                hostile.attacked = attacked
                monkeypatch.setattr(patience, "RESPONSE", 0.3 if name == "plain" else 5.0)
                monkeypatch.setattr(patience, "PING", 0.3 if name == "dead" else 5.0)
                engine.patience.limit(limit)
                ended = threading.Event()
                watchdog = threading.Timer(20, ended.set)
                watchdog.start()
                with pytest.raises(error):
                    call(engine)
                watchdog.cancel()
                assert not ended.is_set(), name
