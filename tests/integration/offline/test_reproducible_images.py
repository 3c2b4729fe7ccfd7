"""Images are the same, byte for byte, whenever and wherever they are built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from integration.offline.conftest import Images

KINDS = (
    *("bash", "bashZstdCompressed", "bashUncompressed", "owned", "environment"),
    *("layered", "fourLayers", "bashLayeredZstdCompressed", "streamed"),
    *("redis", "removed", "fakeRootCommands", "fakechrootOwner", "shadow"),
    *("mergedCompressors", "exported", "nix", "nixLayered", "shellBuilt"),
)


@pytest.mark.parametrize("name", KINDS)
def test_building_it_again_gives_the_same_bytes(name: str, images: Images) -> None:
    images.check(images.examples(), "-A", name)


@pytest.mark.parametrize(
    "name", ["redis", "runAsRootExtraCommands", "repeatedLayers", "extraCommands", "nix"]
)
def test_building_its_layer_again_gives_the_same_bytes(name: str, images: Images) -> None:
    images.check(images.examples(), "-A", f"{name}.layer")


@pytest.mark.parametrize("name", ["fakeRootReferences", "fakechroot", "fakechrootOwner", "nixStreamed"])
def test_building_its_own_files_again_gives_the_same_bytes(name: str, images: Images) -> None:
    images.check(images.examples(), "-A", f"{name}.conf")
    images.check(images.examples(), "-A", f"{name}.conf.customisationLayer")
