"""A set of images: evaluated once, shared layers sent once, and what fails of one is no other's failure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .conftest import Loader

if TYPE_CHECKING:
    from support.program import Nixdock

IMAGES = 4
SET = """{ pkgs ? import <nixpkgs> { } }:
let
  shared = pkgs.writeTextDir "share/shared" "SALT ${toString (builtins.genList (n: n) 9000)}";
  image = name: content: pkgs.dockerTools.buildLayeredImage {
    inherit name;
    tag = "1";
    contents = [ shared (pkgs.writeTextDir "etc/own" "SALT ${name}") ];
    config.Labels.content = content;
  };
in
builtins.listToAttrs (
  builtins.genList (n: rec { name = "set-${toString n}"; value = image name "whole"; }) COUNT
)
"""
BROKEN = """
// {
  set-broken = image "set-broken" "${pkgs.runCommand "broken" { } "echo it is broken; exit 3"}";
  set-refused = pkgs.writeText "set-refused.tar" "no image at all";
}
"""


@pytest.fixture(scope="module")
def module_salt(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Makes the set one that no engine has seen; built once for all of them."""
    return tmp_path_factory.getbasetemp().name + str(tmp_path_factory.mktemp("salt").stat().st_mtime_ns)


def write(folder: Path, salt: str, more: str = "", count: int = IMAGES) -> Path:
    file = folder / "set.nix"
    file.write_text((SET + more).replace("SALT", salt).replace("COUNT", str(count)))
    return file


def test_a_shared_layer_is_sent_once_within_a_run(load: Loader, module_salt: str) -> None:
    loaded = load(write(load.folder, module_salt))
    names = [f"set-{number}:1" for number in range(IMAGES)]
    assert [image["references"] for image in loaded] == [[name] for name in names]
    assert [image["layers"] for image in loaded] == [3] * IMAGES
    # The shared one, and of each image its own and that of its links.
    assert sum(image["sent_layers"] for image in loaded) == 1 + 2 * IMAGES
    assert sum(image["sent"] > 40_000 for image in loaded) == 1
    # An engine that lacked a layer would refuse.
    load.engine.docker("create", "--name", "of-the-last", names[-1], "x")
    load.engine.docker("rm", "of-the-last")
    again = load(write(load.folder, module_salt))
    assert all(image["was_there"] for image in again)
    more = load(write(load.folder, module_salt, count=IMAGES + 1))
    assert [image["sent_layers"] for image in more] == [0] * IMAGES + [2]


def test_what_fails_of_one_is_no_failure_of_the_others(
    nixdock: Nixdock, tmp_path: Path, module_salt: str
) -> None:
    done = nixdock("load", write(tmp_path, module_salt, BROKEN))
    assert done.status == 120, done.stderr
    assert done.stdout.splitlines() == [f"Loaded image: set-{number}:1" for number in range(IMAGES)]
    for told in ("set-broken", "set-refused", f"{IMAGES} images are loaded"):
        assert told in done.stderr
    assert done.stderr.count("evaluated ") == 1
