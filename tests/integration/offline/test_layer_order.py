"""What an edit costs: layers lie in the order of their stability, so that what stays is not sent again."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from integration.offline.conftest import Images

LAYERED = """
let
  starts = script: { contents = [ pkgs.jq ]; config.Cmd = [ "${pkgs.bash}/bin/bash" script ]; };
  files = map (n: "FILE${toString n}=${builtins.toFile "file" (toString n)}") (lib.range 1 60);
in
{
  edited = dockerTools.streamLayeredImage ({ name = "edited"; tag = "1"; } // starts ./greet.sh);
  # The same interpreter, and another program.
  sibling = dockerTools.buildLayeredImage ({ name = "sibling"; tag = "1"; } // starts ./part.sh);
  based = dockerTools.streamLayeredImage (
    { name = "based"; tag = "1"; fromImage = dockerTools.examples.twoLayers; } // starts ./greet.sh
  );
  many = dockerTools.streamLayeredImage { name = "many"; tag = "1"; config.Env = files; };
  more = dockerTools.streamLayeredImage { name = "more"; tag = "1"; config.Env = files; maxLayers = 61; };
  # As in nixpkgs the smallest lies lowest.
  upturned = dockerTools.streamLayeredImage (
    { name = "upturned"; tag = "1"; layeringPipeline = [ [ "split_every" 1 ] ]; } // starts ./greet.sh
  );
}
"""
SHARED = ["libc6", "libonig5", "t"]
"""What others than the image's own programs use: the fewest dependencies for their bytes lie lowest."""

OWN = ["bash", "libjq1", "libtinfo6", "jq"]
"""What the image names, and what only that uses: the largest lies lowest."""


@pytest.fixture
def layered(images: Images) -> Images:
    """The images above, and the scripts that they start."""
    (images.folder / "greet.sh").write_text("echo hello\n")
    (images.folder / "part.sh").write_text("jq -n '40+2'\n")
    images.write(LAYERED, "layered.nix")
    return images


def _load(layered: Images, name: str) -> dict[str, Any]:
    run = layered.nixdock("load", "--json", layered.folder / "layered.nix", "-A", name)
    assert run.status == 0, run.stderr
    loaded: list[dict[str, Any]] = json.loads(run.stdout)
    return loaded[0]


def _advice(layered: Images, name: str) -> list[dict[str, str]]:
    run = layered.nixdock(
        "lint", "--json", "--only", "order", "--only", "layers", layered.folder / "layered.nix", "-A", name
    )
    assert run.status == 0, run.stderr
    remarks: list[dict[str, str]] = json.loads(run.stdout)[f"{name}:1"]
    return remarks


def _store_layers(layered: Images, name: str) -> list[list[str]]:
    conf = json.loads(layered.build(layered.folder / "layered.nix", "-A", f"{name}.conf").read_text())
    return [
        [re.sub(r"^[^-]*-|-[\d.]+.*$", "", path.rpartition("/")[2]) for path in layer]
        for layer in conf["store_layers"]
    ]


def test_an_edited_file_and_a_sibling_renew_no_layer_of_the_interpreter(layered: Images) -> None:
    assert _store_layers(layered, "edited") == [[name] for name in (*SHARED, *OWN, "greet.sh")]
    _load(layered, "edited")
    before = layered.layers("edited:1")

    (layered.folder / "greet.sh").write_text("echo good morning\n")
    edited = _load(layered, "edited")
    sibling = _load(layered, "sibling")

    # The file's layer, and the customisation layer, which is the same but lies above it.
    assert (edited["layers"], edited["sent_layers"], edited["was_there"]) == (len(before), 2, False)
    assert [before[n] == now for n, now in enumerate(layered.layers("edited:1"))] == [
        *([True] * (len(before) - 2)),
        False,
        True,
    ]
    assert (sibling["layers"], sibling["sent_layers"]) == (len(before), 2)
    assert max(edited["sent"], sibling["sent"]) < 100_000
    assert layered.run("edited:1") == "good morning\n"
    assert layered.run("sibling:1") == "42\n"


def test_on_a_base_the_order_is_the_same(layered: Images) -> None:
    assert _store_layers(layered, "based") == [[name] for name in (*SHARED, *OWN, "greet.sh")]


def test_an_image_has_no_more_layers_than_start_fast_unless_it_says_so(layered: Images) -> None:
    """Fifty with the customisation layer: the smallest files share one."""
    assert [len(layer) for layer in _store_layers(layered, "many")] == [*([1] * 48), 12]
    assert [len(layer) for layer in _store_layers(layered, "more")] == [1] * 60


def test_what_the_lint_advises_mends_the_order(layered: Images) -> None:
    """The image as nixpkgs would have it, an edit of it, and the same with the pipeline of the advice."""
    file, script = layered.folder / "layered.nix", layered.folder / "greet.sh"

    def edit() -> dict[str, Any]:
        script.write_text(script.read_text() + "echo again\n")
        return _load(layered, "upturned")

    before = edit()
    assert before["sent_layers"] == before["layers"]
    assert edit()["sent_layers"] == before["layers"]
    (remark,) = _advice(layered, "upturned")
    assert (remark["rule"], remark["gravity"]) == ("order", "advice")
    assert re.search(
        r"-greet\.sh \(and 2 more such\), and it lies below larger layers, in layer 1 of 9: when",
        remark["message"],
    )

    file.write_text(file.read_text().replace('layeringPipeline = [ [ "split_every" 1 ] ];', remark["remedy"]))

    edit()
    assert (edit()["sent_layers"], _advice(layered, "upturned")) == (2, [])
    assert _store_layers(layered, "upturned")[-1] == ["greet.sh"]


def test_of_the_default_order_the_lint_says_nothing(layered: Images) -> None:
    assert _advice(layered, "many") == []
    (remark,) = _advice(layered, "more")
    assert (remark["rule"], remark["remedy"][:15]) == ("layers", "maxLayers = 50;")
