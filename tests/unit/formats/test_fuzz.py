"""Mutated artefacts: a sentence or an image, never a crash, a hang or a full memory."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nixdock.errors import LoadError
from nixdock.formats import open_images
from nixdock.formats.memory import Memory, open_database
from support import archives
from support.archives import Sample, docker_archive, layer, oci_entries

SAMPLE = Sample((layer("a", content=b"text " * 300), layer("b")))
SEEDS = {
    "docker": docker_archive(SAMPLE),
    "docker, gzip": docker_archive(SAMPLE, codec="gzip"),
    "docker, zstd": docker_archive(SAMPLE, codec="zstd"),
    "docker, xz": docker_archive(SAMPLE, codec="xz"),
    "oci": archives.tar(oci_entries(SAMPLE, layer_codec="gzip")),
    "oci, gzip": archives.COMPRESSORS["gzip"](archives.tar(oci_entries(SAMPLE, layer_codec="zstd"))),
}
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

Edit = tuple[int, bytes, int]
EDITS = st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(max_size=8), st.integers(0, 600)), max_size=4)

MAGIC = [b"", b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd", b"{", b"["]

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=20)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def edit(data: bytes, edits: list[Edit]) -> bytes:
    """Overwrite, insert and remove bytes."""
    changed = bytearray(data)
    for place, new, removed in edits:
        start = place % (len(changed) + 1)
        changed[start : start + (removed if removed > 500 else len(new))] = new
    return bytes(changed)


def open_and_read(data: bytes, name: str = "image") -> None:
    """Read an artefact to its end, twice: the second time by what is remembered."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        memory = Memory(open_database(Path(folder) / "cache"))
        for _ in range(2):
            try:
                for image in open_images(path, memory=memory):
                    _ = image.config_digest
                    for one in image.layers:
                        with one.open() as stream:
                            while stream.read(1 << 16):
                                pass
            except LoadError as error:
                assert "\n" not in error.message  # noqa: PT017


@pytest.mark.parametrize("seed", SEEDS)
@QUICK
@given(edits=EDITS)
def test_edited_archives(seed: str, edits: list[Edit]) -> None:
    open_and_read(edit(SEEDS[seed], edits))


@QUICK
@given(
    data=st.binary(max_size=2000),
    magic=st.sampled_from([b"", b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd", b"{", b"["]),
)
def test_noise(data: bytes, magic: bytes) -> None:
    open_and_read(magic + data)


@QUICK
@given(manifest=JSON, config=JSON)
def test_any_json_as_manifest_and_config(manifest: Any, config: Any) -> None:
    entries = [("c", json.dumps(config).encode()), ("manifest.json", json.dumps(manifest).encode())]
    open_and_read(archives.tar(entries))
    document = [{"Config": "c", "RepoTags": None, "Layers": ["l"]}]
    entries[1] = ("manifest.json", json.dumps(document).encode())
    open_and_read(archives.tar([*entries, ("l", b"")]))


@QUICK
@given(index=JSON)
def test_any_json_as_index(index: Any) -> None:
    open_and_read(archives.tar(archives.layout_files(index)))
    open_and_read(archives.tar(archives.layout_files({"manifests": [index]})))


@QUICK
@given(value=JSON, key=st.sampled_from(["layers", "image-config", "version", "arch", "created"]))
def test_any_json_as_plan(value: Any, key: str) -> None:
    plan: dict[str, Any] = {"version": 1, "image-config": {}, "layers": [], "arch": "amd64"}
    open_and_read(json.dumps({**plan, key: value}).encode(), "image.json")
    open_and_read(json.dumps({**plan, "layers": [value]}).encode(), "image.json")
    described = {"diff_ids": f"sha256:{'0' * 64}", "size": 1, "paths": [{"path": "/none", "options": value}]}
    open_and_read(json.dumps({**plan, "layers": [described]}).encode(), "image.json")
    open_and_read(json.dumps({**plan, "layers": [{**described, "paths": value}]}).encode(), "image.json")


@QUICK
@given(
    value=JSON,
    key=st.sampled_from(["store_layers", "created", "mtime", "uid", "config", "repo_tag", "from_image"]),
)
def test_any_json_as_conf(value: Any, key: str) -> None:
    moment = "1970-01-01T00:00:01+00:00"
    conf: dict[str, Any] = {
        "architecture": "amd64",
        "config": {},
        "os": "linux",
        "store_dir": "/nix/store",
        "from_image": None,
        "store_layers": [],
        "customisation_layer": "/nix/store/none",
        "repo_tag": "a:1",
        "created": moment,
        "mtime": moment,
        "uid": "0",
        "gid": "0",
        "uname": "root",
        "gname": "root",
    }
    open_and_read(json.dumps({**conf, key: value}).encode(), "conf.json")
