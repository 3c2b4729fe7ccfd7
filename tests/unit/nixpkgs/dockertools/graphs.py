"""Closures to be split into layers."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from nixdock.nixpkgs.dockertools.layering import Graph


def graph(edges: dict[str, str], sizes: dict[str, int] | None = None) -> Graph:
    """A graph of one-word names; `edges` are the references, separated by blanks."""
    names = list(dict.fromkeys(name for user, used in edges.items() for name in (*used.split(), user)))
    return Graph.from_closure(
        {"path": name, "narSize": (sizes or {}).get(name, 1), "references": edges.get(name, "").split()}
        for name in names
    )


PYTHON = graph(
    {"root": "python small", "python": "openssl glibc", "openssl": "glibc", "small": "glibc"},
    {"python": 100, "openssl": 50, "glibc": 60, "small": 2, "root": 1},
)


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
