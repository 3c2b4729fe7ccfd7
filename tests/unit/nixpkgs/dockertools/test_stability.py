"""The default layers: which lie lowest, and which share one."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixdock.nixpkgs.dockertools import stability
from nixdock.nixpkgs.dockertools.layering import Graph, LayeringError, Layers

from .graphs import PYTHON, closures, graph


def test_by_stability_what_roots_alone_use_lies_on_top_and_the_rest_by_its_closure_and_size() -> None:
    everything = [["glibc"], ["openssl"], ["python"], ["small"], ["root"]]

    assert stability.layers_by_stability(PYTHON, 99) == everything
    assert stability.layers_by_stability(PYTHON, 5) == everything


def test_by_stability_a_path_lies_the_lower_the_more_bytes_it_has_for_each_path_in_its_closure() -> None:
    """`many` is smaller than `few`, but has less to change for each of its bytes."""
    paths = graph(
        {"app": "a b", "a": "many few", "b": "many few", "few": "x y z"},
        {"few": 100, "many": 30, "x": 29, "y": 28, "z": 27, "a": 3, "b": 2, "app": 1},
    )

    assert [path for [path] in stability.layers_by_stability(paths, 99)] == [
        *("many", "x", "y", "z", "few"),
        *("a", "b", "app"),
    ]


def test_by_stability_the_larger_root_lies_lower_and_equal_ones_lie_by_name_and_then_by_hash() -> None:
    paths = graph(
        dict.fromkeys(
            ("/nix/store/b-same", "/nix/store/a-same", "/nix/store/z-first", "/nix/store/c-large"), ""
        ),
        {"/nix/store/c-large": 9},
    )

    assert [path for [path] in stability.layers_by_stability(paths, 99)] == [
        *("/nix/store/c-large", "/nix/store/z-first", "/nix/store/a-same", "/nix/store/b-same"),
    ]
    assert stability.layers_by_stability(paths, 3) == [
        ["/nix/store/c-large"],
        ["/nix/store/z-first"],
        ["/nix/store/a-same", "/nix/store/b-same"],
    ]


def test_by_stability_with_few_layers_the_smallest_share_one_and_roots_none_with_the_rest() -> None:
    assert stability.layers_by_stability(PYTHON, 4) == [["glibc"], ["openssl"], ["python"], ["root", "small"]]
    assert stability.layers_by_stability(PYTHON, 3) == [["glibc"], ["openssl"], ["python", "root", "small"]]
    assert stability.layers_by_stability(PYTHON, 2) == [["glibc", "openssl"], ["python", "root", "small"]]
    assert stability.layers_by_stability(PYTHON, 1) == [["glibc", "openssl", "python", "root", "small"]]


def test_by_stability_roots_have_a_quarter_of_the_layers_where_there_are_more_paths_than_layers() -> None:
    """And of them the small ones share none with the larger ones."""
    libraries = [f"lib{number:03}" for number in range(60)]
    files = [f"file{number:03}" for number in range(60)]
    paths = graph(
        {
            "program": " ".join(libraries),
            "other": " ".join(libraries),
            "a": "program other",
            "b": "program other",
        }
        | dict.fromkeys(files, ""),
        {name: 1000 - number for number, name in enumerate([*libraries, *files])},
    )

    layers = stability.layers_by_stability(paths, 48)

    assert layers == [
        *([name] for name in libraries[:35]),
        libraries[35:],
        *([name] for name in files[:10]),
        files[10:],
        ["a", "b", "other", "program"],
    ]
    assert len(layers) == 48


def test_by_stability_the_roots_are_those_below_what_is_excluded() -> None:
    """The image's own description refers to all that it starts; it says nothing of how often that changes."""
    described = graph(
        {
            "base.json": "root openssl",
            "root": "python small",
            "python": "openssl glibc",
            "openssl": "glibc",
            "small": "glibc",
        },
        PYTHON.sizes,
    )

    assert stability.layers_by_stability(described, 99, exclude=["base.json", "absent"]) == (
        stability.layers_by_stability(PYTHON, 99)
    )
    assert stability.layers_by_stability(graph({"base.json": ""}), 99, exclude=["base.json"]) == []


@given(closures(), st.integers(1, 20), st.randoms())
def test_the_layers_by_stability_do_not_depend_on_the_run(graph: Graph, count: int, chance: Random) -> None:
    paths = list(graph.paths)
    chance.shuffle(paths)
    shuffled = Graph(
        {path: frozenset(sorted(graph.references[path], reverse=True)) for path in paths}, graph.sizes
    )

    assert stability.layers_by_stability(graph, count) == stability.layers_by_stability(shuffled, count)


@given(closures(), st.integers(0, 5), st.data())
def test_an_edited_root_renews_no_layer_but_its_own(graph: Graph, size: int, data: st.DataObject) -> None:
    """Of the layers below it all stay, and so do those above: only the order of equals may change."""
    root = data.draw(st.sampled_from(graph.roots))
    count = data.draw(st.integers(2, 20))

    def with_root(hash_part: str) -> Layers:
        path = f"/nix/store/{hash_part}-edited"
        references = {name: used for name, used in graph.references.items() if name != root}
        edited = Graph({**references, path: graph.references[root]}, {**graph.sizes, path: size})
        layers = stability.layers_by_stability(edited, count)
        return [["edited" if name == path else name for name in layer] for layer in layers]

    assert with_root("0" * 32) == with_root("z" * 32)


@given(closures(), st.data())
def test_the_same_packages_come_in_the_same_order_in_every_image(graph: Graph, data: st.DataObject) -> None:
    """What is not a root's alone in two closures, each that of any of the paths."""

    def shared(roots: list[str]) -> list[str]:
        image = graph.only(graph.below(roots))
        own = {path for path in image.paths if image.users[path] <= frozenset(image.roots)}
        return [path for [path] in stability.layers_by_stability(image, 99) if path not in own]

    one, other = (shared(data.draw(st.lists(st.sampled_from(graph.paths), min_size=1))) for _ in range(2))

    assert [path for path in one if path in other] == [path for path in other if path in one]


def test_the_base_and_the_image_s_own_files_take_layers() -> None:
    assert stability.available_layers(100, 0) == 99
    assert stability.available_layers(4, 2) == 1
    with pytest.raises(LayeringError, match=r"maxLayers = 3 is too small.*must be at least 4"):
        stability.available_layers(3, 2)


def test_an_image_that_does_not_say_how_many_layers_it_may_have_gets_no_more_than_start_fast() -> None:
    assert stability.available_layers(None, 0) == 49
    assert stability.available_layers(None, 30) == 19
    # A base that takes them all leaves one for what is edited, and one for the rest.
    assert stability.available_layers(None, 48) == 2
    assert stability.available_layers(None, 90) == 2
