"""The archive that is sent: what is in it, in which order, and what is noticed on the way."""

from __future__ import annotations

import io
import json
import tarfile
from functools import partial
from pathlib import Path
from typing import IO

import pytest

from nixdock.engine.loading.archive import verify_blobs, write_archive, write_in_one_pass
from nixdock.engine.loading.parcel import PackedImage, is_settled, pack
from nixdock.errors import LoadError
from nixdock.formats.source import FileBytes, open_chunks
from nixdock.image.computed import ComputedImage, ComputedLayer, LayerChangedError
from nixdock.image.extent import Extent, read_piece
from nixdock.image.model import Image, OpenerLayer
from nixdock.image.reference import Digest, Reference
from support.archives import Sample, layer

SAMPLE = Sample((layer("a"), layer("b"), layer("a")))
NAME = Reference.parse("registry.example/app:1")


def opener(content: bytes) -> OpenerLayer:
    return OpenerLayer(Digest.of(content), len(content), lambda: io.BytesIO(content))


def image_of(*layers: bytes) -> Image:
    return Image(SAMPLE.config_bytes, tuple(opener(content) for content in layers), (NAME,))


def names_of(data: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return archive.getnames()


def read(data: bytes, name: str) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = archive.extractfile(name)
        assert found is not None
        return found.read()


def written(parcel: PackedImage, missing: tuple[int, ...], reference: Reference | None = NAME) -> bytes:
    archive = write_archive(parcel, reference, [parcel.blobs[number] for number in missing])
    data = b"".join(map(read_piece, archive.pieces))
    assert len(data) == archive.size
    return data


def blob(content: bytes) -> str:
    return f"blobs/sha256/{Digest.of(content).hex}"


def test_both_forms_stand_in_one_archive_and_a_repeated_layer_once() -> None:
    parcel = pack(image_of(*SAMPLE.layers))
    data = written(parcel, (0, 1, 2))
    assert names_of(data) == [
        "oci-layout",
        "index.json",
        "manifest.json",
        f"blobs/sha256/{parcel.manifest.digest.hex}",
        blob(SAMPLE.config_bytes),
        blob(SAMPLE.layers[0]),
        blob(SAMPLE.layers[1]),
    ]
    (document,) = json.loads(read(data, "manifest.json"))
    assert document == {
        "Config": blob(SAMPLE.config_bytes),
        "RepoTags": ["registry.example/app:1"],
        "Layers": [blob(content) for content in SAMPLE.layers],
    }
    (descriptor,) = json.loads(read(data, "index.json"))["manifests"]
    assert descriptor["digest"] == str(parcel.manifest.digest)
    assert descriptor["annotations"]["io.containerd.image.name"] == "registry.example/app:1"
    assert descriptor["platform"] == {"architecture": "amd64", "os": "linux"}


def test_what_is_there_is_left_out_and_still_named() -> None:
    data = written(pack(image_of(*SAMPLE.layers)), (1,))
    assert blob(SAMPLE.layers[0]) not in names_of(data)
    assert json.loads(read(data, "manifest.json"))[0]["Layers"][0] == blob(SAMPLE.layers[0])


def test_without_a_name_there_is_none() -> None:
    data = written(pack(image_of(*SAMPLE.layers)), (), None)
    assert json.loads(read(data, "manifest.json"))[0]["RepoTags"] is None
    assert "annotations" not in json.loads(read(data, "index.json"))["manifests"][0]


@pytest.mark.parametrize("change", [1, -1])
def test_a_layer_of_another_size_is_noticed(change: int) -> None:
    content = SAMPLE.layers[0]
    wrong = OpenerLayer(Digest.of(content), len(content) + change, lambda: io.BytesIO(content))
    parcel = pack(Image(SAMPLE.config_bytes, (wrong,)))
    with pytest.raises(LoadError, match="has not the"):
        written(parcel, (0,))


def test_layers_are_verified_when_asked() -> None:
    content = SAMPLE.layers[0]
    wrong = OpenerLayer(Digest.of(b"other"), len(content), lambda: io.BytesIO(content))
    good, bad = pack(image_of(content)), pack(Image(SAMPLE.config_bytes, (wrong,)))
    verify_blobs(good.blobs)
    with pytest.raises(LoadError, match="a layer is damaged"):
        verify_blobs(bad.blobs)


def computed(content: bytes, known: Digest | None = None, size: int | None = None) -> ComputedLayer:
    def make() -> IO[bytes]:
        return open_chunks(iter([content[:700], b"", content[700:]]))

    return ComputedLayer("a layer", len(content) if size is None else size, make, known=known)


def test_what_stands_in_a_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "layers"
    path.write_bytes(b"".join(SAMPLE.layers))
    file = FileBytes(path)
    sizes = [len(content) for content in SAMPLE.layers]
    layers = tuple(
        OpenerLayer(diff_id, size, partial(file.section, sum(sizes[:number]), size))
        for number, (diff_id, size) in enumerate(zip(SAMPLE.diff_ids, sizes, strict=True))
    )
    parcel = pack(Image(SAMPLE.config_bytes, layers, (NAME,)))
    pieces = list(write_archive(parcel, NAME, parcel.blobs).pieces)
    extents = [piece for piece in pieces if isinstance(piece, Extent)]
    assert [len(extent) for extent in extents] == sizes[:2]
    assert read(written(parcel, (0, 1, 2)), blob(SAMPLE.layers[1])) == SAMPLE.layers[1]


def computed_image(*layers: ComputedLayer) -> ComputedImage:
    def make_config(diff_ids: tuple[Digest, ...]) -> bytes:
        return json.dumps({"rootfs": {"diff_ids": [str(diff_id) for diff_id in diff_ids]}}).encode()

    return ComputedImage(layers, (NAME,), "amd64", make_config)


def test_in_one_pass_each_layer_is_followed_by_its_name() -> None:
    image = computed_image(*(computed(content) for content in SAMPLE.layers[:2]))
    assert not is_settled(image)
    counted: list[int] = []
    archive = write_in_one_pass(image, NAME, counted.append)
    data = b"".join(map(read_piece, archive.pieces))
    assert len(data) == archive.size
    assert is_settled(image)
    assert image.diff_ids == SAMPLE.diff_ids[:2]
    assert sum(counted) == sum(len(content) for content in SAMPLE.layers[:2])
    assert names_of(data)[:4] == [
        "blobs/sha256/layer-0",
        blob(SAMPLE.layers[0]),
        "blobs/sha256/layer-1",
        blob(SAMPLE.layers[1]),
    ]
    # The link leads to the bytes.
    assert read(data, blob(SAMPLE.layers[1])) == SAMPLE.layers[1]
    assert read(data, blob(image.config_bytes)) == image.config_bytes


def test_a_changed_layer_forgets_what_was_known_of_it() -> None:
    content = SAMPLE.layers[0]
    wrong = computed(content, known=Digest.of(b"before"))
    image = computed_image(wrong)
    with pytest.raises(LayerChangedError):
        verify_blobs(pack(image).blobs)
    assert image.described_anew().diff_ids == (Digest.of(content),)
    short = computed(content, known=Digest.of(content), size=10)
    with pytest.raises(LayerChangedError, match="instead of 10"):
        written(pack(computed_image(short)), (0,))
