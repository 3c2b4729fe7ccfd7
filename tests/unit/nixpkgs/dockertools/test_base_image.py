"""Reading the image that another one is built on."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import lzma
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nixdock import process
from nixdock.nixpkgs.dockertools import base_image
from nixdock.nixpkgs.dockertools.base_image import BaseImageError

ONE, TWO = b"one" * 20_000, b"two" * 7
CONFIG = {"config": {"Env": ["A=1"]}}


def archive(members: dict[str, bytes | str]) -> bytes:
    """A tar; a member that is text is a symbolic link to that."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def manifest(*entries: dict[str, Any]) -> bytes:
    return json.dumps(entries).encode()


def image(**changes: bytes | str) -> bytes:
    members: dict[str, bytes | str] = {
        "1/layer.tar": ONE,
        "2/layer.tar": TWO,
        "c.json": json.dumps(CONFIG).encode(),
        "manifest.json": manifest(
            {
                "Config": "c.json",
                "RepoTags": ["a:1"],
                "Layers": ["1/layer.tar", "2/layer.tar", "1/layer.tar"],
            },
        ),
    }
    return archive(members | changes)


def zstd(data: bytes) -> bytes:
    if shutil.which("zstd") is None:
        pytest.skip("zstd is not installed here")
    return process.run(["zstd", "-c"], stdin=data).stdout


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress, zstd])
def test_layers_config_and_environment_are_read_whatever_the_compression(
    pack: Callable[[bytes], bytes],
    tmp_path: Path,
) -> None:
    path = tmp_path / "base"
    path.write_bytes(pack(image()))
    with base_image.read(str(path)) as base:
        contents = [b"".join(layer.chunks()) for layer in base.layers]

    assert [layer.name for layer in base.layers] == ["1/layer.tar", "2/layer.tar", "1/layer.tar"]
    assert [layer.digest for layer in base.layers[:2]] == [
        hashlib.sha256(data).hexdigest() for data in (ONE, TWO)
    ]
    assert contents == [ONE, TWO, ONE]
    assert [layer.size for layer in base.layers] == [len(ONE), len(TWO), len(ONE)]
    assert base.env == ["A=1"]
    assert base.config_name == "c.json"
    assert base_image.count_layers(str(path)) == 3


def test_a_layer_can_be_read_again_while_another_is_read(tmp_path: Path) -> None:
    path = tmp_path / "base"
    path.write_bytes(image())
    with base_image.read(str(path)) as base:
        first, second, _ = base.layers
        chunks = first.chunks()
        begun = next(chunks)
        assert b"".join(second.chunks()) == TWO
        assert begun + b"".join(chunks) == ONE


def test_a_repeated_layer_may_be_a_link_to_the_other(tmp_path: Path) -> None:
    path = tmp_path / "base"
    path.write_bytes(image(**{"2/layer.tar": "../1/layer.tar"}))

    with base_image.read(str(path)) as base:
        assert [b"".join(layer.chunks()) for layer in base.layers] == [ONE, ONE, ONE]


def test_a_compressed_layer_counts_as_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "base"
    path.write_bytes(image(**{"2/layer.tar": gzip.compress(TWO)}))

    with base_image.read(str(path)) as base:
        layer = base.layers[1]
        assert (layer.digest, layer.size) == (hashlib.sha256(TWO).hexdigest(), len(TWO))
        assert b"".join(layer.chunks()) == TWO


def test_names_may_begin_with_a_dot(tmp_path: Path) -> None:
    path = tmp_path / "base"
    entry = manifest({"Config": "c.json", "RepoTags": None, "Layers": ["1/layer.tar"]})
    path.write_bytes(
        archive({"./1/layer.tar": ONE, "./c.json": b'{"config": null}', "./manifest.json": entry})
    )

    with base_image.read(str(path)) as base:
        assert base.env == []
        assert b"".join(base.layers[0].chunks()) == ONE


def test_an_image_is_chosen_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "base"
    two = manifest(
        {"Config": "c.json", "RepoTags": ["a:1"], "Layers": ["1/layer.tar"]},
        {"Config": "c.json", "RepoTags": ["b:1", "b:2"], "Layers": ["2/layer.tar"]},
    )
    path.write_bytes(image(**{"manifest.json": two}))

    with base_image.read(str(path), repo_tag="b:2") as base:
        assert [layer.name for layer in base.layers] == ["2/layer.tar"]
    with pytest.raises(BaseImageError, match="has no image c:1; it has a:1, b:1, b:2"):
        base_image.read(str(path), repo_tag="c:1")


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"no archive", "is not an image archive"),
        (b"", "is not an image archive"),
        (gzip.compress(image())[:-20], "is not an image archive"),
        (archive({"x": b""}), "is not an image archive: it has no manifest.json"),
        (archive({"manifest.json": b"[]"}), "has a manifest.json without any image"),
        (
            image(**{"manifest.json": manifest({"Config": "c.json", "Layers": ["3/layer.tar"]})}),
            "names a layer 3/layer.tar that it does not have",
        ),
        (image(**{"2/layer.tar": "nowhere"}), "names a layer 2/layer.tar that it does not have"),
        (
            image(**{"manifest.json": manifest({"Config": "d.json", "Layers": []})}),
            "is not an image archive: it has no d.json",
        ),
    ],
)
def test_what_is_no_base_image_is_refused_with_a_sentence(
    data: bytes, complaint: str, tmp_path: Path
) -> None:
    path = tmp_path / "base"
    path.write_bytes(data)

    with pytest.raises(BaseImageError, match=complaint):
        base_image.read(str(path))
