"""Every call to an engine, and how a test makes one that may be answered wrong."""

from __future__ import annotations

import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from nixdock.engine.connection import patience
from nixdock.engine.connection.address import Address, choose
from nixdock.engine.connection.api import connect
from nixdock.errors import EngineError
from support.hostile import Hostile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.stream import Stream


Call = tuple[str, "Callable[[Engine], object]"]
JSON: dict[str, Call] = {
    "info": ("GET /info", lambda e: e.info),
    "version": ("GET /version", lambda e: ask(e.answers())),
    "images": ("GET /images/json", lambda e: e.images()),
    "inspect image": ("GET /images/.+/json", lambda e: e.find_image("box:1")),
    "list": ("GET /containers/json", lambda e: e.containers()),
    "inspect": ("GET /containers/.+/json", lambda e: e.find_container("c")),
    "create": ("POST /containers/create", lambda e: e.create_container({"Image": "box:1"})),
    "wait": ("POST /containers/.+/wait", lambda e: e.wait_container("c")()),
    "commit": ("POST /commit", lambda e: e.commit_container("c", labels={"a": "b"}, repository="r", tag="t")),
    "stats": ("GET /containers/.+/stats", lambda e: e.stats("c")),
    "changes": ("GET /containers/.+/changes", lambda e: e.changes("c")),
    "exec create": ("POST /containers/.+/exec", lambda e: e.create_exec("c", {"Cmd": ["x"]})),
    "exec inspect": ("GET /exec/.+/json", lambda e: e.find_exit_code("e")),
    "networks": ("GET /networks", lambda e: e.networks(labels=["a"])),
    "volumes": ("GET /volumes", lambda e: e.volumes(labels=["a"])),
}
"""Calls whose answer must have a shape."""


SILENT: dict[str, Call] = {
    "tag": ("POST /images/.+/tag", lambda e: e.tag_image("box:1", "box", "2")),
    "delete image": ("DELETE /images/.+", lambda e: e.remove_image("box:1")),
    "start": ("POST /containers/.+/start", lambda e: e.start_container("c")),
    "kill": ("POST /containers/.+/kill", lambda e: e.kill_container("c")),
    "stop": ("POST /containers/.+/stop", lambda e: e.stop_container("c", grace=0)),
    "rename": ("POST /containers/.+/rename", lambda e: e.rename_container("c", "d")),
    "delete": ("DELETE /containers/.+", lambda e: e.remove_container("c")),
    "resize": ("POST /containers/.+/resize", lambda e: e.resize_container("c", rows=1, columns=1)),
    "put archive": ("PUT /containers/.+/archive", lambda e: e.put_archive("c", "/", b"tar")),
    "network delete": ("DELETE /networks/.+", lambda e: e.remove_network("n")),
    "volume delete": ("DELETE /volumes/.+", lambda e: e.remove_volume("v")),
}
"""Calls whose answer says nothing: whatever comes with a good status will do."""


STREAMS: dict[str, Call] = {
    "load": ("POST /images/load", lambda e: list(e.load([b"tar"], size=3))),
    "load in chunks": ("POST /images/load", lambda e: list(e.load([b"tar"]))),
    "save": ("GET /images/get", lambda e: list(e.save(["box:1"]))),
    "logs": ("GET /containers/.+/logs", lambda e: read_stream(e.logs("c", tty=False))),
    "get archive": ("GET /containers/.+/archive", lambda e: list(e.get_archive("c", "/"))),
    "attach": ("POST /containers/.+/attach", lambda e: read_stream(e.attach("c", tty=False))),
    "exec start": ("POST /exec/.+/start", lambda e: read_stream(e.start_exec("e"))),
}
"""Calls whose answer goes on: what it holds is looked at by whoever reads it."""


CALLS = JSON | SILENT | STREAMS


def ask(answers: bool) -> None:
    if not answers:
        raise EngineError("it does not answer")


def read_stream(stream: Stream) -> list[tuple[int, bytes]]:
    with closing(stream):
        return list(stream.read())


def be_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut nothing that answers, however busy the machine is."""
    for name in ("RESPONSE", "LABOUR", "PING"):
        monkeypatch.setattr(patience, name, 15.0)


@contextmanager
def reached(hostile: Hostile) -> Iterator[Engine]:
    """Connect with patience: only what follows is to be cut soon."""
    with pytest.MonkeyPatch.context() as patch:
        be_patient(patch)
        engine = connect(at(hostile), environ={})
    with engine:
        yield engine


def call_in_time(call: Callable[[Engine], object], engine: Engine) -> object:
    """Make a call in a thread of its own; return what it returned or raised, and fail where it goes on."""
    done: list[object] = []

    def work() -> None:
        try:
            done.append(call(engine))
        except BaseException as error:  # noqa: BLE001
            done.append(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(20)
    assert done, "it does not end"
    return done[0]


def at(hostile: Hostile) -> Address:
    return choose(host=hostile.host, environ={})
