"""Loads that are cut off, engines that die, and others at work at the same time."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import pytest

from nixdock.engine.connection.address import choose
from nixdock.engine.connection.api import connect
from nixdock.engine.loading.ledger import Ledger
from nixdock.engine.loading.ledger import open_database as open_ledger
from nixdock.engine.loading.load import load_image
from nixdock.formats import open_images
from nixdock.formats.memory import Memory, open_database
from nixdock.image.model import Image, OpenerLayer
from support.archives import Sample, docker_archive, layer, runnable

from .conftest import Loader
from .fragile import FragileEngine, fragile

SIZE = 40_000_000

KILLS = 20
KILLED_SIZE = 8_000_000
NAMES = "{{.Repository}}:{{.Tag}}"


def large(salt: bytes, tag: str, size: int = SIZE) -> Sample:
    """Return an image that takes a while to load."""
    half = size // 2
    layers = [layer(f"large-{n}", content=random.Random(salt + bytes([n])).randbytes(half)) for n in range(2)]
    return runnable(layers[0], layer("small", content=salt), layers[1], tags=(tag,), says="whole")


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


class _Cut(io.RawIOBase):
    """A stream that ends in an interrupt."""

    def __init__(self, stream: IO[bytes], left: int) -> None:
        super().__init__()
        self.stream = stream
        self.left = left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if self.left <= 0:
            raise KeyboardInterrupt
        data = self.stream.read(min(len(buffer), self.left))
        self.left -= len(data)
        buffer[: len(data)] = data
        return len(data)


def cut(image: Image, number: int, offset: int) -> Image:
    """Return the same image, of which one layer is interrupted after so many bytes."""
    layers = list(image.layers)
    whole = layers[number]

    def opener() -> IO[bytes]:
        return io.BufferedReader(_Cut(whole.open(), offset))

    layers[number] = OpenerLayer(whole.diff_id, whole.size, opener, position=whole.position)
    return replace(image, layers=tuple(layers))


def test_an_interrupt_at_any_byte_leaves_nothing(load: Loader, salt: bytes, tmp_path: Path) -> None:
    sample = large(salt, "cut:1", 3_000_000)
    memory = Memory(open_database(tmp_path / "cache"))
    (image,) = open_images(load.write(docker_archive(sample)), memory=memory)
    spool = Path("/var/tmp")
    before = set(spool.iterdir())
    with connect(choose(host=load.engine.host)) as engine:
        ledger = Ledger(engine, open_ledger(tmp_path / "state"))
        for number, offset in (
            (0, 0),
            (0, 1),
            (0, 512),
            (1, 700_000),
            (1, 1_499_000),
            (2, 1),
            (3, 1_400_000),
        ):
            with pytest.raises(KeyboardInterrupt):
                load_image(engine, cut(image, number, offset), ledger=ledger)
            assert wait_for(lambda: load.images() == set())
        # The engine takes the next load, by the same connection even.
        loaded = load_image(engine, image, ledger=ledger)
        assert loaded.sent_layers == len(image.layers)
    assert load.says("cut:1") == "whole"
    temporary = load.engine.root / "data" / "tmp"
    assert wait_for(lambda: not list(temporary.glob("docker-import-*")))
    assert wait_for(lambda: not [path for path in set(spool.iterdir()) - before if "load" in path.name])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_it_and_the_next_load_works(number: signal.Signals, load: Loader, salt: bytes) -> None:
    path = Path()
    for delay in (0.0, 0.05, 0.15):
        # Another image each time: what an engine has received in full it may finish, a whole image.
        path = load.write(docker_archive(large(salt + str(delay).encode(), "signalled:1")))
        process = start(load, path)
        time.sleep(delay)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        status = -number if number == signal.SIGKILL else 128 + number
        assert process.returncode in {status, 0}, err
        assert b"Traceback" not in err
    wait_for(lambda: not list((load.engine.root / "data" / "tmp").glob("docker-import-*")))
    (loaded,) = load(path)
    assert loaded["layers"] == 4
    assert load.says("signalled:1") == "whole"


def start(load: Loader, path: Path) -> subprocess.Popen[bytes]:
    """Start a load and return it when it has begun to send."""
    process: subprocess.Popen[bytes] = load.program.start("load", "--progress", "json", path)
    await_sending(process)
    return process


def await_sending(process: subprocess.Popen[bytes]) -> None:
    assert process.stderr is not None
    told = []
    for line in process.stderr:
        told.append(line)
        if line.startswith(b"{") and json.loads(line).get("kind") == "send":
            return
    raise AssertionError(told)


@pytest.mark.slow
def test_the_same_image_by_many_at_once(load: Loader, salt: bytes) -> None:
    sample = large(salt, "crowd:1")
    path = load.write(docker_archive(sample))
    for _ in range(3):
        processes = [load.program.start("load", path) for _ in range(3)]
        for process in processes:
            out, err = process.communicate(timeout=120)
            assert (process.returncode, out) == (0, b"Loaded image: crowd:1\n"), err
        assert load.says("crowd:1") == "whole"
        load.remove_all()


@pytest.mark.slow
def test_a_prune_at_the_same_time_is_survived(load: Loader, salt: bytes) -> None:
    """Layers that were there when it was asked may be gone when the archive has come."""
    first = large(salt, "pruned:1", 6_000_000)
    paths = [load.write(docker_archive(first), "first.tar")]
    for number in range(2):
        changed = replace(first, layers=(*first.layers[:-1], layer("top", content=salt + bytes([number]))))
        paths.append(load.write(docker_archive(changed), f"{number}.tar"))
    stop = threading.Event()

    def prune() -> None:
        while not stop.is_set():
            subprocess.run(
                ["docker", "image", "prune", "--force", "--all"],
                env={**os.environ, "DOCKER_HOST": load.engine.host},
                capture_output=True,
                check=False,
            )

    thread = threading.Thread(target=prune)
    thread.start()
    failed = []
    try:
        for _ in range(4):
            for path in paths:
                done = load.program("load", path)
                if done.status != 0:
                    failed.append(done.stderr)
    finally:
        stop.set()
        thread.join()
    # An image may be removed as soon as it is there: three times in a row is bad luck, and said.
    unexplained = [text for text in failed if "somebody may be removing images" not in text]
    assert not unexplained, "\n".join(unexplained)
    for path in paths:
        load(path)
        assert load.says("pruned:1") == "whole"


@pytest.fixture(params=["docker-20", "docker-28", "docker-28-containerd"])
def mortal(request: pytest.FixtureRequest) -> Iterator[FragileEngine]:
    """An engine that can be killed."""
    with fragile(request.param) as engine:
        yield engine


@pytest.mark.slow
def test_an_engine_that_dies_and_comes_back_gets_the_image(
    mortal: FragileEngine, nixdock: Any, tmp_path: Path, salt: bytes
) -> None:
    program = nixdock.at(mortal.engine)
    chance = random.Random(1)
    for number in range(7):
        tag = f"mortal:{number}"
        path = tmp_path / f"{number}.tar"
        path.write_bytes(docker_archive(large(salt + bytes([number]), tag)))
        process = program.start("load", "--progress", "json", path)
        await_sending(process)
        time.sleep(chance.uniform(0, 0.4))
        mortal.kill()
        time.sleep(0.2)
        mortal.start()
        out, err = process.communicate(timeout=120)
        assert (process.returncode, out) == (0, f"Loaded image: {tag}\n".encode()), err
        path.unlink()
    # Nothing was lost on the way: each image is there, and the layers it has can be read.
    for number in range(7):
        saved = mortal.engine.docker("inspect", "--format", "{{len .RootFS.Layers}}", f"mortal:{number}")
        assert saved.strip() == "4"
        mortal.engine.docker("create", f"mortal:{number}")


@pytest.mark.slow
def test_twenty_kills_at_any_moment_lose_nothing(
    mortal: FragileEngine, nixdock: Any, tmp_path: Path, salt: bytes
) -> None:
    """While the program starts, asks, probes, sends, verifies, or has just ended."""
    program = nixdock.at(mortal.engine)
    whole = large(salt, "base:1", KILLED_SIZE)
    base = tmp_path / "base.tar"
    base.write_bytes(docker_archive(whole))
    begun = time.monotonic()
    assert program("load", base).status == 0
    usual = time.monotonic() - begun
    met = 0
    chance = random.Random(2)
    for number in range(KILLS):
        tag = f"killed:{number}"
        # Every other one shares layers with what is there, so that it is asked what is missing.
        kept = whole.layers[1:-1] if number % 2 else ()
        top = layer("top", content=random.Random(salt + bytes([number])).randbytes(KILLED_SIZE // 2))
        sample = runnable(*kept, top, tags=(tag,), says="whole")
        path = tmp_path / f"{number}.tar"
        path.write_bytes(docker_archive(sample))

        process = program.start("load", "--progress", "json", path)
        if number % 4 < 2:
            time.sleep(chance.uniform(0, usual))
        else:
            await_sending(process)
            time.sleep(chance.uniform(0, 0.2))
        mortal.kill()
        mortal.start()
        out, err = process.communicate(timeout=120)
        met += b"waiting for the engine to come back" in err
        if process.returncode == 0:
            assert out == f"Loaded image: {tag}\n".encode(), err
        else:
            assert process.returncode in {121, 125}, err
            assert out == b""
            assert len([line for line in err.splitlines() if line.startswith(b"nixdock: ")]) == 1, err
            assert b"Traceback" not in err
        again = program("load", path)
        assert again.status == 0, again.stderr
        layers = mortal.engine.docker("inspect", "--format", "{{len .RootFS.Layers}}", tag)
        assert int(layers) == len(sample.layers)
    # Those came in the middle of a request; the others before the first or after the last one.
    assert met >= 3
    # Nothing is lost, and nothing half there: every image can be read to its end, and made a container of.
    names = ["base:1", *(f"killed:{number}" for number in range(KILLS))]
    assert sorted(mortal.engine.docker("images", "--format", NAMES).split()) == sorted(names)
    for name in names:
        mortal.engine.docker("save", "--output", tmp_path / "saved.tar", name)
        mortal.engine.docker("create", name)
    assert wait_for(lambda: not mortal.leftovers())


@pytest.mark.slow
def test_an_engine_that_stays_away_is_said(nixdock: Any, tmp_path: Path, salt: bytes) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(docker_archive(large(salt, "gone:1")))
    with fragile("docker-20") as engine:
        process = nixdock.at(engine.engine).start("load", "--progress", "json", path)
        await_sending(process)
        engine.kill()
        _, err = process.communicate(timeout=120)
    assert process.returncode == 125, err
    assert b"waiting for the engine to come back" in err
