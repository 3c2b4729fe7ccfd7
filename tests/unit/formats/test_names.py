"""The names that an artefact gives its image: those that an engine can give it, and no others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from nixdock.errors import LoadError
from nixdock.events import Event, Warned
from nixdock.formats import open_images
from nixdock.formats.memory import Memory, open_database
from nixdock.formats.source import FileBytes
from support.archives import (
    OCI,
    Sample,
    descriptor,
    docker_archive,
    docker_archive_entries,
    layer,
    layout_files,
    oci_manifest,
    tar,
)

DIGEST = f"sha256:{'1' * 64}"
SAMPLE = Sample((layer("a"),), ())

# What is written, what the image is called, and how many names are told of.
NAMES: list[tuple[list[str], list[str], int]] = [
    (["x:1"], ["x:1"], 0),
    (["x"], ["x:latest"], 0),
    ([f"x@{DIGEST}"], [], 1),
    ([f"x:1@{DIGEST}"], ["x:1"], 1),
    ([f"x:latest@{DIGEST}"], ["x:latest"], 1),
    ([f"localhost:5000/x@{DIGEST}"], [], 1),
    ([f"localhost:5000/x:1@{DIGEST}"], ["localhost:5000/x:1"], 1),
    ([f"docker.io/library/x@{DIGEST}"], [], 1),
    ([f"x@{DIGEST}", "x:1"], ["x:1"], 1),
    (["x:1", f"x:1@{DIGEST}"], ["x:1"], 1),
    ([f"x:1@{DIGEST}", f"x:2@{DIGEST}"], ["x:1", "x:2"], 2),
    ([f"x@{DIGEST}", f"y@{DIGEST}"], [], 2),
    (["x:1", "x:1", "docker.io/library/x:1"], ["x:1"], 0),
]
FORMS = ("docker", "containerd name", "ref name", "docker beside an index")


def make(form: str, names: list[str]) -> bytes:
    if form == "docker":
        return docker_archive(Sample(SAMPLE.layers, tuple(names)))
    blobs: dict[str, bytes] = {}
    manifest = oci_manifest(SAMPLE, blobs)
    if form == "docker beside an index":
        index: dict[str, Any] = {"manifests": [descriptor(f"{OCI}.manifest.v1+json", manifest)]}
        beside = docker_archive_entries(Sample(SAMPLE.layers, tuple(names)))
        return tar([*layout_files(index), *blobs.items(), *beside])
    key = {"containerd name": "io.containerd.image.name", "ref name": "org.opencontainers.image.ref.name"}[
        form
    ]
    index = {
        "manifests": [
            descriptor(f"{OCI}.manifest.v1+json", manifest, annotations={key: name}) for name in names
        ]
    }
    return tar([*layout_files(index), *blobs.items()])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("row", range(len(NAMES)))
def test_a_digest_is_no_name_that_an_image_can_be_given(form: str, row: int, tmp_path: Path) -> None:
    written, expected, told = NAMES[row]
    if form in {"ref name", "containerd name"} and written == ["x"]:
        expected = []  # a bare tag
    path = tmp_path / "archive"
    path.write_bytes(make(form, written))
    events: list[Event] = []
    (image,) = open_images(path, memory=Memory(open_database(tmp_path / "cache")), listener=events.append)
    assert [reference.familiar for reference in image.references] == expected
    warnings = [event.text for event in events if isinstance(event, Warned)]
    assert len(warnings) == told
    assert all(DIGEST in text and "cannot be given a digest" in text for text in warnings)


def test_a_file_that_nix_links_meanwhile_has_not_changed(tmp_path: Path) -> None:
    """`nix-store --optimise` puts another file of the same content in its place, by a link."""
    path = tmp_path / "file"
    path.write_bytes(b"content")
    time = path.stat().st_mtime_ns
    opened = FileBytes(path)
    # A link more: another time of the inode.
    (tmp_path / "link").hardlink_to(path)
    with opened.section() as stream:
        assert stream.read() == b"content"
    # A link to a copy: another inode.
    (tmp_path / "copy").write_bytes(b"content")
    path.unlink()
    path.hardlink_to(tmp_path / "copy")

    os.utime(path, ns=(time, time))
    with opened.section() as stream:
        assert stream.read() == b"content"


def test_what_else_happens_to_a_file_is_a_change(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for size, seconds in ((7, 1), (8, 0)):
        path.write_bytes(b"content")
        time = path.stat().st_mtime_ns
        opened = FileBytes(path)
        path.write_bytes(b"x" * size)

        os.utime(path, ns=(time + seconds * 10**9, time + seconds * 10**9))
        with pytest.raises(LoadError, match="changed while it was read"):
            opened.section()
