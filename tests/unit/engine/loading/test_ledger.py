"""What was loaded where."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from nixdock.engine.loading.ledger import Ledger, open_database
from nixdock.image.reference import Digest

if TYPE_CHECKING:
    from nixdock.engine.connection.api import Engine

BLOBS = [Digest.of(b"%d" % number) for number in range(4)]
CONFIG = Digest.of(b"config")


def make_ledger(directory: Path, engine: str) -> Ledger:
    traits = SimpleNamespace(identity=engine)
    return Ledger(cast("Engine", SimpleNamespace(traits=traits)), open_database(directory))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return make_ledger(tmp_path / "state", "engine")


def test_an_image_is_known_in_its_engine_only(tmp_path: Path) -> None:
    ledger, other = (make_ledger(tmp_path, engine) for engine in ("one", "two"))
    ledger.record("sha256:a", CONFIG, ["docker.io/library/app"], BLOBS[:2])
    assert ledger.find_config("sha256:a") == CONFIG
    assert other.find_config("sha256:a") is None
    assert ledger.blobs_of("sha256:a") == frozenset(BLOBS[:2])
    assert ledger.knows_repository("docker.io/library/app")
    assert not other.knows_repository("docker.io/library/app")
    ledger.forget("sha256:a")
    assert ledger.find_config("sha256:a") is None
    assert ledger.blobs_of("sha256:a") == frozenset()


def test_relatives_come_in_the_order_of_what_they_share(ledger: Ledger) -> None:
    for image, blobs in (("a", BLOBS[:1]), ("b", BLOBS[:3]), ("c", BLOBS[:2]), ("d", BLOBS[3:])):
        ledger.record(image, CONFIG, [], blobs)
    assert ledger.find_related(BLOBS[:3], 2) == ("b", "c")
    assert ledger.find_related([], 2) == ()
    many = [Digest.of(b"many %d" % number) for number in range(1200)]
    ledger.record("m", CONFIG, [], many)
    assert ledger.find_related([*many, *BLOBS], 1) == ("m",)


def test_what_is_wanted_again_is_the_newest(ledger: Ledger) -> None:
    for image in ("a", "b"):
        ledger.record(image, CONFIG, ["app"], [])
    assert [entry.image for entry in ledger.entries()] == ["b", "a"]
    ledger.touch("a")
    assert [entry.image for entry in ledger.entries()] == ["a", "b"]
    ledger.touch("nobody")
    assert len(ledger.entries()) == 2


def test_what_is_the_newest_anyway_needs_no_word_with_the_engine(ledger: Ledger) -> None:
    for image in ("a", "b"):
        ledger.record(image, CONFIG, ["app"], [])
    silent = Ledger(cast("Engine", None), ledger.database)
    for image in ("b", "nobody"):
        silent.touch(image)
    with pytest.raises(AttributeError):
        silent.touch("a")


def test_an_image_without_a_name_is_recorded_too(ledger: Ledger) -> None:
    ledger.record("a", CONFIG, [], BLOBS)
    (entry,) = ledger.entries()
    assert (entry.image, entry.config, entry.repository) == ("a", str(CONFIG), "")


def test_of_images_that_have_as_much_in_common_the_newest_comes_first(ledger: Ledger) -> None:
    for image in ("sha256:b", "sha256:c", "sha256:a"):
        ledger.record(image, CONFIG, ["docker.io/library/app"], BLOBS[:2])
    ledger.touch("sha256:c")
    assert ledger.find_related(BLOBS[:2], 3) == ("sha256:c", "sha256:a", "sha256:b")
    ledger.record("sha256:d", CONFIG, ["docker.io/library/app"], BLOBS)
    assert ledger.find_related(BLOBS, 2) == ("sha256:d", "sha256:c")
