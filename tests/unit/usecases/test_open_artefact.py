"""What a build made is opened where its parts can be found, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from nixdock.errors import LoadError
from nixdock.events import ignore
from nixdock.image.manifest import Platform
from nixdock.nix.artefact import Artefact, ArtefactForm
from nixdock.usecases.load import open_artefact


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
