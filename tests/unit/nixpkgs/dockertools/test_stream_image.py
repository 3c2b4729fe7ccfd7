"""The program behind a streamed image."""

from __future__ import annotations

import io
import json
import os
import sys
import tarfile
from pathlib import Path
from typing import Any

from nixdock import process
from nixdock.nixpkgs.dockertools import stream_image

FOLDER = Path(stream_image.__file__).parents[1]


def stream(*arguments: str | Path) -> process.Outcome:
    """Run the program as its wrapper does: alone with the standard library, from its folder."""
    return process.run(
        [sys.executable, "-SsB", "-m", "dockertools.stream_image", *arguments],
        env={"PYTHONPATH": str(FOLDER), "PATH": os.environ["PATH"]},
    )


def test_the_image_comes_on_standard_output_and_the_narration_does_not(stream_golden: dict[str, Any]) -> None:
    golden = stream_golden["base"]
    outcome = stream(golden.conf)

    assert outcome, outcome.error_text
    with tarfile.open(fileobj=io.BytesIO(outcome.stdout)) as archive:
        manifest = json.load(archive.extractfile("manifest.json") or io.BytesIO())
    assert manifest[0]["Config"] == golden.image_id.removeprefix("sha256:") + ".json"
    assert manifest[0]["RepoTags"] == golden.repo_tags
    assert "Adding layer 5 of 5: /nix/store/" in outcome.error_text
    assert outcome.error_text.endswith("Done.\n")


def test_another_name_may_be_given(stream_golden: dict[str, Any]) -> None:
    for option in ("-t", "--repo_tag"):
        outcome = stream(stream_golden["bare"].conf, option, "other:2")

        assert b'"other:2"' in outcome.stdout
        assert "No 'fromImage' provided" in outcome.error_text


def test_a_reader_that_has_had_enough_ends_it_quietly(stream_golden: dict[str, Any]) -> None:
    command = f"{sys.executable} -SsB -m dockertools.stream_image {stream_golden['plain'].conf} | head -c 10"
    outcome = process.run(
        ["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"],
        env={"PYTHONPATH": str(FOLDER), "PATH": os.environ["PATH"]},
    )

    assert outcome.status == 141
    assert "Traceback" not in outcome.error_text


def test_what_is_wrong_is_one_sentence(tmp_path: Path) -> None:
    conf = tmp_path / "conf.json"
    conf.write_text("{}")
    outcome = stream(conf)

    assert outcome.status == 1
    assert outcome.error_text.startswith(f"error: {conf} is not the conf of a streamed image")
    assert "Traceback" not in outcome.error_text
