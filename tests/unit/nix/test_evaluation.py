from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nixdock.errors import BuildError
from nixdock.nix.evaluation import DerivationOutput, EvaluatedImage, read_evaluation


def problem(**facts: Any) -> BuildError:
    with pytest.raises(BuildError) as caught:
        read_evaluation(json.dumps([{"problem": facts}]).encode(), "x.nix")
    return caught.value


def test_a_derivation_becomes_a_candidate() -> None:
    entry: dict[str, Any] = {
        "attribute": ["images", "web.v2"],
        "derivation": "/nix/store/a.drv",
        "output": "out",
        "path": "/nix/store/a",
        "name": "web.tar.gz",
        "image_name": "web",
        "image_tag": None,
        "executable": False,
        "stream": {"derivation": "/nix/store/s.drv", "output": "out", "path": "/nix/store/s"},
        "expectations": {"checks": {}},
        "needs": ["/nix/store/t.drv!out"],
    }
    (found,) = read_evaluation(json.dumps([entry]).encode(), "x.nix")
    assert found == EvaluatedImage(
        attribute=("images", "web.v2"),
        own=DerivationOutput("/nix/store/a.drv", "out", "/nix/store/a"),
        stream=DerivationOutput("/nix/store/s.drv", "out", "/nix/store/s"),
        executable=False,
        image_name="web",
        image_tag=None,
        expectations={"checks": {}},
        needs=("/nix/store/t.drv!out",),
    )
    assert found.label == 'images."web.v2"'
    assert str(found.own) == "/nix/store/a.drv!out"


def test_a_missing_attribute_gets_the_ones_that_are_near() -> None:
    error = problem(kind="attribute", at=["images"], name="wbe", type="set", names=["web", "db"], length=0)
    assert error.message == "images of x.nix has no attribute 'wbe'"
    assert error.hint == "did you mean -A images.web?"


def test_a_missing_attribute_that_is_near_to_none_gets_them_all() -> None:
    names = [f"n{number}" for number in range(12)]
    error = problem(kind="attribute", at=[], name="other", type="set", names=names, length=0)
    assert error.hint == f"there is: {', '.join(names[:10])} …"


def test_a_place_that_a_list_does_not_have() -> None:
    error = problem(kind="attribute", at=[], name="2", type="list", names=[], length=2)
    assert error.message == "x.nix is a list of 2, so there is no '2' in it"
    assert error.hint == "its places are 0 to 1"


def test_an_attribute_of_what_has_none() -> None:
    error = problem(kind="leaf", at=["n"], name="k", type="int", names=[], length=0)
    assert error.message == "n of x.nix is a number, so it has no attribute 'k'"


def test_arguments_without_default_are_named_with_the_option_that_gives_them() -> None:
    position = {"file": str(Path.cwd() / "x.nix"), "line": 1, "column": 3}
    error = problem(kind="argument", at=[], names=["name", "tag"], position=position)
    assert error.message == (
        "x.nix:1:3: x.nix is a function whose arguments 'name' and 'tag' have no default"
    )
    assert error.hint == "--argstr name TEXT --argstr tag TEXT (or --arg NAME NIX for other values)"
    error = problem(kind="argument", at=["f"], names=["name"], position=None)
    assert error.message == "f of x.nix is a function whose argument 'name' has no default"


@pytest.mark.parametrize(
    ("type_", "shown", "sentence"),
    [
        ("int", "7", "x.nix is not an image: it is a number (7)"),
        ("string", '"text"', 'x.nix is not an image: it is a string ("text")'),
        ("lambda", None, "x.nix is not an image: it is a function"),
        ("list", None, "x.nix is not an image: it is an empty list"),
        ("new-type", None, "x.nix is not an image: it is new-type"),
    ],
)
def test_what_is_no_image_is_said(type_: str, shown: str | None, sentence: str) -> None:
    assert problem(kind="type", at=[], type=type_, shown=shown, names=[]).message == sentence


def test_a_set_without_derivations_names_what_it_has() -> None:
    error = problem(kind="type", at=["lib"], type="set", shown=None, names=["a", "b"])
    assert error.message == "lib of x.nix is not an image: it is a set (a, b) without a derivation in it"
    assert error.hint == "name what is below it: -A lib.NAME"
