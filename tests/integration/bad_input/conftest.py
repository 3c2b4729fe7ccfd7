"""What the tests of paths in files stand on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from nixdock.formats.memory import Memory, open_database
from nixdock.image.reference import Digest
from support.archives import Sample, docker_archive, layer

from .place import NAMED, SECRET, Place, write_custom


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("place").resolve())
    for folder in (made.store, made.outside, made.given):
        folder.mkdir()
    # Everything that is worth having is there.
    (made.outside / "secret").write_bytes(SECRET)
    (made.outside / NAMED).write_bytes(SECRET)
    write_custom(made.outside / "custom")
    (made.outside / "layer.tar").write_bytes(layer("stolen", content=SECRET))
    (made.outside / "checksum").write_text(Digest.of(layer("stolen", content=SECRET)).hex)
    (made.outside / "image.tar").write_bytes(docker_archive(Sample((layer("stolen", content=SECRET),))))
    os.mkfifo(made.outside / "pipe")
    made.script(made.outside / "script")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NIX_STORE_DIR", str(made.store))
        for name in ("STATE", "LOG", "CONF", "LOCALSTATE"):
            patch.setenv(f"NIX_{name}_DIR", str(made.root / "nix"))
        patch.setenv("NIX_CONFIG", "build-users-group =")
        patch.delenv("NIX_REMOTE", raising=False)
        yield made


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(open_database(tmp_path / "cache"))
