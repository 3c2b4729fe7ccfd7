"""What cannot be loaded: one sentence, the right status, and an engine that is as it was."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from nixdock.image.reference import Digest
from support import archives
from support.archives import Sample, docker_archive, docker_archive_entries, layer, oci_entries, runnable
from support.layers import hardlink, tar_of

from .conftest import Loader
from .fragile import fragile


def refuse(load: Loader, *words: str | Path, stdin: bytes = b"") -> str:
    """Load what cannot be loaded; return the one line that says why."""
    before = load.images()
    done = load.program("load", *words, stdin=stdin)
    assert done.status == 121, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert load.images() == before
    lines = [line for line in done.stderr.splitlines() if line.startswith("nixdock: ")]
    assert len(lines) == 1, done.stderr
    sentence: str = lines[0].removeprefix("nixdock: ")
    return sentence


def damaged(sample: Sample, number: int) -> archives.Entries:
    """Return a docker-archive in which one layer has other bytes than the config says."""
    name = f"{sample.diff_ids[number].hex}/layer.tar"
    changed = bytearray(sample.layers[number])
    changed[600] ^= 1
    return [(key, bytes(changed) if key == name else data) for key, data in docker_archive_entries(sample)]


@pytest.mark.parametrize("codec", ["none", "gzip"])
def test_a_layer_with_a_wrong_digest(codec: str, load: Loader, salt: bytes) -> None:
    sample = runnable(layer("salt", content=salt * 100), layer("top", content=salt))
    data = archives.COMPRESSORS[codec](archives.tar(damaged(sample, 1)))
    assert "a layer is damaged: its bytes have the digest" in refuse(load, load.write(data))


def test_an_oci_layer_with_a_wrong_diff_id(load: Loader, salt: bytes) -> None:
    """The blob is what its digest says, but it is not what the config says."""
    sample, other = runnable(layer("salt", content=salt)), runnable(layer("salt", content=salt[::-1]))
    entries = dict(oci_entries(other, layer_codec="gzip"))
    config = other.config_bytes.replace(other.diff_ids[1].hex.encode(), sample.diff_ids[1].hex.encode())
    document = json.loads(entries[manifest_name(entries)])
    document["config"] = archives.descriptor(f"{archives.OCI}.config.v1+json", config)
    manifest = json.dumps(document).encode()
    described = archives.descriptor(f"{archives.OCI}.manifest.v1+json", manifest)
    entries |= dict(archives.layout_files({"manifests": [described]}))
    entries |= {archives.blob_name(config): config, archives.blob_name(manifest): manifest}
    assert "damaged" in refuse(load, load.write(archives.tar(list(entries.items()))))


def manifest_name(entries: dict[str, bytes]) -> str:
    digest = json.loads(entries["index.json"])["manifests"][0]["digest"]
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"


def test_archives_that_are_none(load: Loader, salt: bytes) -> None:
    data = docker_archive(runnable(layer("salt", content=salt)))
    packed = gzip.compress(data, 1)
    for number, (content, words) in enumerate(
        [
            (data[: len(data) // 2], "is truncated"),
            (packed[: len(packed) // 2], "is truncated: its gzip data ends too early"),
            (packed[:1000] + bytes(1000) + packed[2000:], "is damaged: its gzip data cannot be decompressed"),
            (b"", "is empty"),
            (b"no image\n", "is no image but text"),
            (gzip.compress(bytes(200_000_000), 1), "is compressed, but what is in it is no image archive"),
        ]
    ):
        assert words in refuse(load, load.write(content, f"image-{number}"))
        assert words in refuse(load, stdin=content).replace("standard input", "it")


def test_missing_files_are_usage_or_said(load: Loader) -> None:
    done = load.program("load", "./none.tar")
    assert done.status == 2
    assert "there is no file './none.tar'" in done.stderr
    assert refuse(load, "-i", "none.tar").endswith("none.tar does not exist")


def test_too_many_layers_are_explained(load: Loader, salt: bytes) -> None:
    """Graph drivers stack 125 at most; the others take any number."""
    sample = Sample(tuple(layer(f"{n}", content=salt) for n in range(130)), ("many:1",))
    path = load.write(docker_archive(sample))
    if load.engine.name in {"docker-20", "docker-28"}:
        assert refuse(load, path) == "many:1 has more layers than the engine can stack"
    else:
        assert load(path)[0]["layers"] == 130


@pytest.mark.parametrize("name", ["docker-20", "docker-28", "docker-28-containerd"])
def test_a_full_disk_is_said_and_the_next_load_works(name: str, nixdock: Any, tmp_path: Path) -> None:
    large = runnable(layer("large", content=os.urandom(150_000_000)), tags=("large:1",))
    small = runnable(layer("small"), tags=("small:1",))
    for sample in (large, small):
        (tmp_path / sample.tags[0]).write_bytes(docker_archive(sample))
    with fragile(name, disk=128 << 20) as engine:
        program = nixdock.at(engine.engine)
        done = program("load", tmp_path / "large:1")
        assert done.status == 121, done.stderr
        assert "nixdock: the engine has no room left for large:1" in done.stderr
        assert engine.engine.docker("images", "--quiet") == ""
        assert engine.leftovers() == []
        done = program("load", tmp_path / "small:1")
        assert done.status == 0, done.stderr


def test_a_read_only_or_damaged_cache_only_costs_time(load: Loader, salt: bytes, tmp_path: Path) -> None:
    path = load.write(docker_archive(runnable(layer("salt", content=salt), tags=("cache:1",)), codec="gzip"))
    (tmp_path / "a-file").write_bytes(b"")
    broken = {"NIXDOCK_CACHE_DIR": str(tmp_path / "a-file"), "NIXDOCK_STATE_DIR": str(tmp_path / "a-file")}
    rubbish = tmp_path / "rubbish"
    rubbish.mkdir()
    for name in ("artefacts.sqlite", "engines.sqlite"):
        (rubbish / name).write_bytes(b"rubbish" * 1000)
    damaged = {"NIXDOCK_CACHE_DIR": str(rubbish), "NIXDOCK_STATE_DIR": str(rubbish)}
    for environment in (broken, broken, damaged, damaged):
        done = load.program("load", path, env=environment)
        assert (done.status, done.stdout) == (0, "Loaded image: cache:1\n"), done.stderr


def test_a_config_that_no_engine_can_read_is_not_sent(load: Loader, salt: bytes) -> None:
    """A containerd store would take it, and forget what is in it."""
    sample = Sample((layer("salt", content=salt),), config={"Cmd": ["/x"], "Env": 5})
    sentence = "the image's config cannot be read: config.Env is a number, and must be a list of texts"
    assert refuse(load, stdin=docker_archive(sample)) == sentence


def test_a_command_that_is_a_text_is_one_word_where_the_engine_reads_it(load: Loader, salt: bytes) -> None:
    sample = Sample((archives.program_layer(), layer("salt", content=salt)), config={"cmd": "/bin/busybox"})
    archive = load.write(docker_archive(sample))
    if load.engine.name in {"docker-20", "docker-28"}:
        load(archive)
        assert load.says("sample:1").startswith("BusyBox")
    else:
        assert refuse(load, archive) == (
            "config.Cmd of sample:1 is a text, and this engine reads lists of words only"
        )


def test_what_no_engine_can_unpack_is_told_with_its_layer_and_path(load: Loader, salt: bytes) -> None:
    """A hard link to a file of the layer below: nobody has removed anything, and no other try helps."""
    top = tar_of([hardlink("b", "etc/a")])
    data = docker_archive(Sample((layer("etc/a", content=salt), top)))
    sentence = (
        f"the layer {Digest.of(top)} of sample:1 cannot be unpacked: "
        "/b is a hard link to /etc/a, which does not stand before it in the same layer"
    )
    assert refuse(load, stdin=data) == sentence
    if load.engine.name == "docker-28-containerd":
        # docker itself leaves an image behind, which looks whole.
        load.engine.docker("load", stdin=data)
        assert refuse(load, stdin=data) == sentence
