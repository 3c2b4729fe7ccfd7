"""What was loaded where."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixdock.engine.loading.ledger import Ledger, open_database
from nixdock.image.digest import Digest

BLOBS = [Digest.of(b"%d" % number) for number in range(4)]
CONFIG = Digest.of(b"config")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(open_database(tmp_path / "state"))


def test_an_image_is_known_in_its_engine_only(ledger: Ledger) -> None:
    ledger.record("one", "sha256:a", CONFIG, ["docker.io/library/app"], BLOBS[:2])
    assert ledger.find_config("one", "sha256:a") == CONFIG
    assert ledger.find_config("two", "sha256:a") is None
    assert ledger.blobs_of("one", "sha256:a") == frozenset(BLOBS[:2])
    assert ledger.knows_repository("one", "docker.io/library/app")
    assert not ledger.knows_repository("two", "docker.io/library/app")
    ledger.forget("one", "sha256:a")
    assert ledger.find_config("one", "sha256:a") is None
    assert ledger.blobs_of("one", "sha256:a") == frozenset()


def test_relatives_come_in_the_order_of_what_they_share(ledger: Ledger) -> None:
    for image, blobs in (("a", BLOBS[:1]), ("b", BLOBS[:3]), ("c", BLOBS[:2]), ("d", BLOBS[3:])):
        ledger.record("engine", image, CONFIG, [], blobs)
    assert ledger.find_related("engine", BLOBS[:3], 2) == ("b", "c")
    assert ledger.find_related("engine", [], 2) == ()
    many = [Digest.of(b"many %d" % number) for number in range(1200)]
    ledger.record("engine", "m", CONFIG, [], many)
    assert ledger.find_related("engine", [*many, *BLOBS], 1) == ("m",)


def test_what_is_wanted_again_is_the_newest(ledger: Ledger) -> None:
    for image in ("a", "b"):
        ledger.record("engine", image, CONFIG, ["app"], [])
    assert [entry.image for entry in ledger.entries("engine")] == ["b", "a"]
    ledger.touch("engine", "a")
    assert [entry.image for entry in ledger.entries("engine")] == ["a", "b"]
    ledger.touch("engine", "nobody")
    assert len(ledger.entries("engine")) == 2


def test_an_image_without_a_name_is_recorded_too(ledger: Ledger) -> None:
    ledger.record("engine", "a", CONFIG, [], BLOBS)
    (entry,) = ledger.entries("engine")
    assert (entry.image, entry.config, entry.repository) == ("a", str(CONFIG), "")
