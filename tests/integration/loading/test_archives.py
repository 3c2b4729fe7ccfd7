"""Every form of an image, into every engine: loaded, known again, and only what is missing sent."""

from __future__ import annotations

import json
import os

import pytest

from support import archives
from support.archives import Sample, docker_archive, layer, oci_entries, runnable

from .conftest import Loader


@pytest.mark.parametrize("codec", ["none", "gzip"])
def test_a_docker_archive_is_loaded_run_and_known_again(codec: str, load: Loader, salt: bytes) -> None:
    sample = runnable(layer("salt", content=salt), tags=("archive:1",), says="it runs")
    path = load.write(docker_archive(sample, codec=codec))
    (first,) = load(path)
    assert first["references"] == ["archive:1"]
    assert first["config_digest"] == str(sample.config_digest)
    assert not first["was_there"]
    assert load.says("archive:1") == "it runs"
    (second,) = load(path)
    assert (second["was_there"], second["sent"]) == (True, 0)
    assert second["engine_id"] == first["engine_id"]


def test_standard_input_is_read_from_a_file_and_from_a_pipe(load: Loader, salt: bytes) -> None:
    data = docker_archive(runnable(layer("salt", content=salt), tags=("piped:1",)), codec="gzip")
    program = load.program
    done = program("load", stdin=data)
    assert (done.status, done.stdout) == (0, "Loaded image: piped:1\n"), done.stderr
    done = program("load", "-q", "-i", load.write(data))
    assert (done.status, done.stdout) == (0, "piped:1\n"), done.stderr


@pytest.mark.parametrize(
    ("layer_codec", "docker"), [("none", False), ("gzip", False), ("zstd", False), ("gzip", True)]
)
def test_an_oci_layout_is_loaded_run_and_known_again(
    layer_codec: str, docker: bool, load: Loader, salt: bytes
) -> None:
    sample = runnable(layer("salt", content=salt), tags=("layout:1",), says="layout")
    entries = oci_entries(sample, layer_codec=layer_codec, docker=docker)
    path = archives.write_folder(load.folder / "layout", entries)
    (first,) = load(path)
    assert first["config_digest"] == str(sample.config_digest)
    assert load.says("layout:1") == "layout"
    packed = load.write(archives.COMPRESSORS["gzip"](archives.tar(entries)))
    (second,) = load(packed)
    assert second["was_there"]


def test_what_docker_load_loaded_is_known(load: Loader, salt: bytes) -> None:
    """On every engine: on containerd's store too, where the ID is a manifest's that the engine made up."""
    sample = runnable(layer("salt", content=salt), tags=("foreign:1",))
    # Podman's service takes no compressed archive.
    load.engine.docker("load", stdin=docker_archive(sample))
    (loaded,) = load(load.write(docker_archive(sample, codec="gzip")))
    assert (loaded["was_there"], loaded["sent"]) == (True, 0)


def test_what_docker_load_loaded_from_a_layout_is_known(load: Loader, salt: bytes) -> None:
    sample = runnable(layer("salt", content=salt), tags=("foreign-layout:1",))
    entries = oci_entries(sample)
    # Graph drivers read a docker-archive only.
    names = [archives.blob_name(content) for content in sample.layers]
    document = {
        "Config": archives.blob_name(sample.config_bytes),
        "RepoTags": ["foreign-layout:1"],
        "Layers": names,
    }
    entries.append(("manifest.json", json.dumps([document]).encode()))
    data = archives.tar(entries)
    load.engine.docker("load", stdin=data)
    (loaded,) = load(load.write(data))
    assert (loaded["was_there"], loaded["sent"]) == (True, 0)


def test_only_the_changed_layer_is_sent(load: Loader, salt: bytes) -> None:
    large = layer("large", content=os.urandom(3_000_000))
    one = runnable(large, layer("top", content=b"1" + salt), tags=("top:1",), says="one")
    two = runnable(large, layer("top", content=b"2" + salt), tags=("top:1",), says="two")
    load(load.write(docker_archive(one), "one.tar"))
    (second,) = load(load.write(docker_archive(two, codec="gzip"), "two.tar.gz"))
    assert (second["sent_layers"], second["layers"]) == (1, 3)
    assert second["sent"] == len(two.layers[-1])
    # The image that had the name is told of.
    assert list(second["replaced"]) == ["top:1"]
    assert load.says("top:1") == "two"


def test_only_the_config_changed(load: Loader, salt: bytes) -> None:
    salted = layer("salt", content=salt)
    load(load.write(docker_archive(runnable(salted, tags=("config:1",), says="one")), "one.tar"))
    (second,) = load(load.write(docker_archive(runnable(salted, tags=("config:1",), says="two")), "two.tar"))
    assert (second["was_there"], second["sent_layers"], second["sent"]) == (False, 0, 0)
    assert load.says("config:1") == "two"


def test_a_layer_below_changed(load: Loader, salt: bytes) -> None:
    top = layer("top", content=salt)
    for word in ("one", "two"):
        sample = runnable(layer("below", content=word.encode() + salt), top, tags=("below:1",), says=word)
        load(load.write(docker_archive(sample), f"{word}.tar"))
        assert load.says("below:1") == word


def test_repeated_and_empty_layers(load: Loader, salt: bytes) -> None:
    one, empty = layer("a", content=salt), archives.tar([])
    sample = runnable(one, empty, one, empty, empty, tags=("repeated:1",), says="repeated")
    path = load.write(docker_archive(sample))
    load(path)
    assert load.says("repeated:1") == "repeated"
    load.remove_all()
    load(path)
    assert load.says("repeated:1") == "repeated"


def test_several_images_and_names(load: Loader, salt: bytes) -> None:
    salted = layer("salt", content=salt)
    one = runnable(salted, tags=("several-one:1", "example.org:5000/x/one:2"), says="one")
    two = runnable(salted, tags=("several-two:1",), says="two")
    first, second = load(load.write(docker_archive(one, two)))
    assert first["references"] == ["several-one:1", "example.org:5000/x/one:2"]
    assert second["sent_layers"] == 0
    assert [load.says(name) for name in (*one.tags, *two.tags)] == ["one", "one", "two"]


def test_another_name_is_given_with_and_without_sending(load: Loader, salt: bytes) -> None:
    path = load.write(docker_archive(runnable(layer("salt", content=salt), tags=("tagged:1",))))
    (first,) = load(path, "--tag", "more:1", "--tag", "example.org/more:2")
    assert first["references"] == ["tagged:1", "more:1", "example.org/more:2"]
    (second,) = load(path, "--tag", "late:3")
    assert second["was_there"]
    assert {load.says(name) for name in ("more:1", "example.org/more:2", "late:3")} == {"hello"}


def test_an_image_without_a_name_is_known_by_its_id(load: Loader, salt: bytes) -> None:
    sample = runnable(layer("salt", content=salt), tags=(), says="nameless")
    done = load.program("load", load.write(docker_archive(sample)))
    assert done.status == 0, done.stderr
    assert done.stdout.startswith("Loaded image ID: sha256:")
    assert load.says(done.stdout.split()[-1]) == "nameless"


def test_the_right_tag_on_a_wrong_image_is_set_right_and_said(load: Loader, salt: bytes) -> None:
    program = load.program
    salted = layer("salt", content=salt)
    path = load.write(docker_archive(runnable(salted, tags=("right:1",), says="right")))
    wrong = load.write(docker_archive(runnable(salted, tags=("wrong:1",), says="wrong")), "wrong.tar")
    for archive in (path, wrong):
        assert program("load", archive).status == 0
    name = "docker.io/library/" if load.engine.name == "podman" else ""
    load.engine.docker("tag", f"{name}wrong:1", f"{name}right:1")
    done = program("load", path)
    assert done.status == 0, done.stderr
    assert "right:1 was another image" in done.stderr
    assert load.says("right:1") == "right"


def test_names_with_digests_and_names_of_two(load: Loader, salt: bytes) -> None:
    """What is printed is what the engine has afterwards, and no other name is moved."""
    digest = f"sha256:{'1' * 64}"
    load(load.write(docker_archive(runnable(layer("old", content=salt), tags=("x:latest",), says="old"))))
    samples = [
        runnable(layer(f"l{number}", content=salt), tags=tags, says=str(number))
        for number, tags in enumerate([(f"x@{digest}",), (f"y:1@{digest}",), ("same:1",), ("same:1", "z:1")])
    ]
    run = load.program("load", load.write(docker_archive(*samples)))
    assert run.status == 0, run.stderr
    said = run.stdout.splitlines()
    assert [line.partition(":")[0] for line in said] == [
        "Loaded image ID",
        "Loaded image",
        "Loaded image ID",
        "Loaded image",
        "Loaded image",
    ]
    for line in said:
        load.engine.docker("image", "inspect", line.split(": ", 1)[1])
    assert [load.says(name) for name in ("x:latest", "y:1", "same:1", "z:1")] == ["old", "1", "3", "3"]
    for words in (f"x@{digest}, and", f"y:1@{digest}, and", "same:1 names more than one image here"):
        assert words in run.stderr
    # Again, when all of it is there.
    again = load.program("load", load.folder / "image.tar")
    assert (again.status, again.stdout) == (0, run.stdout), again.stderr


def test_what_docker_save_writes_is_read(load: Loader, salt: bytes) -> None:
    sample = runnable(layer("salt", content=salt), tags=("saved:1",), says="saved")
    (first,) = load(load.write(docker_archive(sample)))
    saved = load.folder / "saved.tar"
    load.engine.docker("save", "-o", saved, "saved:1")
    (known,) = load(saved)
    assert known["config_digest"] == first["config_digest"]
    assert known["was_there"]
    load.remove_all()
    (again,) = load(saved)
    assert not again["was_there"]
    assert load.says("saved:1") == "saved"


def test_an_image_for_another_architecture_is_said(load: Loader, salt: bytes) -> None:
    foreign = Sample((layer("salt", content=salt),), ("foreign-machine:1",), architecture="s390x")
    done = load.program("load", load.write(docker_archive(foreign)))
    assert done.status == 0, done.stderr
    assert "foreign-machine:1 is made for linux/s390x, but the engine runs linux/amd64" in done.stderr
