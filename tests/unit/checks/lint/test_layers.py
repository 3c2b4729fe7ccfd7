from __future__ import annotations

import re
from pathlib import Path

import pytest

from nixdock.checks.lint import layers, lint_image
from nixdock.checks.lint.programs import Gravity, Remark
from nixdock.checks.subject import Subject
from nixdock.image.model import Image
from nixdock.nixpkgs.dockertools.layering import Graph, run_pipeline
from support.images import image_of
from support.layers import file, folder, layer_of, link, read_tree

from .subjects import lint_only, made_of, store_layers, store_path

SIZES = {"app": 40, "conf": 90, "glibc": 5000, "lib": 800, "python": 3000}


def contents(*names: str, **named: str) -> dict[str, bytes]:
    """Store paths of these sizes; some name another."""
    return {
        name: (f"/{store_path(named[name])} " if name in named else "").ljust(SIZES[name]).encode()
        for name in names
    }


def layered(*order: list[str], base: int = 0, **named: str) -> Image:
    """An image of dockerTools: its base's layers, layers of store paths, and its customisation layer."""
    below = [layer_of(file(f"base{number}")) for number in range(base)]
    return image_of(
        *below,
        *store_layers(*(contents(*names, **named) for names in order)),
        layer_of(file("etc/os")),
        config={"Cmd": [f"/{store_path('python')}"]},
        history=[
            *({"comment": f"store paths: ['{number}/layer.tar']"} for number in range(base)),
            *made_of(*order, ["customisation-layer"]),
        ],
    )


def remarks(image: Image, cache: Path, rule: str = "order") -> tuple[Remark, ...]:
    return lint_image(Subject(image, cache=cache), only=(rule,))


def test_a_file_of_one_s_own_below_larger_layers_is_told_with_what_mends_it(cache: Path) -> None:
    (remark,) = remarks(layered(["app"], ["conf"], ["lib"], ["glibc"], ["python"], python="glibc"), cache)

    path = f"/{store_path('app')}"
    assert (remark.rule, remark.gravity) == ("order", Gravity.ADVICE)
    assert remark.message == (
        f"nothing refers to {path} (and 2 more such), and it lies below larger layers, in layer 1 of 6: when "
        "it changes, 9.5 kB of store paths are sent again, and with the largest lowest it would be 152 B"
    )
    assert remark.remedy == (
        'layeringPipeline = [ [ "split_every" 1 ] [ "reverse" ] [ "limit_layers" 49 ] ];'
    )


def test_the_layers_of_the_base_are_none_of_the_pipeline_s(cache: Path) -> None:
    (remark,) = remarks(layered(["app"], ["glibc"], base=7), cache)

    assert "in layer 8 of 10" in remark.message
    assert '[ "limit_layers" 42 ]' in remark.remedy


@pytest.mark.parametrize(
    "order",
    [
        ([["glibc"], ["lib"], ["python"], ["conf"], ["app"]]),
        ([["glibc"], ["python"], ["lib"], ["app", "conf"]]),
        ([["app", "conf", "glibc", "lib", "python"]]),
        ([[]]),
    ],
    ids=str,
)
def test_what_lies_above_all_that_is_larger_needs_no_advice(order: list[list[str]], cache: Path) -> None:
    assert remarks(layered(*order, python="lib"), cache) == ()


def test_what_something_refers_to_is_not_edited_alone(cache: Path) -> None:
    assert remarks(layered(["lib"], ["glibc"], ["app"], app="lib"), cache) == ()
    assert len(remarks(layered(["lib"], ["glibc"], ["app"]), cache)) == 1


def test_where_the_pipeline_would_send_more_nothing_is_advised(cache: Path) -> None:
    """Below the two are many that are smaller, and would lie above them."""
    smaller = [f"{letter}-small" for letter in "bcdfghijk"]
    users = " ".join(f"/{store_path(name)}" for name in smaller)

    def image(size: int) -> Image:
        return image_of(
            *store_layers(*({name: bytes(size)} for name in smaller)),
            *store_layers({"x-root": bytes(1000)}, {"y-large": users.ljust(1100).encode()}),
            layer_of(file("etc/os")),
            history=made_of(*([name] for name in smaller), ["x-root"], ["y-large"], ["z"]),
        )

    assert remarks(image(800), cache) == ()
    ((remark),) = remarks(image(8), cache)
    assert f"nothing refers to /{store_path('x-root')}, and" in remark.message


@pytest.mark.parametrize(
    "history",
    [
        None,
        [],
        [{}, {}],
        [{"comment": "store paths: ['/nix/store/elsewhere']"}] * 3,
        [*made_of(["app"], ["glibc"]), {}, {}],
        [{"created_by": "COPY"}, {"created_by": "COPY"}, {"created_by": "COPY"}],
    ],
    ids=str,
)
def test_layers_that_dockertools_did_not_make_are_left_alone(
    history: list[dict[str, str]] | None, cache: Path
) -> None:
    layers_of = store_layers(contents("app"), contents("glibc"), {})

    assert remarks(image_of(*layers_of, history=history), cache) == ()


def test_the_advice_is_what_the_pipeline_makes() -> None:
    names = [f"/nix/store/{number:02}-{number % 3}" for number in range(30)]
    graph = Graph(dict.fromkeys(names, frozenset()), {name: int(name[11:13]) // 2 for name in names})

    for limit in (1, 7, 30, 49):
        calls = [["split_every", 1], ["reverse"], ["limit_layers", limit]]
        assert [layer for layer in layers._largest_lowest(graph, limit) if layer] == run_pipeline(
            graph, calls
        )


def test_sizes_are_those_that_nix_has_of_store_paths() -> None:
    """As `nix-store --dump` gave: what the layers are sorted by."""
    layer = layer_of(
        folder("x"),
        folder("x/d"),
        file("x/d/plain", b"abc"),
        file("x/d/\u00e9", b""),
        file("x/run", b"#!/x\n12345", 0o555),
        link("x/link", "../elsewhere"),
    )
    tree = read_tree([layer])

    assert layers._nar_size(tree, "x") == 1072


def test_more_layers_than_engines_mount_by_themselves_are_told(cache: Path) -> None:
    def image(count: int) -> Image:
        return image_of(*store_layers(*([{}] * count)))

    ((gravity, message),) = lint_only("layers", image(55), cache)

    assert (gravity, bool(re.match("the image has 55 layers: beyond 54 ", message))) == (Gravity.ADVICE, True)
    assert lint_only("layers", image(54), cache) == []
