"""What engines can and cannot do, by what they say of themselves."""

from __future__ import annotations

import pytest

from nixdock.engine.connection.responses import EngineInfo, EngineVersion
from nixdock.engine.connection.traits import Traits


def make_traits(product: str, api: str, *, containerd: bool = False, ident: str = "X") -> Traits:
    driver = [["driver-type", "io.containerd.snapshotter.v1"]] if containerd else []
    info = {"ID": ident, "Name": "box", "DockerRootDir": "/data", "DriverStatus": driver}
    return Traits(
        EngineVersion(product, "1", api, "linux", "amd64"), lambda: EngineInfo.from_json(dict(info))
    )


def test_an_engine_is_known_by_its_id_where_it_keeps_one() -> None:
    assert make_traits("Docker", "1.51").identity == "X"
    assert make_traits("Docker", "1.51", ident="").identity == "box:/data"
    assert make_traits("Podman", "1.41").identity == "box:/data"


@pytest.mark.parametrize(
    ("product", "containerd", "stacks", "keeps", "lists_only"),
    [
        ("Docker", False, True, False, False),
        ("Docker", True, False, True, True),
        ("Podman", False, False, False, True),
    ],
)
def test_where_images_live(
    product: str, containerd: bool, stacks: bool, keeps: bool, lists_only: bool
) -> None:
    traits = make_traits(product, "1.48", containerd=containerd)
    assert (traits.stacks_layers, traits.keeps_blobs) == (stacks, keeps)
    assert traits.reads_words_as_lists_only is lists_only


@pytest.mark.parametrize(
    ("product", "api", "zstd", "manifests"),
    [
        ("Docker", "1.41", False, False),
        ("Docker", "1.42", True, False),
        ("Docker", "1.48", True, True),
        ("Podman", "1.41", True, False),
    ],
)
def test_what_an_api_version_brings(product: str, api: str, zstd: bool, manifests: bool) -> None:
    traits = make_traits(product, api)
    assert (traits.reads_zstd, traits.tells_manifests) == (zstd, manifests)


def test_an_engine_is_asked_only_for_what_its_version_does_not_tell() -> None:
    traits = Traits(
        EngineVersion("Podman", "5", "1.41", "linux", "amd64"), lambda: pytest.fail("it was asked")
    )
    assert not traits.stacks_layers
    assert traits.reads_words_as_lists_only
    assert not traits.checks_diff_ids


def test_where_devices_are_looked_for() -> None:
    def directories(product: str, version: str, told: list[str] | None) -> tuple[str, ...]:
        info = EngineInfo.from_json({"ID": "X", "CDISpecDirs": told})
        return Traits(
            EngineVersion(product, version, "1.41", "linux", "amd64"), lambda: info
        ).device_directories

    assert directories("Docker", "28.5.2", ["/etc/cdi"]) == ("/etc/cdi",)
    assert directories("Docker", "20.10.24", None) == directories("Podman", "4.2.1", None) == ()
    assert directories("Podman", "4.3.1", None) == directories("Podman", "4.9.4-rhel", None) != ()
    assert directories("Podman", "6.0.0", ["/usr/cdi"]) == ("/usr/cdi",)
    assert make_traits("Docker", "1.50").tells_devices
    assert not make_traits("Docker", "1.49").tells_devices
