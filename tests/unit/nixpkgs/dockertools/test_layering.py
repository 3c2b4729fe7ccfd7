"""Which store paths share a layer."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixdock.nixpkgs.dockertools import layering
from nixdock.nixpkgs.dockertools.layering import Graph, LayeringError, Layers


def graph(edges: dict[str, str], sizes: dict[str, int] | None = None) -> Graph:
    """A graph of one-word names; `edges` are the references, separated by blanks."""
    names = list(dict.fromkeys(name for user, used in edges.items() for name in (*used.split(), user)))
    return Graph.from_closure(
        {"path": name, "narSize": (sizes or {}).get(name, 1), "references": edges.get(name, "").split()}
        for name in names
    )


DIAMOND = graph({"A": "B G", "B": "C E", "C": "D E", "D": "F", "E": "F"})
PYTHON = graph(
    {"root": "python small", "python": "openssl glibc", "openssl": "glibc", "small": "glibc"},
    {"python": 100, "openssl": 50, "glibc": 60, "small": 2, "root": 1},
)


def test_the_most_used_and_deepest_are_the_most_popular() -> None:
    assert layering.popularity(DIAMOND) == ["F", "E", "D", "C", "B", "G", "A"]
    assert layering.popularity(graph({"foo": "bar baz", "bar": "baz", "baz": "tux"})) == [
        "tux",
        "baz",
        "bar",
        "foo",
    ]


def test_equally_popular_paths_come_by_name_and_then_by_hash() -> None:
    paths = graph({"/nix/store/b-same": "", "/nix/store/a-same": "", "/nix/store/z-first": ""})

    assert layering.popularity(paths) == ["/nix/store/z-first", "/nix/store/a-same", "/nix/store/b-same"]


def test_by_popularity_the_last_layer_takes_the_rest() -> None:
    def split(count: int) -> list[list[str]]:
        return layering.run_pipeline(DIAMOND, [["popularity_contest"], ["limit_layers", count]])

    assert split(3) == [["F"], ["E"], ["D", "C", "B", "G", "A"]]
    assert split(1) == [["F", "E", "D", "C", "B", "G", "A"]]
    assert len(split(100)) == 7


def test_by_stability_what_roots_alone_use_lies_on_top_and_the_rest_by_its_closure_and_size() -> None:
    everything = [["glibc"], ["openssl"], ["python"], ["small"], ["root"]]

    assert layering.layers_by_stability(PYTHON, 99) == everything
    assert layering.layers_by_stability(PYTHON, 5) == everything


def test_by_stability_a_path_lies_the_lower_the_more_bytes_it_has_for_each_path_in_its_closure() -> None:
    """`many` is smaller than `few`, but has less to change for each of its bytes."""
    paths = graph(
        {"app": "a b", "a": "many few", "b": "many few", "few": "x y z"},
        {"few": 100, "many": 30, "x": 29, "y": 28, "z": 27, "a": 3, "b": 2, "app": 1},
    )

    assert [path for [path] in layering.layers_by_stability(paths, 99)] == [
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

    assert [path for [path] in layering.layers_by_stability(paths, 99)] == [
        *("/nix/store/c-large", "/nix/store/z-first", "/nix/store/a-same", "/nix/store/b-same"),
    ]
    assert layering.layers_by_stability(paths, 3) == [
        ["/nix/store/c-large"],
        ["/nix/store/z-first"],
        ["/nix/store/a-same", "/nix/store/b-same"],
    ]


def test_by_stability_with_few_layers_the_smallest_share_one_and_roots_none_with_the_rest() -> None:
    assert layering.layers_by_stability(PYTHON, 4) == [["glibc"], ["openssl"], ["python"], ["root", "small"]]
    assert layering.layers_by_stability(PYTHON, 3) == [["glibc"], ["openssl"], ["python", "root", "small"]]
    assert layering.layers_by_stability(PYTHON, 2) == [["glibc", "openssl"], ["python", "root", "small"]]
    assert layering.layers_by_stability(PYTHON, 1) == [["glibc", "openssl", "python", "root", "small"]]


def test_by_stability_roots_have_a_quarter_of_the_layers_where_there_are_more_paths_than_layers() -> None:
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

    layers = layering.layers_by_stability(paths, 48)

    assert layers == [
        *([name] for name in libraries[:35]),
        libraries[35:],
        *([name] for name in files[:11]),
        ["a", "b", *files[11:], "other", "program"],
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

    assert layering.layers_by_stability(described, 99, exclude=["base.json", "absent"]) == (
        layering.layers_by_stability(PYTHON, 99)
    )
    assert layering.layers_by_stability(graph({"base.json": ""}), 99, exclude=["base.json"]) == []


def test_references_to_oneself_and_to_strangers_do_not_count() -> None:
    found = Graph.from_closure(
        [
            {"path": "a", "narSize": 1, "references": ["a", "b", "stranger"]},
            {"path": "b", "narSize": 1, "references": []},
        ]
    )

    assert found.references == {"a": frozenset("b"), "b": frozenset()}


@st.composite
def closures(draw: st.DrawFn) -> Graph:
    """Any closure: references only go to earlier paths, as in a store."""
    count = draw(st.integers(1, 14))
    names = [f"/nix/store/{index:02}-{draw(st.sampled_from('abc'))}" for index in range(count)]
    nodes: list[dict[str, Any]] = [
        {
            "path": name,
            "narSize": draw(st.integers(0, 5)),
            "references": draw(st.lists(st.sampled_from(names[: index + 1]), max_size=4)),
        }
        for index, name in enumerate(names)
    ]
    return Graph.from_closure(draw(st.permutations(nodes)))


@given(closures(), st.integers(1, 20))
def test_every_way_puts_every_path_into_exactly_one_of_at_most_so_many_layers(
    graph: Graph, count: int
) -> None:
    pipeline = [["popularity_contest"], ["limit_layers", count]]
    for layers in (
        layering.layers_by_stability(graph, count),
        layering.run_pipeline(graph, pipeline),
    ):
        assert len(layers) <= count
        assert all(layers)
        assert sorted(path for layer in layers for path in layer) == sorted(graph.paths)


@given(closures(), st.integers(1, 20), st.randoms())
def test_the_layers_by_stability_do_not_depend_on_the_run(graph: Graph, count: int, chance: Random) -> None:
    paths = list(graph.paths)
    chance.shuffle(paths)
    shuffled = Graph(
        {path: frozenset(sorted(graph.references[path], reverse=True)) for path in paths}, graph.sizes
    )

    assert layering.layers_by_stability(graph, count) == layering.layers_by_stability(shuffled, count)


@given(closures(), st.integers(0, 5), st.data())
def test_an_edited_root_renews_no_layer_but_its_own(graph: Graph, size: int, data: st.DataObject) -> None:
    """Of the layers below it all stay, and so do those above: only the order of equals may change."""
    root = data.draw(st.sampled_from(graph.roots))
    count = data.draw(st.integers(2, 20))

    def with_root(hash_part: str) -> Layers:
        path = f"/nix/store/{hash_part}-edited"
        references = {name: used for name, used in graph.references.items() if name != root}
        edited = Graph({**references, path: graph.references[root]}, {**graph.sizes, path: size})
        layers = layering.layers_by_stability(edited, count)
        return [["edited" if name == path else name for name in layer] for layer in layers]

    assert with_root("0" * 32) == with_root("z" * 32)


@given(closures(), st.data())
def test_the_same_packages_come_in_the_same_order_in_every_image(graph: Graph, data: st.DataObject) -> None:
    """What is not a root's alone in two closures, each that of any of the paths."""

    def shared(roots: list[str]) -> list[str]:
        image = graph.only(graph.below(roots))
        own = {path for path in image.paths if image.users[path] <= frozenset(image.roots)}
        return [path for [path] in layering.layers_by_stability(image, 99) if path not in own]

    one, other = (shared(data.draw(st.lists(st.sampled_from(graph.paths), min_size=1))) for _ in range(2))

    assert [path for path in one if path in other] == [path for path in other if path in one]


@given(closures())
def test_popularity_ranks_every_path_below_all_that_it_uses(graph: Graph) -> None:
    rank = {path: index for index, path in enumerate(layering.popularity(graph))}

    assert all(
        rank[used] < rank[path] for path, references in graph.references.items() for used in references
    )


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([["split_every", 3]], [["openssl", "root", "small"], ["glibc", "python"]]),
        ([["popularity_contest"]], [["glibc"], ["openssl"], ["python"], ["small"], ["root"]]),
        ([["popularity_contest"], ["limit_layers", 2]], [["glibc"], ["openssl", "python", "root", "small"]]),
        ([["popularity_contest"], ["reverse"]], [["root"], ["small"], ["python"], ["openssl"], ["glibc"]]),
        ([["split_paths", ["python"]]], [["openssl", "python"], ["glibc"], ["root", "small"]]),
        ([["split_paths", ["root"]]], [["glibc", "openssl", "python", "root", "small"]]),
        ([["split_paths", ["nowhere"]]], [["glibc", "openssl", "python", "root", "small"]]),
        ([["split_paths", [{"children_of": "root"}]]], [["glibc", "openssl", "python", "small"], ["root"]]),
        ([["subcomponent_out", ["openssl"]]], [["glibc", "openssl"], ["python", "root", "small"]]),
        ([["subcomponent_in", "openssl"]], [["openssl", "python", "root"], ["glibc", "small"]]),
        ([["remove_paths", "root"]], [["glibc", "openssl", "python", "small"]]),
        (
            [["split_paths", ["python"]], ["over", "main", ["split_every", 1]], ["flatten"]],
            [["openssl"], ["python"], ["glibc"], ["root", "small"]],
        ),
        (
            [["split_every", 3], ["map", ["pipe", [["split_every", 2], ["reverse"]]]], ["flatten"]],
            [["openssl"], ["root", "small"], ["glibc", "python"]],
        ),
    ],
    ids=str,
)
def test_the_operations_of_a_pipeline(calls: list[Any], expected: list[list[str]]) -> None:
    layers = layering.run_pipeline(PYTHON, calls)

    assert [sorted(layer) for layer in layers] == [sorted(layer) for layer in expected]


def test_a_pipeline_never_sees_what_is_excluded() -> None:
    assert layering.run_pipeline(PYTHON, [["popularity_contest"]], exclude=PYTHON.paths) == []
    assert ["root"] not in layering.run_pipeline(PYTHON, [["popularity_contest"]], exclude=["root"])


@pytest.mark.parametrize(
    ("calls", "complaint"),
    [
        ([["popularity"]], "has no operation 'popularity'; it has flatten, limit_layers"),
        (["reverse"], "a list that begins with its name, not 'reverse'"),
        ({"a": 1}, "must be a list of operations"),
        ([["reverse"]], "reverse of layeringPipeline works on a list, but here is a graph"),
        ([["popularity_contest"], ["popularity_contest"]], "works on a graph, but this is a list"),
        ([["limit_layers"]], "does not fit"),
        ([["popularity_contest"], ["limit_layers", 0]], "takes a number above zero, not 0"),
        (
            [["split_paths", ["openssl"]], ["over", "mean", ["flatten"]]],
            "finds no part 'mean'; there is main, ",
        ),
        ([["split_paths", [1]]], "takes paths and"),
    ],
)
def test_a_wrong_pipeline_is_refused_with_a_sentence(calls: Any, complaint: str) -> None:
    with pytest.raises(LayeringError, match=complaint):
        layering.run_pipeline(PYTHON, calls)


def test_the_base_and_the_image_s_own_files_take_layers() -> None:
    assert layering.available_layers(100, 0) == 99
    assert layering.available_layers(4, 2) == 1
    with pytest.raises(LayeringError, match=r"maxLayers = 3 is too small.*must be at least 4"):
        layering.available_layers(3, 2)


def test_an_image_that_does_not_say_how_many_layers_it_may_have_gets_no_more_than_start_fast() -> None:
    assert layering.available_layers(None, 0) == 49
    assert layering.available_layers(None, 30) == 19
    # A base that takes them all leaves one for what is edited, and one for the rest.
    assert layering.available_layers(None, 48) == 2
    assert layering.available_layers(None, 90) == 2
