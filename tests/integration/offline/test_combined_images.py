"""Images on images, and several images at once."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from integration.offline.conftest import Images


def test_a_plain_image_goes_on_top_of_a_layered_one(images: Images) -> None:
    assert images.run_example("onLayered") == "layered\n"


def test_a_layered_image_goes_on_top_of_a_layered_one(images: Images) -> None:
    reference = images.example("layeredOnLayered")
    below = images.layers(images.example("layered"))

    assert images.run(reference) == "layered\n"
    assert images.layers(reference)[: len(below)] == below


def test_the_base_may_be_one_of_several_images_by_its_name(images: Images) -> None:
    assert "Redis server v=" in images.run_example("fromMerged")


def test_merged_images_are_all_there_and_run(images: Images) -> None:
    file = images.examples()
    path = images.build(file, "-A", "mergedBashAndRedis")

    assert path.name.partition("-")[2] == "merge-docker-images"
    assert sorted(images.load(file, "-A", "mergedBashAndRedis")) == ["bash:latest", "redis:latest"]
    assert images.run("bash:latest", "/bin/bash", "-c", "echo bash") == "bash\n"
    assert "Redis server v=" in images.run("redis:latest", "/bin/redis-server", "--version")


def test_an_image_without_a_tag_is_merged_with_its_hash(images: Images) -> None:
    file = images.examples()
    tag = images.evaluate(file, "bashNoTag.imageTag")

    assert sorted(images.load(file, "-A", "mergedBashNoTagAndRedis")) == [
        f"bash-no-tag:{tag}",
        "redis:latest",
    ]


def test_merging_keeps_owners(images: Images) -> None:
    images.load(images.examples(), "-A", "mergedOwner")

    assert images.run("fake-root-commands:latest") == "1000\n"


def test_images_of_any_compression_are_merged_and_the_last_decides(images: Images) -> None:
    file = images.examples()
    path = images.build(file, "-A", "mergedCompressors")

    assert path.read_bytes()[:2] == b"\x1f\x8b"
    assert sorted(images.load(file, "-A", "mergedCompressors")) == [
        "bash-uncompressed:latest",
        "bash-zstd:latest",
        "bash:latest",
    ]


def test_layers_that_merged_images_share_are_there_once(images: Images) -> None:
    file = images.write(
        """
        dockerTools.mergeImages [
          dockerTools.examples.bashLayeredUncompressed
          (dockerTools.buildLayeredImage { name = "b"; compressor = "none"; contents = [ pkgs.bash ]; })
        ]
        """,
    )
    with tarfile.open(images.build(file)) as archive:
        names = archive.getnames()

    assert len(names) == len(set(names))
    assert sorted(images.load(file))[1] == "bash-layered-uncompressed:latest"


def test_an_image_is_exported_as_the_files_that_are_seen(images: Images) -> None:
    path = images.build(images.examples(), "-A", "exported")
    with tarfile.open(path) as archive:
        members = {member.name: member for member in archive}

    assert path.name.partition("-")[2] == "exported.tar"
    assert members["./bin/bash"].isfile() or members["./bin/bash"].issym()
    assert "./tmp/layer1" in members
    # The base has it, and the layer above removes it.
    assert "./tmp/layer2" not in members
    assert members["./tmp/new"].mode == 0o700
    assert not [name for name in members if ".wh." in name]
