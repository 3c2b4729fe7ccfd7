"""Pruning: older builds of what nixdock loaded, and nothing else."""

from __future__ import annotations

import json

import pytest

from support.archives import docker_archive, layer, runnable

from .conftest import Loader


def build(load: Loader, number: int, salt: bytes, tag: str) -> str:
    """Load one more build of an image; return its ID."""
    sample = runnable(layer("salt", content=salt + bytes([number])), tags=(tag,))
    loaded: str = load(load.write(docker_archive(sample)))[0]["engine_id"]
    return loaded


def prune(load: Loader, *words: str) -> list[str]:
    done = load.program("prune", "--json", *words)
    assert done.status == 0, done.stderr
    return [found["image"] for found in json.loads(done.stdout)]


@pytest.mark.slow
def test_older_builds_go_and_the_newest_stay(load: Loader, salt: bytes) -> None:
    ids = [build(load, number, salt, f"app:{number}") for number in range(4)]
    other = build(load, 9, salt, "other:1")
    assert prune(load, "--dry-run", "--keep", "2") == [ids[1], ids[0]]
    assert load.images() == {*ids, other}
    assert prune(load, "--keep", "2") == [ids[1], ids[0]]
    assert load.images() == {*ids[2:], other}
    assert prune(load, "other") == []
    assert prune(load, "app") == [ids[2]]
    assert load.images() == {ids[3], other}
    assert prune(load) == []
    assert load.says("app:3") == "hello"


def test_a_build_that_lost_its_tag_goes_too(load: Loader, salt: bytes) -> None:
    first, second = (build(load, number, salt, "app:latest") for number in range(2))
    assert prune(load) == [first]
    assert load.images() == {second}


def test_a_build_that_is_wanted_again_is_the_newest(load: Loader, salt: bytes) -> None:
    first = build(load, 1, salt, "app:1")
    second = build(load, 2, salt, "app:2")
    assert build(load, 1, salt, "app:1") == first
    assert prune(load) == [second]


def test_what_a_container_uses_stays(load: Loader, salt: bytes) -> None:
    first, second = (build(load, number, salt, f"app:{number}") for number in range(2))
    container = load.engine.docker("create", "app:0").strip()
    assert prune(load) == []
    assert load.images() == {first, second}
    load.engine.docker("rm", container)
    assert prune(load) == [first]


def test_what_nixdock_did_not_load_stays(load: Loader, salt: bytes) -> None:
    for number in range(2):
        sample = runnable(layer("salt", content=salt + bytes([number])), tags=(f"app:{number}",))
        load.engine.docker("load", stdin=docker_archive(sample))
    foreign = load.images()
    # Named again by nixdock, but not loaded by it.
    sample = runnable(layer("salt", content=salt + b"\1"), tags=("app:1",))
    assert load(load.write(docker_archive(sample)))[0]["was_there"]
    own = build(load, 2, salt, "app:2")
    assert prune(load) == []
    assert load.images() == {*foreign, own}


def test_another_name_that_somebody_gave_keeps_the_image(load: Loader, salt: bytes) -> None:
    first, second = (build(load, number, salt, f"app:{number}") for number in range(2))
    name = "docker.io/library/" if load.engine.name == "podman" else ""
    load.engine.docker("tag", f"{name}app:0", f"{name}precious:1")
    assert prune(load) == [first]
    assert load.images() == {first, second}
    assert load.says("precious:1") == "hello"
    assert prune(load) == []


def test_words_for_people(load: Loader, salt: bytes) -> None:
    for number in range(2):
        build(load, number, salt, f"app:{number}")
    assert load.program("prune", "--dry-run").stdout == "Would remove image: app:0\n"
    assert load.program("prune").stdout == "Removed image: app:0\n"
    done = load.program("prune", "Not/Allowed")
    assert (done.status, done.stdout) == (2, "")
