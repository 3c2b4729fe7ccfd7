"""What was learned once is not read again, and what is remembered is never trusted too far."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any

import pytest

from nixdock.formats import open_images
from nixdock.formats.compression import DecompressedBytes
from nixdock.formats.memory import Memory, open_database
from nixdock.formats.source import FileBytes
from nixdock.image.reference import Digest
from support import archives
from support.archives import Sample, docker_archive, layer, oci_entries

SAMPLE = Sample((layer("a"), layer("b", content=b"y" * 100_000)))


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(open_database(tmp_path / "cache"))


@pytest.fixture
def sections(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int | None]]:
    """Every part of a file that is opened."""
    opened: list[tuple[str, int, int | None]] = []

    def watch(kind: type[Any]) -> None:
        original = kind.section

        def section(self: Any, offset: int = 0, size: int | None = None) -> IO[bytes]:
            opened.append((kind.__name__, offset, size))
            found: IO[bytes] = original(self, offset, size)
            return found

        monkeypatch.setattr(kind, "section", section)

    watch(FileBytes)
    watch(DecompressedBytes)
    return opened


@pytest.mark.parametrize("codec", archives.COMPRESSORS)
@pytest.mark.parametrize("make", ["docker", "oci"])
def test_an_archive_that_is_known_is_not_read_through(
    codec: str, make: str, tmp_path: Path, memory: Memory, sections: list[tuple[str, int, int | None]]
) -> None:
    path = tmp_path / "image"
    data = docker_archive(SAMPLE) if make == "docker" else archives.tar(oci_entries(SAMPLE))
    path.write_bytes(archives.COMPRESSORS[codec](data))
    (first,) = open_images(path, memory=memory)
    sections.clear()
    (second,) = open_images(path, memory=memory)
    assert (second.config_digest, second.diff_ids) == (first.config_digest, first.diff_ids)
    # The first bytes, to see what it is; and small documents where they need not be decompressed.
    assert [size for _, offset, size in sections if offset > 0 and (size is None or size > 2000)] == []
    assert "DecompressedBytes" not in {kind for kind, _, _ in sections}


def test_a_changed_archive_is_read_again(tmp_path: Path, memory: Memory) -> None:
    path = tmp_path / "image"
    path.write_bytes(docker_archive(SAMPLE, codec="gzip"))
    open_images(path, memory=memory)
    other = Sample((layer("c"), layer("d", content=b"y" * 100_000)))
    path.write_bytes(docker_archive(other, codec="gzip"))
    (image,) = open_images(path, memory=memory)
    assert image.diff_ids == other.diff_ids


def test_the_same_file_by_another_name_is_known(
    tmp_path: Path, memory: Memory, sections: list[tuple[str, int, int | None]]
) -> None:
    path = tmp_path / "image"
    path.write_bytes(docker_archive(SAMPLE, codec="gzip"))
    (tmp_path / "result").symlink_to(path)
    open_images(path, memory=memory)
    sections.clear()
    open_images(tmp_path / "result", memory=memory)
    assert not any(kind == "DecompressedBytes" for kind, _, _ in sections)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"files": 1}', '{"files": {"a": [1]}, "links": {}, "documents": {}}']
)
def test_rubbish_in_the_memory_is_as_good_as_nothing(content: str, tmp_path: Path, memory: Memory) -> None:
    path = tmp_path / "image"
    path.write_bytes(docker_archive(SAMPLE, codec="gzip"))
    open_images(path, memory=memory)
    memory.database.write("UPDATE archives SET content = ?", [(content,)])
    (image,) = open_images(path, memory=memory)
    assert image.diff_ids == SAMPLE.diff_ids


def test_without_a_place_for_it_everything_works(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    memory = Memory(open_database(tmp_path / "file"))
    path = tmp_path / "image"
    path.write_bytes(docker_archive(SAMPLE, codec="zstd"))
    for _ in range(2):
        (image,) = open_images(path, memory=memory)
        assert image.diff_ids == SAMPLE.diff_ids


def test_only_the_newest_archives_are_kept(tmp_path: Path, memory: Memory) -> None:
    path = tmp_path / "image"
    path.write_bytes(b"x")
    identity = FileBytes(path).identity
    for number in range(505):
        memory.keep_archive(identity.__class__(0, number, 0, 0, 0), number)
    assert memory.database.read("SELECT COUNT(*) FROM archives") == [(500,)]
    assert memory.recall_archive(identity.__class__(0, 0, 0, 0, 0)) is None
    assert memory.recall_archive(identity.__class__(0, 504, 0, 0, 0)) == 504


def test_layers_are_recalled_in_any_number(memory: Memory) -> None:
    digests = {f"recipe-{number}": Digest.of(b"%d" % number) for number in range(1200)}
    for recipe, digest in digests.items():
        if recipe != "recipe-7":
            memory.keep_layer(recipe, digest, size=len(recipe))
    found = memory.recall_layers(list(digests))
    assert found == {
        recipe: (digest, len(recipe)) for recipe, digest in digests.items() if recipe != "recipe-7"
    }
    memory.forget_layer("recipe-8")
    assert memory.recall_layers(["recipe-8", "recipe-9"]).keys() == {"recipe-9"}


def test_an_identity_tells_a_rewritten_file_from_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(b"one")
    before = FileBytes(path).identity
    status = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    # Size and modification time are the same again; the time of the change cannot be set.
    assert FileBytes(path).identity != before
