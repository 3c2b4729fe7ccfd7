"""Archives that lie about what is in them: refused in one sentence, with an engine that is as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.archives import Entries, docker_archive_entries, layer, runnable, tar

if TYPE_CHECKING:
    from support.engines import Engine
    from support.program import Nixdock

SAMPLE = runnable(layer("hostile"), tags=("nixdock-test-hostile:1",))
ENTRIES = docker_archive_entries(SAMPLE)
FIRST = ENTRIES[0][0]


def renamed(name: str) -> Entries:
    """The archive with another name for its first layer, in the tar and in the manifest."""
    document = json.loads(dict(ENTRIES)["manifest.json"])
    document[0]["Layers"][0] = name
    changed = [(name if key == FIRST else key, data) for key, data in ENTRIES if key != "manifest.json"]
    return [*changed, ("manifest.json", json.dumps(document).encode())]


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        (
            [entry for entry in ENTRIES if entry[0] != FIRST],
            f"is not complete: the layer '{FIRST}' is not in it",
        ),
        (
            [entry for entry in ENTRIES if not entry[0].endswith(".json") or entry[0] == "manifest.json"],
            f"is not complete: the config '{SAMPLE.config_digest.hex}.json' is not in it",
        ),
        (
            renamed("../../escaped/layer.tar"),
            "is refused: the layer is '../../escaped/layer.tar', a path outside of the archive",
        ),
        (renamed("/etc/passwd"), "is refused: the layer is '/etc/passwd', a path outside of the archive"),
        ([("a", b"b")], "is a tar, but no image: there is no manifest.json or oci-layout in it"),
    ],
    ids=["no layer", "no config", "upwards", "absolute", "no manifest"],
)
def test_an_archive_that_lies_is_refused(
    entries: Entries, sentence: str, nixdock: Nixdock, engine: Engine, tmp_path: Path
) -> None:
    archive = tmp_path / "hostile image.tar"
    archive.write_bytes(tar(entries))
    before = sorted(engine.docker("images", "--all", "--quiet").split())
    files = sorted(nixdock.folder.parent.glob("*"))
    for words in (("load", archive), ("up", archive), ("load", "-i", archive)):
        run = nixdock(*words)
        assert (run.status, run.stdout) == (121, "")
        # Where reading takes long, that it failed is narrated before.
        told = [line for line in run.stderr.splitlines() if line.startswith("nixdock: ")]
        assert told == [f"nixdock: {archive} {sentence}"], run.stderr
    assert sorted(engine.docker("images", "--all", "--quiet").split()) == before
    assert sorted(nixdock.folder.parent.glob("*")) == files


def test_names_in_a_layer_stay_inside_of_the_image(nixdock: Nixdock, engine: Engine, tmp_path: Path) -> None:
    """What climbs out of a layer lands in the image, and nowhere on the machine."""
    escaped = tmp_path / "escaped"
    sample = runnable(
        layer(f"../../../../../../../..{escaped}"), tags=("nixdock-test-climbing:1",), says="in"
    )
    archive = tmp_path / "climbing.tar"
    archive.write_bytes(tar(docker_archive_entries(sample)))
    run = nixdock("up", archive)
    assert (run.status, run.stdout) == (0, "in\n"), run.stderr
    assert not escaped.exists()
    engine.docker("rmi", *sample.tags)
