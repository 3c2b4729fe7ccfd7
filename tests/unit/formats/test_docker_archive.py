"""docker-archives: every compression, every order, several images, and what is wrong with a bad one."""

from __future__ import annotations

import io
import json
import os
import tarfile
import threading
from pathlib import Path

import pytest

from nixdock.errors import LoadError
from nixdock.formats import open_images
from nixdock.formats.memory import Memory, open_database
from nixdock.image.model import Image
from nixdock.image.reference import Digest
from support import archives
from support.archives import Sample, docker_archive, docker_archive_entries, layer
from support.layers import file, hardlink, link, tar_of

SAMPLE = Sample((layer("etc/a"), layer("etc/b", "etc/c")), ("sample:1", "example.org/x/y:2"))


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(open_database(tmp_path / "cache"))


def write(folder: Path, data: bytes, name: str = "image") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def read_layers(image: Image) -> tuple[bytes, ...]:
    contents = []
    for one in image.layers:
        with one.open() as stream:
            contents.append(stream.read())
    return tuple(contents)


def check(image: Image, sample: Sample) -> None:
    assert image.config_bytes == sample.config_bytes
    assert image.config_digest == sample.config_digest
    assert image.diff_ids == sample.diff_ids
    assert read_layers(image) == sample.layers
    assert tuple(reference.familiar for reference in image.references) == sample.tags


@pytest.mark.parametrize("codec", archives.COMPRESSORS)
def test_reads_whatever_the_compression(codec: str, tmp_path: Path, memory: Memory) -> None:
    path = write(tmp_path, docker_archive(SAMPLE, codec=codec))
    (image,) = open_images(path, memory=memory)
    check(image, SAMPLE)
    # Layers can be opened again, and in any order.
    assert read_layers(image) == SAMPLE.layers
    with image.layers[1].open() as second, image.layers[0].open() as first:
        assert (first.read(), second.read()) == SAMPLE.layers


@pytest.mark.parametrize("codec", archives.COMPRESSORS)
@pytest.mark.parametrize("layer_codec", ["gzip", "zstd"])
def test_layers_may_be_compressed_themselves(
    codec: str, layer_codec: str, tmp_path: Path, memory: Memory
) -> None:
    path = write(tmp_path, docker_archive(SAMPLE, codec=codec, layer_codec=layer_codec))
    (image,) = open_images(path, memory=memory)
    check(image, SAMPLE)
    assert [one.size for one in image.layers] == [None, None]


@pytest.mark.parametrize("codec", ["none", "gzip"])
def test_the_manifest_may_come_first(codec: str, tmp_path: Path, memory: Memory) -> None:
    entries = docker_archive_entries(SAMPLE)[::-1]
    path = write(tmp_path, archives.COMPRESSORS[codec](archives.tar(entries)))
    (image,) = open_images(path, memory=memory)
    check(image, SAMPLE)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_in_every_tar_format(form: int, tmp_path: Path, memory: Memory) -> None:
    # ustar splits a long name between two fields, at a slash.
    long_name = "/".join(["d" * 60, "e" * 60, "layer.tar"])
    entries = [
        (long_name, SAMPLE.layers[0]),
        ("two.tar", SAMPLE.layers[1]),
        ("config", SAMPLE.config_bytes),
        (
            "manifest.json",
            json.dumps(
                [{"Config": "config", "RepoTags": list(SAMPLE.tags), "Layers": [long_name, "two.tar"]}]
            ).encode(),
        ),
    ]
    (image,) = open_images(write(tmp_path, archives.tar(entries, form)), memory=memory)
    check(image, SAMPLE)


def test_names_may_begin_with_a_dot_as_gnu_tar_writes_them(tmp_path: Path, memory: Memory) -> None:
    entries = [(f"./{name}", data) for name, data in docker_archive_entries(SAMPLE)]
    (image,) = open_images(write(tmp_path, archives.tar(entries)), memory=memory)
    check(image, SAMPLE)


@pytest.mark.parametrize("name", ["#!/bin/sh", "{}"])
@pytest.mark.parametrize("magic", [b"ustar\x0000", bytes(8)])
def test_a_tar_is_one_whatever_its_first_member_is_called(
    name: str, magic: bytes, tmp_path: Path, memory: Memory
) -> None:
    data = bytearray(archives.tar([(name, b""), *docker_archive_entries(SAMPLE)]))
    data[148:156] = b" " * 8
    data[257:265] = magic
    data[148:156] = b"%06o\0 " % sum(data[:512])
    (image,) = open_images(write(tmp_path, bytes(data)), memory=memory)
    check(image, SAMPLE)


def test_repeated_layers_may_be_links(tmp_path: Path, memory: Memory) -> None:
    """`docker save` wrote a repeated layer as a symbolic link, other tools as a hard link."""
    one = layer("a")
    sample = Sample((one, one, one))
    names = ["1/layer.tar", "2/layer.tar", "3/layer.tar"]
    manifest = [{"Config": "c", "RepoTags": ["sample:1"], "Layers": names}]
    path = write(
        tmp_path,
        tar_of(
            [
                link("2/layer.tar", "../1/layer.tar"),
                file("1/layer.tar", one),
                hardlink("3/layer.tar", "1/layer.tar"),
                file("c", sample.config_bytes),
                file("manifest.json", json.dumps(manifest).encode()),
            ]
        ),
    )
    (image,) = open_images(path, memory=memory)
    check(image, sample)


def test_several_images_in_one_archive(tmp_path: Path, memory: Memory) -> None:
    other = Sample((SAMPLE.layers[0], layer("other")), ("other:1",))
    first, second = open_images(write(tmp_path, docker_archive(SAMPLE, other)), memory=memory)
    check(first, SAMPLE)
    check(second, other)


def test_an_image_may_have_no_name_and_no_layer(tmp_path: Path, memory: Memory) -> None:
    entries = [
        ("c", Sample(()).config_bytes.replace(b"[]", b"null")),
        ("manifest.json", json.dumps([{"Config": "c", "RepoTags": None, "Layers": None}]).encode()),
    ]
    (image,) = open_images(write(tmp_path, archives.tar(entries)), memory=memory)
    assert (image.layers, image.references) == ((), ())


def test_a_pipe_is_read_like_a_file(memory: Memory) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self, data: bytes) -> None:
            super().__init__()
            self.stream = io.BytesIO(data)

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
            return self.stream.readinto(memoryview(buffer)[:1000])

    (image,) = open_images(io.BufferedReader(Pipe(docker_archive(SAMPLE, codec="gzip"))), memory=memory)
    check(image, SAMPLE)
    assert memory.database.read("SELECT * FROM archives") == []


def test_a_named_pipe_is_read_once(tmp_path: Path, memory: Memory) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    thread = threading.Thread(target=lambda: pipe.write_bytes(docker_archive(SAMPLE, codec="gzip")))
    thread.start()
    (image,) = open_images(pipe, memory=memory)
    thread.join()
    check(image, SAMPLE)


def test_standard_input_that_is_a_file_is_not_copied(tmp_path: Path, memory: Memory) -> None:
    path = write(tmp_path, docker_archive(SAMPLE))
    with path.open("rb") as stream:
        (image,) = open_images(stream, memory=memory)
    check(image, SAMPLE)
    # By what it is, not by its name: the next time it is known.
    assert len(memory.database.read("SELECT * FROM archives")) == 1


def refuse(path: Path, memory: Memory) -> str:
    with pytest.raises(LoadError) as caught:
        read_layers(open_images(path, memory=memory)[0])
    assert caught.value.exit_code == 121
    return caught.value.message


def without(entries: archives.Entries, *names: str) -> archives.Entries:
    return [(name, data) for name, data in entries if name not in names]


def test_a_missing_layer_is_named(tmp_path: Path, memory: Memory) -> None:
    name = f"{SAMPLE.diff_ids[1].hex}/layer.tar"
    path = write(tmp_path, archives.tar(without(docker_archive_entries(SAMPLE), name)))
    assert refuse(path, memory) == f"{path} is not complete: the layer '{name}' is not in it"


def test_a_missing_config_is_named(tmp_path: Path, memory: Memory) -> None:
    name = f"{SAMPLE.config_digest.hex}.json"
    path = write(tmp_path, archives.tar(without(docker_archive_entries(SAMPLE), name)))
    assert refuse(path, memory) == f"{path} is not complete: the config '{name}' is not in it"


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../../b", "a\0b"])
@pytest.mark.parametrize("key", ["Config", "Layers"])
def test_names_that_leave_the_archive_are_refused(
    name: str, key: str, tmp_path: Path, memory: Memory
) -> None:
    entries = dict(docker_archive_entries(SAMPLE))
    document = json.loads(entries["manifest.json"])[0]
    document[key] = name if key == "Config" else [name, name]
    entries["manifest.json"] = json.dumps([document]).encode()
    path = write(tmp_path, archives.tar(list(entries.items())))
    assert "a path outside of the archive" in refuse(path, memory)


def test_a_link_out_of_the_archive_is_refused(tmp_path: Path, memory: Memory) -> None:
    manifest = [{"Config": "c", "RepoTags": [], "Layers": ["l"]}]
    members = [
        link("l", "../../../../etc/passwd"),
        file("c", Sample((layer("a"),)).config_bytes),
        file("manifest.json", json.dumps(manifest).encode()),
    ]
    assert "a path outside of the archive" in refuse(write(tmp_path, tar_of(members)), memory)


def test_links_in_a_circle_end(tmp_path: Path, memory: Memory) -> None:
    manifest = [{"Config": "c", "RepoTags": [], "Layers": ["l"]}]
    members = [
        link("l", "m"),
        link("m", "l"),
        file("c", Sample((layer("a"),)).config_bytes),
        file("manifest.json", json.dumps(manifest).encode()),
    ]
    assert "a link that leads nowhere" in refuse(write(tmp_path, tar_of(members)), memory)


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (b"", "is no JSON"),
        (b"[", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"\xff\xfe", "is no JSON"),
        (b"{}", "lists no image"),
        (b"[]", "lists no image"),
        (b"[1]", "is no JSON object"),
        (b'[{"Layers": []}]', "has no Config"),
        (b'[{"Config": 1}]', "has no Config"),
        (b'[{"Config": "c", "Layers": {}}]', "is no list of strings"),
        (b'[{"Config": "c", "Layers": [1]}]', "is no list of strings"),
        (b'[{"Config": "c", "RepoTags": [[]]}]', "is no list of strings"),
        (b'[{"Config": "c", "Layers": []}]', "names 0 layers"),
    ],
)
def test_a_bad_manifest_is_explained(manifest: bytes, words: str, tmp_path: Path, memory: Memory) -> None:
    entries = [("c", SAMPLE.config_bytes), ("manifest.json", manifest)]
    message = refuse(write(tmp_path, archives.tar(entries)), memory)
    assert words in message
    assert str(tmp_path) in message


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (b"", "is no JSON"),
        (b"[]", "is no JSON object"),
        (b"{}", "has no rootfs.diff_ids"),
        (b'{"rootfs": {"diff_ids": "x"}}', "has no rootfs.diff_ids"),
        (b'{"rootfs": {"diff_ids": ["sha256:xyz", 1]}}', "a diff ID in an image's config"),
        (b'{"rootfs": {"diff_ids": ["sha512:00", "md5:1"]}}', "a diff ID in an image's config"),
    ],
)
def test_a_bad_config_is_explained(config: bytes, words: str, tmp_path: Path, memory: Memory) -> None:
    entries = dict(docker_archive_entries(SAMPLE))
    entries[f"{SAMPLE.config_digest.hex}.json"] = config
    assert words in refuse(write(tmp_path, archives.tar(list(entries.items()))), memory)


def test_a_bad_name_says_the_rule(tmp_path: Path, memory: Memory) -> None:
    sample = Sample(SAMPLE.layers, ("Not/Allowed:1",))
    message = refuse(write(tmp_path, docker_archive(sample)), memory)
    assert "names its image wrongly" in message
    assert "lowercase letters" in message


def test_what_is_no_image_is_said(tmp_path: Path, memory: Memory) -> None:
    def message(data: bytes) -> str:
        return refuse(write(tmp_path, data), memory).removeprefix(f"{tmp_path / 'image'} ")

    assert message(b"") == "is empty"
    assert message(b"hello\n") == "is no image but text"
    assert message(bytes(range(256)) * 4) == "is no image but data of an unknown kind"
    assert message(bytes(100_000)) == "is no image but data of an unknown kind"
    assert message(b"\x7fELF" + bytes(2000)) == "is no image but an ELF program or library"
    assert message(b"PK\x03\x04" + bytes(2000)) == "is no image but a zip archive"
    assert message(archives.tar([("a", b"b")])).startswith("is a tar, but no image")
    assert message(archives.tar([("repositories", b"{}")])).startswith("is an image archive of Docker before")
    assert message(archives.COMPRESSORS["gzip"](b"hello")).startswith("is compressed, but what is in it")
    assert message(archives.COMPRESSORS["zstd"](bytes(10**6))).startswith("is compressed, but what is in it")
    assert message(b'{"a": 1}').startswith("is JSON, but neither")
    assert message(b'{"a": 1').startswith("is no image but JSON")
    assert message(b'[{"diff_ids": "x"}]').startswith("is a list of nix2container layers")


def test_a_folder_and_a_missing_file_are_said(tmp_path: Path, memory: Memory) -> None:
    assert refuse(tmp_path, memory).startswith(f"{tmp_path} is a folder, not an image")
    assert refuse(tmp_path / "none", memory) == f"{tmp_path / 'none'} does not exist"
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(LoadError) as caught:
        open_images(tmp_path / "dangling", memory=memory)
    assert caught.value.hint == "the link points to nothing: build it again"


@pytest.mark.parametrize("codec", archives.COMPRESSORS)
def test_an_archive_cut_anywhere_is_refused_or_whole(codec: str, tmp_path: Path) -> None:
    """Only the padding at a tar's end can be missing without harm."""
    data = docker_archive(Sample((layer("a", content=bytes(range(256)) * 20),)), codec=codec)
    whole = 0
    for cut in range(0, len(data), max(1, len(data) // 60)):
        path = write(tmp_path, data[:cut])
        memory = Memory(open_database(tmp_path / f"cache{cut}"))
        try:
            (image,) = open_images(path, memory=memory)
            contents = read_layers(image)
        except LoadError as error:
            assert str(path) in error.message  # noqa: PT017
            continue
        whole += 1
        assert Digest.of(contents[0]) == image.diff_ids[0]
    assert whole < 60


def test_a_file_that_changes_while_it_is_read_is_noticed(tmp_path: Path, memory: Memory) -> None:
    path = write(tmp_path, docker_archive(SAMPLE))
    (image,) = open_images(path, memory=memory)
    path.write_bytes(docker_archive(SAMPLE) + bytes(10240))
    with pytest.raises(LoadError, match="changed while it was read"):
        image.layers[0].open()
