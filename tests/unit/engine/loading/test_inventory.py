"""What an engine lacks is found with a bounded number of requests, and what is not understood is sent."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from nixdock.engine.connection.responses import EngineInfo, EngineVersion, ImageDetails, ImageSummary
from nixdock.engine.connection.traits import Traits
from nixdock.engine.loading.inventory import PROBES, Inventory, probe_blobs, take_inventory
from nixdock.engine.loading.ledger import Ledger, open_database
from nixdock.engine.loading.parcel import PackedImage, pack
from nixdock.image.model import Image, OpenerLayer
from nixdock.image.reference import Digest, Reference
from support.archives import Sample, layer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nixdock.engine.connection.api import Engine

SAMPLE = Sample(tuple(layer(name) for name in "abcd"))
NAME = Reference.parse("app:1")
# As Docker 20.10 answers to a layer that is not in the archive.
MISSING = "open /var/lib/docker/tmp/docker-import-1/nixdock-layer-{}: no such file or directory"
KEY = "engine"


@dataclass
class FakeEngine:
    """Answers as an engine does, and notes what it was asked.

    Attributes:
        error: What it says to an archive.
        images_there: How many images it has.
        details: What inspecting says, by image.
        present: Blobs that a probe finds there.
    """

    error: str | None = None
    images_there: int = 1
    product: str = "Docker"
    api: str = "1.48"
    containerd: bool = False
    details: dict[str, dict[str, Any]] = field(default_factory=dict)
    present: frozenset[Digest] = frozenset()
    asked: list[str] = field(default_factory=list)
    sent: bytes = b""
    stale: tuple[str, ...] = ()

    @property
    def version(self) -> EngineVersion:
        return EngineVersion(self.product, "28.5", self.api, "linux", "amd64")

    @property
    def info(self) -> EngineInfo:
        driver = [["driver-type", "io.containerd.snapshotter.v1"]] if self.containerd else []
        return EngineInfo.from_json({"ID": KEY, "Driver": "overlayfs", "DriverStatus": driver})

    @property
    def traits(self) -> Traits:
        return Traits(self.version, lambda: self.info)

    def has_images(self) -> bool:
        self.asked.append("has_images")
        return self.images_there > 0

    def load(self, archive: Iterable[bytes]) -> Iterator[dict[str, Any]]:
        self.asked.append("load")
        self.sent = b"".join(archive)
        yield {"errorDetail": {"message": self.error}} if self.error else {"stream": "Loaded image: app:1\n"}

    def find_image(self, name: str, *, manifests: bool = False) -> ImageDetails | None:
        assert manifests or not (self.containerd or self.product == "Podman")
        self.asked.append("find_image")
        raw = self._probed() if name.startswith(PROBES) else self.details.get(name)
        return ImageDetails.from_json(raw) if raw is not None else None

    def images(self, *, filters: dict[str, list[str]]) -> tuple[ImageSummary, ...]:
        assert filters == {"reference": [PROBES]}
        self.asked.append("images")
        return (ImageSummary.from_json({"Id": "sha256:0", "RepoTags": list(self.stale)}),)

    def remove_image(self, name: str, *, force: bool = False) -> None:
        self.asked.append("remove stale" if name in self.stale else "remove probe")

    def _probed(self) -> dict[str, Any]:
        """Say of each manifest of the archive whether all its layers are there, as Docker 28 does."""
        manifests = []
        with tarfile.open(fileobj=io.BytesIO(self.sent)) as archive:
            for member in archive:
                content = archive.extractfile(member)
                text = content.read() if content else b""
                document = json.loads(text)
                if "layers" in document:
                    digests = {Digest.parse(one["digest"]) for one in document["layers"]}
                    manifests.append({"ID": str(Digest.of(text)), "Available": digests <= self.present})
        return {"Id": "sha256:0", "Manifests": manifests}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(cast("Engine", FakeEngine()), open_database(tmp_path / "state"))


@pytest.fixture
def parcel() -> PackedImage:
    layers = tuple(
        OpenerLayer(Digest.of(content), len(content), lambda content=content: io.BytesIO(content))  # type: ignore[misc]
        for content in SAMPLE.layers
    )
    return pack(Image(SAMPLE.config_bytes, layers, (NAME,)))


def take(engine: FakeEngine, parcel: PackedImage, ledger: Ledger) -> Inventory:
    return take_inventory(cast("Engine", engine), parcel, NAME, ledger)


def test_an_engine_without_images_is_asked_nothing_more(parcel: PackedImage, ledger: Ledger) -> None:
    engine = FakeEngine(images_there=0)
    assert take(engine, parcel, ledger) == Inventory(parcel.blobs)
    assert engine.asked == ["has_images"]


@pytest.mark.parametrize("first", [0, 2, 3])
def test_a_graph_driver_names_the_first_layer_that_it_lacks(
    first: int, parcel: PackedImage, ledger: Ledger
) -> None:
    engine = FakeEngine(error=MISSING.format(first))
    assert take(engine, parcel, ledger) == Inventory(parcel.blobs[first:])
    assert engine.asked == ["has_images", "load"]
    with tarfile.open(fileobj=io.BytesIO(engine.sent)) as archive:
        assert not [name for name in archive.getnames() if name.startswith("nixdock-layer")]


def test_a_graph_driver_that_lacks_nothing_has_loaded_the_image_by_the_asking(
    parcel: PackedImage, ledger: Ledger
) -> None:
    assert take(FakeEngine(), parcel, ledger) == Inventory((), loaded=True)


def test_an_answer_that_is_not_understood_means_that_everything_is_sent(
    parcel: PackedImage, ledger: Ledger
) -> None:
    assert take(FakeEngine(error="layer 2 is strange"), parcel, ledger) == Inventory(parcel.blobs)


def record(ledger: Ledger, parcel: PackedImage, layers: int) -> dict[str, dict[str, Any]]:
    """Note that an image with the lowest layers was loaded; return it as an engine describes it."""
    known = [blob.digest for blob in parcel.blobs[:layers]]
    ledger.record("sha256:before", Digest.of(b"config"), ["app"], known)
    diff_ids = [*map(str, known), str(Digest.of(b"another"))]
    return {"sha256:before": {"Id": "sha256:before", "RootFS": {"Type": "layers", "Layers": diff_ids}}}


def test_a_graph_driver_is_not_probed_for_the_little_above_an_image_loaded_before(
    parcel: PackedImage, ledger: Ledger
) -> None:
    engine = FakeEngine(details=record(ledger, parcel, 3))
    assert take(engine, parcel, ledger) == Inventory(parcel.blobs[3:])
    assert engine.asked == ["find_image"]


def test_a_graph_driver_is_probed_where_much_is_above_an_image_loaded_before(
    parcel: PackedImage, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nixdock.engine.loading.inventory._NOT_WORTH_ASKING", parcel.blobs[3].size - 1)
    engine = FakeEngine(details=record(ledger, parcel, 3), error=MISSING.format(3))
    assert take(engine, parcel, ledger) == Inventory(parcel.blobs[3:])
    assert engine.asked == ["find_image", "has_images", "load"]


def test_a_layer_in_another_place_is_not_one_that_a_graph_driver_has(
    parcel: PackedImage, ledger: Ledger
) -> None:
    details = record(ledger, parcel, 3)
    details["sha256:before"]["RootFS"]["Layers"].reverse()
    engine = FakeEngine(details=details, error=MISSING.format(0))
    assert take(engine, parcel, ledger) == Inventory(parcel.blobs)
    assert engine.asked == ["find_image", "has_images", "load"]


def test_a_graph_driver_is_probed_when_an_image_loaded_before_is_gone(
    parcel: PackedImage, ledger: Ledger
) -> None:
    record(ledger, parcel, 3)
    engine = FakeEngine(error=MISSING.format(1))
    assert take(engine, parcel, ledger) == Inventory(parcel.blobs[1:])
    assert engine.asked == ["find_image", "has_images", "load"]
    assert ledger.blobs_of("sha256:before") == frozenset()


@pytest.mark.parametrize(("product", "containerd"), [("Podman", False), ("Docker", True)])
def test_what_was_loaded_before_is_confirmed_by_one_request(
    product: str, containerd: bool, parcel: PackedImage, ledger: Ledger
) -> None:
    known = [blob.digest for blob in parcel.blobs[:3]]
    ledger.record("sha256:before", Digest.of(b"config"), ["app"], known)
    details = {"sha256:before": {"Id": "sha256:before", "Manifests": [{"Available": True}]}}
    engine = FakeEngine(product=product, containerd=containerd, details=details)
    assert take(engine, parcel, ledger) == Inventory(parcel.blobs[3:])
    assert engine.asked == ["has_images", "find_image"]


@pytest.mark.parametrize("details", [None, {"Id": "sha256:before", "Manifests": [{"Available": False}]}])
def test_what_was_loaded_before_and_is_gone_is_forgotten(
    details: dict[str, Any] | None, parcel: PackedImage, ledger: Ledger
) -> None:
    ledger.record("sha256:before", Digest.of(b"config"), ["app"], [parcel.blobs[0].digest])
    engine = FakeEngine(containerd=True, details={"sha256:before": details} if details else {})
    assert take(engine, parcel, ledger) == Inventory(parcel.blobs)
    assert ledger.blobs_of("sha256:before") == frozenset()


def test_only_the_nearest_relatives_are_looked_at(parcel: PackedImage, ledger: Ledger) -> None:
    for number in range(50):
        ledger.record(f"sha256:{number}", Digest.of(b"config"), ["app"], [parcel.blobs[0].digest])
    engine = FakeEngine(product="Podman")
    assert take(engine, parcel, ledger) == Inventory(parcel.blobs)
    assert engine.asked.count("find_image") == 3


def test_a_probe_tells_which_blobs_are_there_and_goes_again(parcel: PackedImage) -> None:
    present = frozenset(blob.digest for blob in parcel.blobs[1:3])
    engine = FakeEngine(containerd=True, present=present, stale=(f"{PROBES}:17-abandoned",))
    assert probe_blobs(cast("Engine", engine), parcel.blobs) == present
    assert engine.asked == ["images", "remove stale", "load", "find_image", "remove probe"]


@pytest.mark.parametrize("engine", [FakeEngine(api="1.47"), FakeEngine(error="no space left on device")])
def test_an_engine_that_cannot_be_probed_surely_has_nothing(engine: FakeEngine, parcel: PackedImage) -> None:
    assert probe_blobs(cast("Engine", engine), parcel.blobs) == frozenset()
    assert engine.asked in ([], ["images", "load", "remove probe"])
