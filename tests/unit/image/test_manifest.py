"""Manifests: the bytes that Docker's containerd store would make."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nixdock.image.detect import Codec
from nixdock.image.manifest import Descriptor, Platform, layer_codec, make_docker_manifest
from nixdock.image.reference import Digest

CONFIG = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'


def test_the_manifest_is_compact_and_in_gos_order() -> None:
    layers = [(Digest.of(b"one"), 10240), (Digest.of(b"two"), 20480)]
    manifest = make_docker_manifest(CONFIG, layers)
    assert manifest.data.decode() == (
        '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",'
        '"config":{"mediaType":"application/vnd.docker.container.image.v1+json",'
        f'"digest":"{Digest.of(CONFIG)}","size":{len(CONFIG)}}},'
        '"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar",'
        f'"digest":"{Digest.of(b"one")}","size":10240}},'
        '{"mediaType":"application/vnd.docker.image.rootfs.diff.tar",'
        f'"digest":"{Digest.of(b"two")}","size":20480}}]}}'
    )
    assert manifest.digest == Digest.of(manifest.data)


@pytest.mark.parametrize(
    ("media_type", "codec"),
    [
        ("application/vnd.oci.image.layer.v1.tar", Codec.NONE),
        ("application/vnd.oci.image.layer.v1.tar+gzip", Codec.GZIP),
        ("application/vnd.oci.image.layer.v1.tar+zstd", Codec.ZSTD),
        ("application/vnd.docker.image.rootfs.diff.tar", Codec.NONE),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", Codec.GZIP),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", Codec.GZIP),
        ("application/vnd.oci.image.layer.v1.tar+xz", None),
        ("text/plain", None),
        ("", None),
    ],
)
def test_what_a_media_type_says_of_compression(media_type: str, codec: Codec | None) -> None:
    assert layer_codec(media_type) == codec


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "not a JSON object"),
        ([], "not a JSON object"),
        ({}, "without media type or digest"),
        ({"mediaType": 1, "digest": "x"}, "without media type or digest"),
        ({"digest": f"sha256:{'0' * 64}"}, "has no size"),
        ({"digest": f"sha256:{'0' * 64}", "size": True}, "has no size"),
        ({"digest": f"sha256:{'0' * 64}", "size": -1}, "has no size"),
        ({"digest": "sha256:0", "size": 1}, "not a sha256 digest"),
        ({"digest": f"sha512:{'0' * 128}", "size": 1}, "not a sha256 digest"),
    ],
)
def test_a_bad_descriptor_is_explained(value: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Descriptor.from_json(value)


def test_a_descriptor_keeps_what_it_says() -> None:
    value = {"mediaType": "text/plain", "digest": f"sha256:{'0' * 64}", "size": 3}
    assert json.dumps(Descriptor.from_json(value).to_json()) == json.dumps(value)


@pytest.mark.parametrize(
    ("image", "engine", "runs"),
    [
        ("linux/amd64", "linux/amd64", True),
        ("linux/arm64", "linux/amd64", False),
        ("linux/arm64/v8", "linux/arm64", True),
        ("linux/arm64", "linux/arm64/v8", True),
        ("linux/arm/v6", "linux/arm/v7", True),
        ("linux/arm/v7", "linux/arm/v6", False),
        ("linux/arm", "linux/arm/v7", True),
        ("windows/amd64", "linux/amd64", False),
        ("linux/amd64/v3", "linux/amd64", False),
    ],
)
def test_what_runs_where(image: str, engine: str, runs: bool) -> None:
    assert Platform(*image.split("/")).runs_on(Platform(*engine.split("/"))) is runs


def test_machines_by_the_kernels_name() -> None:
    names = ("x86_64", "aarch64", "armv7l", "i686", "riscv64")
    assert [str(Platform.of_machine(name)) for name in names] == [
        "linux/amd64",
        "linux/arm64",
        "linux/arm/v7",
        "linux/386",
        "linux/riscv64",
    ]
    assert Platform.from_json({}) is None
    assert Platform.from_json({"os": 1}) is None
    assert Platform.from_json(None) is None
