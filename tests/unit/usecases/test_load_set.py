"""What came of a set of images: those that are loaded, in order, and one error for all that went wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from nixdock.engine.connection.refusals import EngineRefusedError, EngineUnreachableError
from nixdock.engine.loading.load import LoadedImage
from nixdock.errors import BuildError, LoadError, NixdockError, UsageError
from nixdock.events import ignore
from nixdock.image.manifest import Platform
from nixdock.image.model import Image
from nixdock.image.reference import Digest, Reference
from nixdock.nix.artefact import Artefact, ArtefactForm
from nixdock.usecases import load_set as module
from nixdock.usecases.artefact import EngineLostError, PartlyBuiltError, PartlyLoadedError
from nixdock.usecases.load_set import load_set


class Loading:
    """Opens and loads images by name, and fails as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.errors: dict[str, NixdockError] = {}
        self.asked: list[str] = []
        monkeypatch.setattr(module, "open_artefact", self._open)
        monkeypatch.setattr(module, "load_image", self._load)
        monkeypatch.setattr(module, "Ledger", lambda _engine: None)

    def __call__(self, *names: str, **options: Any) -> tuple[str, ...]:
        artefacts = [Artefact(Path(name), ArtefactForm.ARCHIVE) for name in names]
        platform = Platform.of_this_machine()
        loaded = load_set(cast("Any", None), artefacts, ignore, platform=platform, **options)
        return tuple(image.name for image in loaded)

    def _open(self, artefact: Artefact, *_arguments: Any) -> tuple[Image, ...]:
        name = str(artefact.path)
        if name.startswith("unreadable"):
            raise LoadError(f"{name} is damaged")
        return (Image(name.encode(), (), (Reference.parse(f"{name}:1"),)),)

    def _load(self, _engine: object, image: Image, **_options: Any) -> LoadedImage:
        name = image.references[0].familiar
        self.asked.append(name)
        if name in self.errors:
            raise self.errors[name]
        digest = Digest.of(name.encode())
        details: Any = None
        return LoadedImage(image.references, digest, "id", 1, 1, 1, 1, 0.0, was_there=False, details=details)


@pytest.fixture
def loading(monkeypatch: pytest.MonkeyPatch) -> Loading:
    return Loading(monkeypatch)


def test_images_come_in_the_order_of_the_set(loading: Loading) -> None:
    names = [f"n{number}" for number in range(9)]
    assert loading(*names) == tuple(f"{name}:1" for name in names)


def test_one_that_fails_keeps_its_own_words_and_the_others_are_loaded(loading: Loading) -> None:
    loading.errors["b:1"] = LoadError("b:1 was not taken", hint="try again", details="it said no")
    with pytest.raises(PartlyLoadedError) as caught:
        loading("a", "b", "c")
    assert [image.name for image in caught.value.loaded] == ["a:1", "c:1"]
    assert (caught.value.message, caught.value.hint) == ("b:1 was not taken", "try again")
    assert caught.value.details == "it said no\n2 images are loaded"
    assert caught.value.exit_code == 121


def test_several_failures_are_told_in_the_order_of_the_set(loading: Loading) -> None:
    loading.errors["c:1"] = LoadError("c:1 was not taken")
    with pytest.raises(PartlyBuiltError) as caught:
        loading("a", "unreadable", "c", failures=[BuildError("x cannot be built", hint="mend it")])
    lines = [
        "x cannot be built",
        "mend it",
        "unreadable is damaged",
        "c:1 was not taken",
        "1 image is loaded",
    ]
    assert (caught.value.details or "").splitlines() == lines
    assert "3 reasons" in caught.value.message
    assert caught.value.exit_code == 120


def test_where_nothing_is_loaded_for_one_reason_that_is_the_error(loading: Loading) -> None:
    with pytest.raises(LoadError) as caught:
        loading("unreadable", failures=[])
    assert type(caught.value) is LoadError


def test_an_engine_that_is_gone_is_waited_for_once(loading: Loading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_A_TIME", 1)
    loading.errors = {f"{name}:1": EngineUnreachableError("it is gone") for name in "bcd"}
    with pytest.raises(EngineLostError) as caught:
        loading("a", "b", "c", "d")
    assert loading.asked == ["a:1", "b:1"]
    assert caught.value.message == "it is gone"
    assert caught.value.exit_code == 125
    loading.errors = {"b:1": EngineRefusedError("no", status=500), "c:1": LoadError("no image")}
    with pytest.raises(PartlyLoadedError) as other:
        loading("a", "b", "c")
    assert other.value.exit_code == 121


def test_names_are_given_to_one_image_only(loading: Loading) -> None:
    with pytest.raises(UsageError, match="there are 2"):
        loading("a", "b", tags=(Reference.parse("x:1"),))
    assert not loading.asked
