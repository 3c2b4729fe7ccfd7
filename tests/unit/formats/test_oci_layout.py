"""OCI layouts: folders and tars, OCI's and Docker's types, several platforms and names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nixdock.errors import LoadError
from nixdock.formats import open_images
from nixdock.formats.memory import Memory, open_database
from nixdock.image.manifest import Platform
from nixdock.image.model import Image
from nixdock.image.reference import Digest
from support import archives
from support.archives import (
    OCI,
    Sample,
    blob_name,
    descriptor,
    layer,
    layout_files,
    oci_entries,
    oci_manifest,
)

SAMPLE = Sample((layer("etc/a"), layer("etc/b", "etc/c")))
AMD64 = Platform("linux", "amd64")


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(open_database(tmp_path / "cache"))


@pytest.fixture(params=["folder", "tar", "tar.gz"])
def form(request: pytest.FixtureRequest) -> str:
    form: str = request.param
    return form


def write(folder: Path, entries: archives.Entries, form: str = "folder") -> Path:
    if form == "folder":
        return archives.write_folder(folder / "layout", entries)
    path = folder / "layout.tar"
    path.write_bytes(archives.COMPRESSORS["gzip" if form == "tar.gz" else "none"](archives.tar(entries)))
    return path


def check(image: Image, sample: Sample) -> None:
    assert image.config_bytes == sample.config_bytes
    for one, content in zip(image.layers, sample.layers, strict=True):
        assert one.diff_id == Digest.of(content)
        with one.open() as stream:
            assert stream.read() == content
        assert one.blob is not None
        with one.blob.opener() as stream:
            assert Digest.of(stream.read()) == one.blob.digest


@pytest.mark.parametrize("layer_codec", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("docker", [False, True])
def test_reads_every_media_type(
    form: str, layer_codec: str, docker: bool, tmp_path: Path, memory: Memory
) -> None:
    entries = oci_entries(SAMPLE, layer_codec=layer_codec, docker=docker)
    (image,) = open_images(write(tmp_path, entries, form), platform=AMD64, memory=memory)
    check(image, SAMPLE)
    assert image.manifest is not None
    # The manifest is kept byte for byte: an engine may know the image by its digest.
    assert dict(entries)[blob_name(image.manifest.data)] == image.manifest.data
    assert [reference.familiar for reference in image.references] == ["sample:1"]


def test_several_images(form: str, tmp_path: Path, memory: Memory) -> None:
    other = Sample((layer("z"),), ("other:2",))
    first, second = open_images(write(tmp_path, oci_entries(SAMPLE, other), form), memory=memory)
    check(first, SAMPLE)
    check(second, other)


def test_several_names_of_one_image(tmp_path: Path, memory: Memory) -> None:
    blobs: dict[str, bytes] = {}
    manifest = oci_manifest(SAMPLE, blobs)
    described = [
        descriptor(f"{OCI}.manifest.v1+json", manifest, annotations={"io.containerd.image.name": name})
        for name in ("docker.io/library/a:1", "example.org/b:2")
    ]
    path = write(tmp_path, [*layout_files({"manifests": described}), *blobs.items()])
    (image,) = open_images(path, memory=memory)
    assert [reference.familiar for reference in image.references] == ["a:1", "example.org/b:2"]


@pytest.mark.parametrize(
    ("annotations", "names"),
    [
        ({}, []),
        ({"org.opencontainers.image.ref.name": "just-a-tag"}, []),
        ({"org.opencontainers.image.ref.name": "name:tag"}, ["name:tag"]),
        (
            {"io.containerd.image.name": "docker.io/library/x:1", "org.opencontainers.image.ref.name": "1"},
            ["x:1"],
        ),
    ],
)
def test_names_in_annotations(
    annotations: dict[str, str], names: list[str], tmp_path: Path, memory: Memory
) -> None:
    blobs: dict[str, bytes] = {}
    described = descriptor(f"{OCI}.manifest.v1+json", oci_manifest(SAMPLE, blobs), annotations=annotations)
    path = write(tmp_path, [*layout_files({"manifests": [described]}), *blobs.items()])
    (image,) = open_images(path, memory=memory)
    assert [reference.familiar for reference in image.references] == names


def test_dockers_own_manifest_names_what_the_index_does_not(tmp_path: Path, memory: Memory) -> None:
    blobs: dict[str, bytes] = {}
    described = descriptor(f"{OCI}.manifest.v1+json", oci_manifest(SAMPLE, blobs))
    document = {
        "Config": blob_name(SAMPLE.config_bytes),
        "RepoTags": ["from:docker"],
        "Layers": [blob_name(content) for content in SAMPLE.layers],
    }
    entries = [
        *layout_files({"manifests": [described]}),
        *blobs.items(),
        ("manifest.json", json.dumps([document]).encode()),
    ]
    (image,) = open_images(write(tmp_path, entries, "tar"), memory=memory)
    assert [reference.familiar for reference in image.references] == ["from:docker"]
    assert image.manifest is not None


def platforms(*names: str) -> tuple[dict[str, Sample], list[dict[str, Any]], dict[str, bytes]]:
    """Return samples for several platforms, the descriptors of their manifests, and all blobs."""
    samples, described = {}, []
    blobs: dict[str, bytes] = {}
    for name in names:
        os, architecture, *variant = name.split("/")
        samples[name] = Sample((layer(name.replace("/", "-")),), architecture=architecture)
        platform = {"os": os, "architecture": architecture}
        if variant:
            platform["variant"] = variant[0]
        manifest = oci_manifest(samples[name], blobs)
        described.append(descriptor(f"{OCI}.manifest.v1+json", manifest, platform=platform))
    return samples, described, blobs


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(
    ("engine", "chosen"),
    [
        (Platform("linux", "amd64"), "linux/amd64"),
        (Platform("linux", "arm64"), "linux/arm64"),
        (Platform("linux", "arm64", "v8"), "linux/arm64"),
        (Platform("linux", "arm", "v7"), "linux/arm/v7"),
        (Platform("linux", "arm", "v6"), "linux/arm/v6"),
        (Platform("linux", "arm"), "linux/arm/v7"),
    ],
)
def test_the_engines_platform_is_chosen(
    engine: Platform, chosen: str, nested: bool, tmp_path: Path, memory: Memory
) -> None:
    samples, described, blobs = platforms("linux/arm/v6", "linux/arm64", "linux/amd64", "linux/arm/v7")
    attestation = descriptor(
        f"{OCI}.manifest.v1+json",
        b"{}",
        platform={"os": "unknown", "architecture": "unknown"},
        annotations={"vnd.docker.reference.type": "attestation-manifest"},
    )
    described.append(attestation)
    if nested:
        index = json.dumps({"schemaVersion": 2, "manifests": described}).encode()
        blobs[blob_name(index)] = index
        described = [
            descriptor(
                f"{OCI}.index.v1+json", index, annotations={"io.containerd.image.name": "docker.io/multi/x:1"}
            )
        ]
    path = write(tmp_path, [*layout_files({"manifests": described}), *blobs.items()])
    (image,) = open_images(path, platform=engine, memory=memory)
    check(image, samples[chosen])
    if nested:
        assert image.manifest is not None
        assert [str(digest) for digest in image.manifest.indexes] == [described[0]["digest"]]
        assert [reference.familiar for reference in image.references] == ["multi/x:1"]


def test_without_the_engines_platform_those_there_are_are_listed(tmp_path: Path, memory: Memory) -> None:
    _, described, blobs = platforms("linux/arm64", "linux/s390x")
    path = write(tmp_path, [*layout_files({"manifests": described}), *blobs.items()])
    with pytest.raises(LoadError) as caught:
        open_images(path, platform=AMD64, memory=memory)
    assert caught.value.message == f"{path} has no image for linux/amd64, only for linux/arm64, linux/s390x"


def test_a_sole_image_for_another_platform_is_taken(tmp_path: Path, memory: Memory) -> None:
    samples, described, blobs = platforms("linux/arm64")
    path = write(tmp_path, [*layout_files({"manifests": described}), *blobs.items()])
    (image,) = open_images(path, platform=AMD64, memory=memory)
    check(image, samples["linux/arm64"])


def refuse(path: Path, memory: Memory) -> str:
    with pytest.raises(LoadError) as caught:
        open_images(path, memory=memory)
    return caught.value.message.removeprefix(f"{path} ")


def change(entries: archives.Entries, name: str, data: bytes | None) -> archives.Entries:
    changed = dict(entries)
    assert name in changed
    if data is None:
        del changed[name]
    else:
        changed[name] = data
    return list(changed.items())


def manifest_name(entries: archives.Entries) -> str:
    digest = json.loads(dict(entries)["index.json"])["manifests"][0]["digest"]
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"


def test_missing_and_damaged_parts_are_named(form: str, tmp_path: Path, memory: Memory) -> None:
    entries = oci_entries(SAMPLE)
    manifest, config = manifest_name(entries), blob_name(SAMPLE.config_bytes)
    first = blob_name(SAMPLE.layers[0])
    for number, (name, data, words) in enumerate(
        [
            (manifest, None, "is not complete: the manifest"),
            (config, None, "is not complete: the config"),
            (first, None, "is not complete: the layer"),
            (manifest, b"{}", "is damaged: the manifest sha256:"),
            (config, SAMPLE.config_bytes + b" ", "is damaged: the config sha256:"),
            (first, SAMPLE.layers[0][:-1], "is damaged: its layer sha256:"),
            ("index.json", b"[]", "is damaged: an index in it has no list of manifests"),
            ("index.json", b"{", "is damaged: its index.json is no JSON"),
            ("index.json", b'{"manifests": []}', "holds no image: its index.json lists none"),
            ("index.json", b'{"manifests": [1]}', "is damaged, in an index: a descriptor is not"),
            (
                "index.json",
                b'{"manifests": [{"digest": "sha512:1", "size": 1}]}',
                "is damaged, in an index: not a sha256",
            ),
            (
                "index.json",
                b'{"manifests": [{"digest": "sha256:1"}]}',
                "is damaged, in an index: the descriptor",
            ),
            ("oci-layout", b"{}", "is an OCI layout of version None"),
            ("oci-layout", b'{"imageLayoutVersion": "2.0"}', "is an OCI layout of version '2.0'"),
        ]
    ):
        (tmp_path / str(number)).mkdir()
        path = write(tmp_path / str(number), change(entries, name, data), form)
        assert refuse(path, memory).startswith(words)


def rebuilt(manifest: dict[str, Any], blobs: dict[str, bytes]) -> archives.Entries:
    """Return a layout whose one manifest is this, whatever it says."""
    data = json.dumps(manifest).encode()
    described = descriptor(str(manifest.get("mediaType")), data)
    return [*layout_files({"manifests": [described]}), *blobs.items(), (blob_name(data), data)]


@pytest.mark.parametrize(
    ("keys", "value", "words"),
    [
        (("mediaType",), "text/plain", "holds a 'text/plain', which is no image"),
        (
            ("config", "mediaType"),
            "application/vnd.cncf.helm.config.v1+json",
            "holds no image: its config is",
        ),
        (
            ("layers", 0, "mediaType"),
            "application/x-sandwich",
            "has a layer of the unknown media type 'appli",
        ),
        (("layers", 0, "size"), 1, "is damaged: its layer"),
        (("layers",), [], "is damaged: its manifest names 0 layers, its config 2"),
        (("config",), None, "is damaged, in its manifest: a descriptor is not"),
    ],
)
def test_what_is_no_image_is_said(
    keys: tuple[Any, ...], value: object, words: str, tmp_path: Path, memory: Memory
) -> None:
    blobs: dict[str, bytes] = {}
    manifest = json.loads(oci_manifest(SAMPLE, blobs))
    place = manifest
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    assert refuse(write(tmp_path, rebuilt(manifest, blobs)), memory).startswith(words)


@pytest.mark.parametrize("stated", [["x"], {"x": 1}, 5])
def test_a_type_that_is_no_text_is_no_images(stated: object, tmp_path: Path, memory: Memory) -> None:
    data = json.dumps({"mediaType": stated}).encode()
    # Of a descriptor without a type the manifest's own one counts.
    entries = [*layout_files({"manifests": [descriptor("", data)]}), (blob_name(data), data)]
    assert f"holds a {stated!r}, which is no image" in refuse(write(tmp_path, entries), memory)


def test_an_index_that_is_listed_again_and_again_is_read_no_longer(tmp_path: Path, memory: Memory) -> None:
    blobs: dict[str, bytes] = {}
    described = descriptor(f"{OCI}.manifest.v1+json", oci_manifest(SAMPLE, blobs))
    index = json.dumps({"manifests": [described]}).encode() + b" " * (8 << 20)
    blobs[blob_name(index)] = index
    listed = {"manifests": [descriptor(f"{OCI}.index.v1+json", index)] * 9}
    path = write(tmp_path, [*layout_files(listed), *blobs.items()])
    assert refuse(path, memory).startswith("is refused: it has more bytes of indexes")


def test_indexes_in_a_row_come_to_an_end(tmp_path: Path, memory: Memory) -> None:
    blobs: dict[str, bytes] = {}
    described = descriptor(f"{OCI}.manifest.v1+json", oci_manifest(SAMPLE, blobs))
    for _ in range(6):
        index = json.dumps({"manifests": [described]}).encode()
        blobs[blob_name(index)] = index
        described = descriptor(f"{OCI}.index.v1+json", index)
    path = write(tmp_path, [*layout_files({"manifests": [described]}), *blobs.items()])
    assert refuse(path, memory).startswith("is damaged: its indexes lead from one to another")
