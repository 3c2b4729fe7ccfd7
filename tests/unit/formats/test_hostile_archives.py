"""Archives that mean harm: each ends with one sentence, takes little memory, and has nothing else read."""

from __future__ import annotations

import io
import json
import os
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from nixdock.errors import LoadError
from nixdock.formats import open_images
from nixdock.formats.memory import Memory, open_database
from nixdock.image.manifest import Platform
from nixdock.image.model import Image
from support.archives import (
    COMPRESSORS,
    oci_entries,
    write_folder,
)

from .hostile_archives import ROWS, SAMPLE, described, docker, header, oci

MEMORY = 200 * 1024 * 1024
"""Bytes that no archive may make nixdock hold, however small it is itself."""


OPENED: list[str] = []
WATCHING: list[bool] = []


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    if (
        WATCHING
        and event == "open"
        and isinstance(arguments[0], str)
        and not arguments[0].endswith((".py", ".pyc"))
    ):
        OPENED.append(os.path.realpath(arguments[0]))


sys.addaudithook(watch)


def read_all(path: Path, memory: Memory) -> tuple[Image, ...]:
    images = open_images(path, memory=memory, platform=Platform("linux", "amd64"))
    for image in images:
        for one in image.layers:
            with one.open() as stream:
                while stream.read(1 << 20):
                    pass
    return images


@pytest.mark.sampled(2)
@pytest.mark.parametrize("row", ROWS)
def test_an_archive_that_means_harm_ends_with_a_sentence(row: str, tmp_path: Path) -> None:
    make, words = ROWS[row]
    path = tmp_path / "archive"
    path.write_bytes(make())
    memory = Memory(open_database(tmp_path / "cache"))
    tracemalloc.start()
    WATCHING.append(True)
    try:
        with pytest.raises(LoadError, match=words) as caught:
            read_all(path, memory)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        WATCHING.clear()
        opened = {
            name for name in OPENED if not name.startswith((str(tmp_path), sys.prefix, sys.base_prefix))
        }
        OPENED.clear()
        tracemalloc.stop()
    assert opened == set()
    assert caught.value.exit_code == 121
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 1500
    assert peak < MEMORY


def test_an_image_that_is_listed_20000_times_is_one_image(tmp_path: Path) -> None:
    """Which took 3 GB: a config was read for each."""
    config = {"rootfs": {"diff_ids": []}, "x": "x" * 150_000}
    names = [f"sample:{n}" for n in range(1000)]
    listed = [{"Config": "c", "RepoTags": names[n : n + 1], "Layers": []} for n in range(20_000)]
    path = tmp_path / "archive"
    path.write_bytes(docker(listed, c=json.dumps(config).encode()))
    memory = Memory(open_database(tmp_path / "cache"))
    tracemalloc.start()
    try:
        (image,) = open_images(path, memory=memory)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [reference.familiar for reference in image.references] == names
    assert peak < MEMORY / 4


def test_an_image_with_many_names_in_an_index_is_read_once(tmp_path: Path) -> None:
    names = [f"docker.io/library/sample:{n}" for n in range(2000)]
    index = {"manifests": [described(annotations={"io.containerd.image.name": name}) for name in names]}
    path = tmp_path / "archive"
    path.write_bytes(oci(index))
    (image,) = open_images(path, memory=Memory(open_database(tmp_path / "cache")))
    assert [str(reference) for reference in image.references] == names


def test_a_layout_with_pipes_and_links_is_not_waited_for(tmp_path: Path) -> None:
    """In a folder: what is no file of its own is no blob."""
    entries = dict(oci_entries(SAMPLE))
    blobs = [name for name in entries if name.startswith("blobs/")]
    for number, blob in enumerate(["index.json", "oci-layout", *blobs]):
        folder = write_folder(tmp_path / str(number), list(entries.items()))
        (folder / blob).unlink()
        outside = f"{tmp_path}/9/outside"
        for target in ("/dev/zero", "/proc/self/environ", Path(blob).name, outside, None, ""):
            if target:
                (folder / blob).symlink_to(target)
            else:
                (os.mkfifo if target is None else os.mkdir)(folder / blob)
            (tmp_path / "9").mkdir(exist_ok=True)
            (tmp_path / "9" / "outside").write_bytes(entries[blob])
            with pytest.raises(LoadError) as caught:
                read_all(folder, Memory(open_database(tmp_path / "cache")))
            assert "\n" not in caught.value.message
            path = folder / blob
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def test_a_stream_that_means_harm_ends_as_a_file_does(tmp_path: Path) -> None:
    """Standard input: nothing that it holds is a script, a conf or a plan."""
    for data in (
        b"#!/bin/sh\ntouch ran\n",
        json.dumps({"image-config": {}, "layers": []}).encode(),
        COMPRESSORS["gzip"](b"#!/bin/sh\ntouch ran\n"),
        header("x", b"L", 1 << 30, b"x"),
    ):
        with pytest.raises(LoadError):
            open_images(io.BytesIO(data), memory=Memory(open_database(tmp_path / "cache")))
