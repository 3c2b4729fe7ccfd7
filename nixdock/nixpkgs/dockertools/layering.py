"""Which store paths share a layer.

Three ways, all deterministic: by stability (`stability.layers_by_stability`, the default), by popularity, or
by a pipeline of operations that the user writes (`run_pipeline`). Each takes the graph of a closure and gives
lists of paths, one a layer, bottom first.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, Union

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

Layers: TypeAlias = list[list[str]]
Value: TypeAlias = Union["Graph", list["Value"], dict[str, "Value"]]
"""What an operation takes and gives: a graph, or lists and dictionaries of such."""


class LayeringError(Exception):
    """The layers cannot be made as asked; the text says why in a sentence."""


@dataclass(frozen=True)
class Graph:
    """Store paths and what they refer to.

    Args:
        references: Each path's direct references among these paths, itself left out.
        sizes: Each path's bytes, as Nix counts them.
    """

    references: dict[str, frozenset[str]]
    sizes: dict[str, int]

    @classmethod
    def from_closure(cls, closure: Iterable[dict[str, Any]]) -> Graph:
        """Read what Nix's `exportReferencesGraph` gives: `path`, `narSize`, `references`.

        Paths keep Nix's order.
        """
        nodes = list(closure)
        known = {node["path"] for node in nodes}
        return cls(
            {node["path"]: frozenset(node["references"]) & (known - {node["path"]}) for node in nodes},
            {node["path"]: int(node["narSize"]) for node in nodes},
        )

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths in the graph's order."""
        return tuple(self.references)

    @cached_property
    def users(self) -> dict[str, frozenset[str]]:
        """Each path's direct users."""
        found: dict[str, set[str]] = {path: set() for path in self.references}
        for path, references in self.references.items():
            for reference in references:
                found[reference].add(path)
        return {path: frozenset(users) for path, users in found.items()}

    @property
    def roots(self) -> list[str]:
        """The paths that nothing uses."""
        return [path for path in self.references if not self.users[path]]

    def below(self, paths: Iterable[str], *, without: Collection[str] = ()) -> set[str]:
        """Return the paths and all that they reach; nothing is reached through `without`."""
        return _reach(paths, self.references, without)

    def above(self, paths: Iterable[str]) -> set[str]:
        """Return the paths and all that reach them."""
        return _reach(paths, self.users, ())

    def only(self, paths: Collection[str]) -> Graph:
        """Return the graph of some of the paths, in this graph's order."""
        keep = frozenset(paths)
        return Graph(
            {path: references & keep for path, references in self.references.items() if path in keep},
            {path: size for path, size in self.sizes.items() if path in keep},
        )

    def merged(self, others: Iterable[Graph]) -> Graph:
        """Return one graph of this and others; references across them are not known."""
        references, sizes = dict(self.references), dict(self.sizes)
        for other in others:
            references |= other.references
            sizes |= other.sizes
        return Graph(references, sizes)

    def by_size(self) -> list[str]:
        """Return the paths, smallest first, ties by name."""
        return sorted(self.references, key=lambda path: (self.sizes[path], path))


def name_key(path: str) -> tuple[str, str]:
    """Return what to sort a store path by: its name, then its hash."""
    prefix, _, name = path.rpartition("/")[2].partition("-")
    return name, prefix


def popularity(graph: Graph) -> list[str]:
    """Return the paths, most popular first: those that many use, and that lie deep, come first."""
    counted: dict[str, Counter[str]] = {}

    def count(paths: Iterable[str]) -> Counter[str]:
        total: Counter[str] = Counter()
        for path in paths:
            total[path] += 1
            for below, score in counted[path].items():
                total[below] += score + 1
        return total

    for path in bottom_up(graph):
        counted[path] = count(graph.references[path])
    scores = count(graph.roots)
    return sorted(graph.paths, key=lambda path: (-scores[path], *name_key(path)))


def run_pipeline(graph: Graph, calls: Sequence[Any], exclude: Collection[str] = ()) -> Layers:
    """Split a closure by a `layeringPipeline`.

    Args:
        graph: The whole closure.
        calls: Lists of an operation's name and its arguments.
        exclude: Paths to remove first.

    Raises:
        LayeringError: There is no such operation, or it cannot be applied to what it is given.
    """
    rest = graph.only([path for path in graph.by_size() if path not in frozenset(exclude)])
    if not rest.references:
        return []
    ordered = Graph({path: rest.references[path] for path in rest.by_size()}, rest.sizes)
    return [list(part.paths) for part in _flat(_pipe(ordered, calls)) if part.references]


def _pipe(value: Value, calls: Any) -> Value:  # noqa: ANN401 - the user's JSON
    if not isinstance(calls, list):
        raise LayeringError(f"layeringPipeline must be a list of operations, not {calls!r}")
    for call in calls:
        value = _call(value, call)
    return value


def _call(value: Value, call: Any) -> Value:  # noqa: ANN401 - the user's JSON
    if not (isinstance(call, list) and call and isinstance(call[0], str)):
        raise LayeringError(
            f"an operation of layeringPipeline is a list that begins with its name, not {call!r}"
        )
    name, *arguments = call
    operation = _OPERATIONS.get(name)
    if operation is None:
        raise LayeringError(
            f"layeringPipeline has no operation '{name}'; it has {', '.join(sorted(_OPERATIONS))}",
        )
    try:
        return operation(value, *arguments)
    except TypeError as error:
        raise LayeringError(f"the operation {call!r} of layeringPipeline does not fit: {error}") from error


def _graph(value: Value, name: str) -> Graph:
    if not isinstance(value, Graph):
        raise LayeringError(
            f"{name} of layeringPipeline works on a graph, but this is a {_kind(value)} of them",
        )
    return value


def _list(value: Value, name: str) -> list[Value]:
    if not isinstance(value, list):
        raise LayeringError(f"{name} of layeringPipeline works on a list, but here is a {_kind(value)}")
    return value


def _kind(value: Value) -> str:
    return {Graph: "graph", list: "list", dict: "dictionary"}[type(value)]


def _popularity_contest(value: Value) -> Value:
    graph = _graph(value, "popularity_contest")
    return [graph.only((path,)) for path in popularity(graph)]


def _limit_layers(value: Value, count: int) -> Value:
    parts = _flat(_list(value, "limit_layers"))
    _positive("limit_layers", count)
    if len(parts) <= count:
        return list(parts)
    first, *rest = parts[count - 1 :]
    return [*parts[: count - 1], first.merged(rest)]


def _split_every(value: Value, count: int) -> Value:
    graph = _graph(value, "split_every")
    _positive("split_every", count)
    paths = graph.paths
    return [graph.only(paths[start : start + count]) for start in range(0, len(paths), count)]


def _split_paths(value: Value, chosen: Any) -> Value:  # noqa: ANN401 - the user's JSON
    graph = _graph(value, "split_paths")
    listed: set[str] = set()
    for item in chosen if isinstance(chosen, list) else [chosen]:
        if isinstance(item, dict) and set(item) == {"children_of"}:
            parents = item["children_of"]
            for parent in parents if isinstance(parents, list) else [parents]:
                listed |= graph.references.get(parent, frozenset())
        elif isinstance(item, str):
            listed |= {item} & graph.references.keys()
        else:
            raise LayeringError(f"split_paths takes paths and {{children_of: path}}, not {item!r}")
    reached = graph.below(listed)
    others = graph.below((root for root in graph.roots if root not in listed), without=listed)
    return _parts(graph, main=reached - others, common=reached & others, rest=others - reached)


def _subcomponent_out(value: Value, chosen: Any) -> Value:  # noqa: ANN401 - the user's JSON
    graph = _graph(value, "subcomponent_out")
    main = graph.below(_known(graph, chosen))
    return _parts(graph, main=main, rest=set(graph.paths) - main)


def _subcomponent_in(value: Value, chosen: Any) -> Value:  # noqa: ANN401 - the user's JSON
    graph = _graph(value, "subcomponent_in")
    main = graph.above(_known(graph, chosen))
    return _parts(graph, main=main, rest=set(graph.paths) - main)


def _remove_paths(value: Value, chosen: Any) -> Value:  # noqa: ANN401 - the user's JSON
    graph = _graph(value, "remove_paths")
    return graph.only(set(graph.paths) - _known(graph, chosen))


def _over(value: Value, key: str, call: Any) -> Value:  # noqa: ANN401 - the user's JSON
    if not isinstance(value, dict):
        raise LayeringError(f"over of layeringPipeline works on a dictionary, but here is a {_kind(value)}")
    if key not in value:
        raise LayeringError(f"over of layeringPipeline finds no part '{key}'; there is {', '.join(value)}")
    return {**value, key: _call(value[key], call)}


def _map(value: Value, call: Any) -> Value:  # noqa: ANN401 - the user's JSON
    return [_call(item, call) for item in _list(value, "map")]


def _flatten(value: Value) -> Value:
    return list(_flat(value))


def _reverse(value: Value) -> Value:
    return _list(value, "reverse")[::-1]


_OPERATIONS: dict[str, Callable[..., Value]] = {
    "popularity_contest": _popularity_contest,
    "limit_layers": _limit_layers,
    "split_every": _split_every,
    "split_paths": _split_paths,
    "subcomponent_out": _subcomponent_out,
    "subcomponent_in": _subcomponent_in,
    "remove_paths": _remove_paths,
    "over": _over,
    "map": _map,
    "pipe": _pipe,
    "flatten": _flatten,
    "reverse": _reverse,
}


def _positive(name: str, count: Any) -> None:  # noqa: ANN401 - the user's JSON
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise LayeringError(f"{name} of layeringPipeline takes a number above zero, not {count!r}")


def _known(graph: Graph, chosen: Any) -> set[str]:  # noqa: ANN401 - the user's JSON
    paths = chosen if isinstance(chosen, list) else [chosen]
    return {str(path) for path in paths} & graph.references.keys()


def _parts(graph: Graph, **parts: set[str]) -> Value:
    return {name: graph.only(paths) for name, paths in parts.items() if paths}


def _flat(value: Value) -> list[Graph]:
    if isinstance(value, Graph):
        return [value]
    items = value.values() if isinstance(value, dict) else value
    return [graph for item in items for graph in _flat(item)]


def _reach(start: Iterable[str], edges: dict[str, frozenset[str]], without: Collection[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        path = waiting.pop()
        if path not in found and path not in without:
            found.add(path)
            waiting += edges[path]
    return found


def bottom_up(graph: Graph) -> Iterable[str]:
    """Yield every path after all that it refers to."""
    missing = {path: len(references) for path, references in graph.references.items()}
    ready = [path for path, count in missing.items() if not count]
    while ready:
        path = ready.pop()
        yield path
        for user in graph.users[path]:
            missing[user] -= 1
            if not missing[user]:
                ready.append(user)
