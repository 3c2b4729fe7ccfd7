"""Which store paths share a layer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixdock.nixpkgs.dockertools import layering
from nixdock.nixpkgs.dockertools.layering import Graph, LayeringError
from nixdock.nixpkgs.dockertools.stability import layers_by_stability

from .graphs import PYTHON, closures, graph

DIAMOND = graph({"A": "B G", "B": "C E", "C": "D E", "D": "F", "E": "F"})


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


def test_references_to_oneself_and_to_strangers_do_not_count() -> None:
    found = Graph.from_closure(
        [
            {"path": "a", "narSize": 1, "references": ["a", "b", "stranger"]},
            {"path": "b", "narSize": 1, "references": []},
        ]
    )

    assert found.references == {"a": frozenset("b"), "b": frozenset()}


@given(closures(), st.integers(1, 20))
def test_every_way_puts_every_path_into_exactly_one_of_at_most_so_many_layers(
    graph: Graph, count: int
) -> None:
    pipeline = [["popularity_contest"], ["limit_layers", count]]
    for layers in (
        layers_by_stability(graph, count),
        layering.run_pipeline(graph, pipeline),
    ):
        assert len(layers) <= count
        assert all(layers)
        assert sorted(path for layer in layers for path in layer) == sorted(graph.paths)


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
