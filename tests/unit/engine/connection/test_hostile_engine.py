"""Every call to an engine, against one that answers wrong, in pieces, or never."""

from __future__ import annotations

import copy
import gc
import json
import math
import os
import re
import signal
import socket
import threading
import time
from contextlib import closing, contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from nixdock.engine.connection import patience, shapes
from nixdock.engine.connection.address import Address, choose
from nixdock.engine.connection.client import connect
from nixdock.engine.connection.patience import Cut, Patience
from nixdock.engine.connection.refusals import EngineLateError, EngineUnreachableError
from nixdock.engine.connection.responses import ContainerDetails, ContainerSummary, ImageDetails, ImageSummary
from nixdock.errors import EngineError
from nixdock.image.extent import Extent
from nixdock.services.health import HealthCheck
from support.hostile import CONTAINER, DAMAGES, GOOD, IMAGE, VERSION, Hostile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.stream import Stream

Call = tuple[str, "Callable[[Engine], object]"]

JSON: dict[str, Call] = {
    "info": ("GET /info", lambda e: e.info),
    "version": ("GET /version", lambda e: _asked(e.answers())),
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
    "exec inspect": ("GET /exec/.+/json", lambda e: e.find_exec("e")),
    "networks": ("GET /networks", lambda e: e.networks(labels=["a"])),
    "network create": ("POST /networks/create", lambda e: e.create_network("n", labels={})),
    "volumes": ("GET /volumes", lambda e: e.volumes(labels=["a"])),
}
"""Calls whose answer must have a shape."""

SILENT: dict[str, Call] = {
    "tag": ("POST /images/.+/tag", lambda e: e.tag_image("box:1", "box", "2")),
    "delete image": ("DELETE /images/.+", lambda e: e.remove_image("box:1")),
    "start": ("POST /containers/.+/start", lambda e: e.start_container("c")),
    "kill": ("POST /containers/.+/kill", lambda e: e.kill_container("c")),
    "stop": ("POST /containers/.+/stop", lambda e: e.stop_container("c", grace=0)),
    "delete": ("DELETE /containers/.+", lambda e: e.remove_container("c")),
    "resize": ("POST /containers/.+/resize", lambda e: e.resize_container("c", rows=1, columns=1)),
    "put archive": ("PUT /containers/.+/archive", lambda e: e.put_archive("c", "/", b"tar")),
    "exec resize": ("POST /exec/.+/resize", lambda e: e.resize_exec("e", rows=1, columns=1)),
    "network delete": ("DELETE /networks/.+", lambda e: e.remove_network("n")),
    "volume delete": ("DELETE /volumes/.+", lambda e: e.remove_volume("v")),
}
"""Calls whose answer says nothing: whatever comes with a good status will do."""

STREAMS: dict[str, Call] = {
    "load": ("POST /images/load", lambda e: list(e.load([b"tar"], size=3))),
    "load in chunks": ("POST /images/load", lambda e: list(e.load([b"tar"]))),
    "save": ("GET /images/get", lambda e: list(e.save(["box:1"]))),
    "logs": ("GET /containers/.+/logs", lambda e: _read(e.logs("c", tty=False))),
    "get archive": ("GET /containers/.+/archive", lambda e: list(e.get_archive("c", "/"))),
    "attach": ("POST /containers/.+/attach", lambda e: _read(e.attach("c", tty=False))),
    "exec start": ("POST /exec/.+/start", lambda e: _read(e.start_exec("e"))),
}
"""Calls whose answer goes on: what it holds is looked at by whoever reads it."""

CALLS = JSON | SILENT | STREAMS
LONG = ("load", "load in chunks", "save", "logs", "get archive", "commit")
REFUSALS = ("500", "refused list", "refused null", "refused number", "redirect", "garbage")
ALLOWED = {("changes", "null")}
"""Answers that an engine does give."""


def _asked(answers: bool) -> None:
    if not answers:
        raise EngineError("it does not answer")


def _read(stream: Stream) -> list[tuple[int, bytes]]:
    with closing(stream):
        return list(stream.read())


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "ANSWER", 0.15)
    monkeypatch.setattr(patience, "LABOUR", 0.3)
    monkeypatch.setattr(patience, "PING_PAUSE", 0.05)
    monkeypatch.setattr(patience, "PING", 0.15)


def _be_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut nothing that answers, however busy the machine is."""
    for name in ("ANSWER", "LABOUR", "PING"):
        monkeypatch.setattr(patience, name, 15.0)


@contextmanager
def reached(hostile: Hostile) -> Iterator[Engine]:
    """Connect with patience: only what follows is to be cut soon."""
    with pytest.MonkeyPatch.context() as patch:
        _be_patient(patch)
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


@pytest.mark.sampled(4)
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", CALLS)
def test_every_call_ends_with_one_sentence(
    name: str, damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attacked, call = CALLS[name]
    if damage != "stall":
        _be_patient(monkeypatch)
    with Hostile(tmp_path / "s", "", "stall") as hostile, reached(hostile) as engine:
        hostile.attacked, hostile.damage = attacked, damage
        if damage == "stall" and name in LONG:
            engine.limit(0.1)
        # What other tests have left, collected where the stack has no room left, would end this one.
        gc.collect()
        came = call_in_time(call, engine)

    if isinstance(came, BaseException):
        assert isinstance(came, EngineError), repr(came)
        assert came.exit_code == (124 if damage == "stall" and name in LONG else 125)
        assert came.message
        assert "\n" not in came.message
    must_fail = name in JSON or damage in {"stall", *REFUSALS}
    if must_fail and (name, damage) not in ALLOWED and not (damage == "refused null" and came is None):
        assert isinstance(came, EngineError), repr(came)
    if (
        name in JSON
        and name != "version"
        and damage in {"wrong", "empty", "null", "list", "nothing", "deep", "bytes"}
    ):
        assert (name, damage) in ALLOWED or "the engine answered nonsense to " in str(came)


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_engine_that_answers_nothing_sensible_is_not_connected_to(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if damage != "stall":
        _be_patient(monkeypatch)
    with Hostile(tmp_path / "s", "GET /version", damage) as hostile, pytest.raises(EngineError) as caught:
        connect(at(hostile), environ={})
    assert caught.value.exit_code == 125


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


def test_a_long_call_never_ends_by_its_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PING", 10.0)
    with Hostile(tmp_path / "s", "", "stall") as hostile, reached(hostile) as engine:
        stream, wait = engine.attach("c", tty=False), engine.wait_container("c")
        time.sleep(1.0)
        engine.start_container("c")
        assert _read(stream) == [(1, b"hi\n")]
        assert wait() == 0
        assert sum("/_ping" in asked for asked in hostile.asked) > 1


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

    monkeypatch.setattr(patience, "ANSWER", 5.0)
    (tmp_path / "layer").write_bytes(b"layer")
    with Hostile(tmp_path / "s", "", "stall") as hostile, reached(hostile) as engine:
        descriptor = os.open(tmp_path / "layer", os.O_RDONLY)
        for _ in range(2):
            list(engine.load([Noted(descriptor, 0, 5, "layer")], size=5))
        os.close(descriptor)
    assert limits == [None, None]


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


def test_the_time_for_all_holds_over_many_calls(tmp_path: Path) -> None:
    with (
        Hostile(tmp_path / "s", "GET /info", "stall") as hostile,
        connect(at(hostile), environ={}, seconds=0.05) as engine,
    ):
        engine.limit(0.05)
        with pytest.raises(EngineLateError) as caught:
            _ = engine.info
        assert caught.value.exit_code == 124
        with pytest.raises(EngineLateError):
            engine.images()
        with engine.cleaning():
            assert engine.images()
        engine.renew()
        assert engine.images()


def test_cleaning_up_has_an_end_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "ANSWER", 30.0)
    monkeypatch.setattr(patience, "CLEANING", 0.2)
    monkeypatch.setattr(patience, "_LAST_WORD", 0.1)
    with Hostile(tmp_path / "s", "DELETE /containers/.+", "stall") as hostile, connect(at(hostile)) as engine:

        def clean(engine: Engine) -> None:
            with engine.cleaning():
                engine.remove_container("c")

        assert isinstance(call_in_time(clean, engine), EngineUnreachableError)


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
    monkeypatch.setattr(patience, "ANSWER", 20.0)
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
        assert wait.reason is Cut.SILENT
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


WRONG: tuple[Any, ...] = (5, 1.5, "text", True, [5], [None], {"a": 5}, {})
READERS: dict[str, tuple[object, Any, Callable[[Any], object]]] = {
    "image": (shapes.IMAGE, IMAGE, ImageDetails.from_json),
    "container": (
        shapes.CONTAINER,
        CONTAINER,
        lambda raw: [
            (details := ContainerDetails.from_json(raw)).ports,
            details.last_probe,
            details.stop_timeout,
            details.labels.get("a"),
            HealthCheck.of(details),
        ],
    ),
    "containers": (
        shapes.CONTAINERS,
        [
            {
                "Id": "c",
                "Names": ["/c"],
                "Image": "i",
                "ImageID": "i",
                "State": "running",
                "Labels": {"a": "b"},
            }
        ],
        lambda raw: [ContainerSummary.from_json(one).labels.get("a") for one in raw],
    ),
    "images": (
        shapes.IMAGES,
        [{"Id": "i", "RepoTags": ["a:b"], "Created": 1, "Size": 1, "Labels": {"a": "b"}}],
        lambda raw: [ImageSummary.from_json(one).tags for one in raw],
    ),
    "version": (
        shapes.VERSION,
        VERSION,
        lambda raw: [one.get("Name") for one in raw.get("Components") or ()],
    ),
}


def _mutations(value: Any) -> Iterator[Any]:
    """Yield a value with each of its parts replaced by something else."""
    yield from (*WRONG, None)
    if isinstance(value, dict):
        for key in value:
            for other in _mutations(value[key]):
                yield {**copy.deepcopy(value), key: other}
            yield {name: copy.deepcopy(item) for name, item in value.items() if name != key}
    elif isinstance(value, list):
        for number, item in enumerate(value):
            for other in _mutations(item):
                yield [*value[:number], other, *value[number + 1 :]]


@pytest.mark.parametrize("name", READERS)
def test_no_part_of_an_answer_is_believed_blindly(name: str) -> None:
    shape, good, read = READERS[name]
    shapes.check(good, shape, "GET /x")
    read(good)
    rows = 0
    for mutated in _mutations(good):
        rows += 1
        try:
            shapes.check(mutated, shape, "GET /x")
        except EngineError as error:
            assert error.message.startswith("the engine answered nonsense to GET /x: ")  # noqa: PT017
            continue
        read(mutated)
    assert rows > 50


def test_the_good_answers_are_good() -> None:
    assert len(CALLS) * len(DAMAGES) > 34 * 7
    for _, _, answer in GOOD:
        json.dumps(answer)
