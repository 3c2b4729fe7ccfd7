"""What loading costs: bytes that are read, requests that are made, layers that are sent."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nixdock.engine.connection.address import choose
from nixdock.engine.connection.api import Engine, connect
from nixdock.engine.connection.client import Connection
from nixdock.engine.loading.ledger import Ledger
from nixdock.engine.loading.ledger import open_database as open_ledger
from nixdock.engine.loading.load import LoadedImage, load_image
from nixdock.formats import open_images
from nixdock.formats.memory import Memory, open_database
from support.archives import docker_archive, layer, runnable, tar

from .conftest import Loader

FEW = 10
MANY = 300
MANY_ON_PODMAN = 60
"""Podman takes a third of a second to remove an image, and the test is to leave it empty."""


class Thrift:
    """Loads in this process, and counts."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.memory = Memory(open_database(folder / "cache"))
        self.ledger = Ledger(engine, open_ledger(folder / "state"))
        self.engine = engine
        self.bytes_read = 0
        self.bytes_passed = 0
        self.requests: list[str] = []
        self.holds: list[int] = []

    def __call__(self, path: Path) -> LoadedImage:
        self.bytes_read = self.bytes_passed = 0
        self.requests.clear()
        self.holds.clear()
        (image,) = open_images(path, memory=self.memory)
        return load_image(self.engine, image, ledger=self.ledger, hold=self.hold)

    def hold(self) -> bool:
        """Note how much had been read when the artefact was to be held."""
        self.holds.append(self.bytes_read + self.bytes_passed)
        return False


@pytest.fixture
def thrift(load: Loader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Thrift]:
    """A loader that counts the bytes of artefacts that it reads or has sent unread, and its requests."""
    with connect(choose(host=load.engine.host)) as engine:
        counted = Thrift(tmp_path, engine)
        read = os.preadv

        def preadv(descriptor: int, buffers: list[Any], offset: int) -> int:
            count = read(descriptor, buffers, offset)
            counted.bytes_read += count
            return count

        ask: Any = Connection._ask

        def watched(self: Connection, method: str, path: str, *words: Any, **options: Any) -> Any:
            # A sign of life is asked for by the clock, ten seconds into a load: that is the machine's affair.
            if path != "/_ping":
                counted.requests.append(f"{method} {path}")
            return ask(self, method, path, *words, **options)

        send = os.sendfile

        def sendfile(out: int, descriptor: int, offset: int, count: int) -> int:
            sent = send(out, descriptor, offset, count)
            counted.bytes_passed += sent
            return sent

        monkeypatch.setattr(os, "preadv", preadv)
        monkeypatch.setattr(os, "sendfile", sendfile)
        monkeypatch.setattr(Connection, "_ask", watched)
        yield counted


@pytest.mark.parametrize("codec", ["none", "gzip"])
def test_what_is_there_is_not_read_again(codec: str, load: Loader, thrift: Thrift, salt: bytes) -> None:
    large = layer("large", content=os.urandom(4_000_000) + salt)
    path = load.write(docker_archive(runnable(large, tags=("thrift:1",)), codec=codec))
    assert not thrift(path).was_there
    assert thrift.bytes_read + thrift.bytes_passed > 4_000_000
    # No layer is read before the artefact is held; a compressed one is looked through to be opened at all.
    assert codec == "gzip" or thrift.holds[0] < 2_000_000
    assert thrift.holds
    # What stands in the file as it is sent, the kernel sends from there; before it the headers are read.
    assert (thrift.bytes_read < 2_000_000) == (codec == "none")
    assert thrift(path).was_there
    assert thrift.holds == []
    # What it is, and for a plain archive its manifest and config: none of it grows with the image.
    assert thrift.bytes_read + thrift.bytes_passed < 300_000
    assert len(thrift.requests) <= 3


def test_only_what_is_sent_is_read(load: Loader, thrift: Thrift, salt: bytes) -> None:
    """A relative of what is there: its headers are walked through, and one layer is read."""
    large = [layer(f"large-{n}", content=os.urandom(2_000_000) + salt) for n in range(4)]
    paths = []
    for number in range(2):
        top = layer("top", content=salt + bytes([number]))
        sample = runnable(*large, top, tags=("relative:1",))
        paths.append(load.write(docker_archive(sample), f"{number}.tar"))
    thrift(paths[0])
    assert thrift(paths[1]).sent_layers == 1
    assert thrift.bytes_read + thrift.bytes_passed < 4_000_000


def test_the_number_of_images_on_the_engine_does_not_matter(
    load: Loader, thrift: Thrift, salt: bytes
) -> None:
    def count(name: str) -> int:
        sample = runnable(layer("x", content=salt + name.encode()), tags=(f"{name}:1",))
        assert not thrift(load.write(docker_archive(sample))).was_there
        return len(thrift.requests)

    fill(load, salt, FEW)
    # As many relatives as are ever looked at: what is counted afterwards differs in the others only.
    for number in range(4):
        count(f"relative-{number}")
    few = count("few")
    fill(load, salt, MANY_ON_PODMAN if load.engine.name == "podman" else MANY)
    assert count("many") == few
    assert few <= 12


def fill(load: Loader, salt: bytes, images: int) -> None:
    """Give the engine many small images."""
    base = layer("tiny", content=salt)
    documents, entries = [], [("layer.tar", base)]
    for number in range(images):
        sample = runnable(tags=(f"tiny-{number}:1",), says=str(number))
        config = json.loads(sample.config_bytes)
        config["rootfs"]["diff_ids"] = [str(runnable(base).diff_ids[1])]
        entries.append((f"{number}.json", json.dumps(config).encode()))
        documents.append({"Config": f"{number}.json", "RepoTags": list(sample.tags), "Layers": ["layer.tar"]})
    entries.append(("manifest.json", json.dumps(documents).encode()))
    load.engine.docker("load", stdin=tar(entries))


def test_of_relatives_that_have_as_much_in_common_one_is_asked_for(
    load: Loader, thrift: Thrift, salt: bytes
) -> None:
    base = layer("base", content=os.urandom(100_000) + salt)
    relatives = []
    for number in range(4):
        sample = runnable(base, layer("top", content=salt + bytes([number])), tags=(f"kin-{number}:1",))
        relatives.append(thrift(load.write(docker_archive(sample), f"{number}.tar")))
    assert relatives[-1].sent_layers == 1
    known = [image.engine_id for image in relatives[:-1]]
    # On Podman a question about an image is two requests.
    asked = {one for one in known if any(one in request for request in thrift.requests)}
    assert len(asked) == 1, asked


def test_layers_that_another_program_loaded_are_found(load: Loader, thrift: Thrift, salt: bytes) -> None:
    """By asking: the zero-layer probe on graph drivers, the index of manifests on containerd's store.

    Podman has no request that tells; there everything is sent once, and known from then on.
    """
    large = layer("large", content=os.urandom(20_000_000) + salt)
    paths = []
    for number in range(2):
        sample = runnable(large, layer("top", content=salt + bytes([number])), tags=(f"other:{number}",))
        paths.append(load.write(docker_archive(sample), f"{number}.tar"))
    load.engine.docker("load", stdin=paths[0].read_bytes())
    loaded = thrift(paths[1])
    assert (loaded.sent_layers, loaded.layers) == (3 if load.engine.name == "podman" else 1, 3)
    # The probe leaves nothing behind.
    assert "nixdock.invalid" not in load.engine.docker("images")
    assert load.says("other:1") == "hello"
