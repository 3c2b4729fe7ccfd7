"""What a build made is opened where its parts can be found, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from nixdock.errors import LoadError
from nixdock.events import ignore
from nixdock.image.manifest import Platform
from nixdock.nix.artefact import Artefact, ArtefactForm
from nixdock.usecases.artefact import open_artefact
from support.archives import docker_archive, layer, runnable


@pytest.mark.parametrize("form", [ArtefactForm.SCRIPT, ArtefactForm.DESCRIPTION])
def test_what_names_its_parts_is_not_read_from_a_store_that_lies_elsewhere(
    form: ArtefactForm, tmp_path: Path
) -> None:
    store_path = Path(f"/nix/store/{'0' * 32}-stream-web")
    file = tmp_path / store_path.relative_to("/")
    file.parent.mkdir(parents=True)
    file.write_text("#!/bin/sh\n")
    artefact = Artefact(file, form, store_path=store_path, nix=cast("Any", object()))
    with pytest.raises(LoadError, match="lies elsewhere") as caught:
        open_artefact(artefact, ignore, Platform.of_this_machine())
    assert "buildLayeredImage" in (caught.value.hint or "")


def test_what_was_collected_before_it_was_held_is_opened_once_it_is_there_again(tmp_path: Path) -> None:
    file = tmp_path / "image.tar"
    data = docker_archive(runnable(layer("x"), tags=("again:1",)))

    def hold() -> bool:
        held.append(True)
        file.write_bytes(data)
        return len(held) == 1

    held: list[bool] = []
    artefact = Artefact(file, ArtefactForm.ARCHIVE, hold=hold)
    (image,) = open_artefact(artefact, ignore, Platform.of_this_machine())
    assert image.references[0].familiar == "again:1"
    assert held == [True]


def test_what_is_no_image_though_it_is_held_is_told(tmp_path: Path) -> None:
    file = tmp_path / "image.tar"
    file.write_text("text")
    with pytest.raises(LoadError, match="is no image"):
        open_artefact(Artefact(file, ArtefactForm.ARCHIVE), ignore, Platform.of_this_machine())
