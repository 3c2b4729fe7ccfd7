"""`nixdock check --rebuild`: whether an image is the same when Nix builds it again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from support.archives import Sample, docker_archive
from support.layers import file, tar_of
from support.program import Nixdock

NO_ENGINE = {"DOCKER_HOST": "unix:///nowhere"}
SAME = 'buildImage { name = "again/same"; extraCommands = "echo 1 > stamp"; }'
STREAMED = 'streamLayeredImage { name = "again-streamed"; extraCommands = "echo 1 > stamp"; }'


def _rebuild(nixdock: Nixdock, image: str, *options: str) -> tuple[int, dict[str, Any]]:
    (nixdock.folder / "again.nix").write_text(
        f"{{ pkgs ? import <nixpkgs> {{ }} }}: pkgs.dockerTools.{image}\n"
    )
    run = nixdock("check", "again.nix", "--rebuild", "--json", *options, env=NO_ENGINE)
    assert run.stdout, run.stderr
    [verdict] = json.loads(run.stdout)["checks"]
    assert (verdict["name"], verdict["kind"]) == ("rebuild", "rebuild")
    return run.status, verdict


@pytest.mark.parametrize(
    "image", [SAME, STREAMED, STREAMED.replace("stream", "build", 1)], ids=["one", "stream", "layered"]
)
def test_an_image_that_is_the_same_again_passes_without_an_engine(nixdock: Nixdock, image: str) -> None:
    status, verdict = _rebuild(nixdock, image)

    assert (status, verdict["status"]) == (0, "PASS"), verdict


@pytest.mark.parametrize(
    ("image", "part"),
    [(SAME, "docker-layer-same"), (STREAMED, "again-streamed-customisation-layer")],
    ids=["one", "stream"],
)
def test_an_image_with_the_time_in_it_fails_and_what_differs_is_named(
    nixdock: Nixdock, image: str, part: str
) -> None:
    status, verdict = _rebuild(nixdock, image.replace("echo 1", "date +%N"))

    assert (status, verdict["status"]) == (1, "FAIL")
    told = "\n".join(finding["message"] for finding in verdict["findings"])
    assert part in told
    assert "is not the same when /nix/store/" in told


def test_a_second_build_that_fails_is_an_error(nixdock: Nixdock, tmp_path: Path) -> None:
    # What was built is remembered by its text, and pytest gives names of folders again.
    once = tmp_path / uuid4().hex
    image = SAME.replace("echo 1", f"mkdir {once} && echo 1")
    status, verdict = _rebuild(nixdock, image, "--option", "sandbox", "false")

    assert (status, verdict["status"]) == (122, "ERROR"), verdict
    assert "building docker-layer-same failed" in verdict["findings"][0]["message"]
    assert "File exists" in verdict["findings"][0]["details"]


def test_what_nix_does_not_build_here_is_refused_before_anything_is_done(
    nixdock: Nixdock, tmp_path: Path
) -> None:
    archive = tmp_path / "there.tar"
    archive.write_bytes(docker_archive(Sample((tar_of([file("a", b"a")]),), ("there:1",), {})))

    for target in (archive, "image:there:1"):
        run = nixdock("check", target, "--rebuild", env=NO_ENGINE)
        assert (run.status, "is not built by Nix here" in run.stderr) == (2, True), run.stderr
