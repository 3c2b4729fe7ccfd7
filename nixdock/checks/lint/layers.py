"""What is wrong with how an image's layers lie: what an edit renews, and how many there are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nixdock.checks.files.store import STORE
from nixdock.checks.lint.programs import Gravity, Remark
from nixdock.nixpkgs.dockertools.layering import Graph
from nixdock.nixpkgs.dockertools.stability import DEFAULT_LAYERS
from nixdock.text import format_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nixdock.checks.files.tree import Tree
    from nixdock.checks.lint.programs import Programs

_AT_ONCE: Final = 54
"""How many layers engines mount by themselves (measured with overlay2 of Docker 20.10)."""

_MADE_OF: Final = re.compile(r"'/nix/store/([^/']+)'")
"""Store paths in what dockerTools says in the history of a layer: `store paths: ['/nix/store/...', ...]`."""


def find_many(programs: Programs) -> Iterator[Remark]:
    """Count the layers."""
    count = len(programs.subject.layers)
    if count > _AT_ONCE:
        yield Remark(
            "layers",
            Gravity.ADVICE,
            f"the image has {count} layers: beyond {_AT_ONCE} Docker mounts them through a further process, "
            "and every start takes 0.3 to 0.5 s longer",
            f"maxLayers = {DEFAULT_LAYERS};, or limit_layers in a layeringPipeline",
        )


def find_order(programs: Programs) -> Iterator[Remark]:
    """Look for roots, such as the user's own files, below what is larger; dockerTools' layers alone count."""
    layers = _store_layers(programs)
    numbers = sorted(layers)
    graph = _read_graph(programs, [name for number in numbers for name in layers[number]])
    count = len(programs.subject.layers)
    # The base's layers are there besides, and the customisation layer.
    limit = max(DEFAULT_LAYERS - max(count - len(layers), 1), 2)
    now = _renewed(graph, [layers[number] for number in numbers])
    mended = _renewed(graph, _largest_lowest(graph, limit))
    misplaced: list[tuple[int, str, int]] = []
    largest = 0
    for number in reversed(numbers):
        misplaced += [
            (now[name] - mended[name], name, number)
            for name in layers[number]
            if not graph.users[name] and graph.sizes[name] < largest and mended[name] < now[name]
        ]
        largest = max(largest, *(graph.sizes[name] for name in layers[number]))
    if not misplaced:
        return
    _, worst, number = max(misplaced)
    more = f" (and {len(misplaced) - 1} more such)" if len(misplaced) > 1 else ""
    yield Remark(
        "order",
        Gravity.ADVICE,
        f"nothing refers to /nix/store/{worst}{more}, and it lies below larger layers, in layer {number + 1} "
        f"of {count}: when it changes, {format_bytes(now[worst])} of store paths are sent again, and with "
        f"the largest lowest it would be {format_bytes(mended[worst])}",
        f'layeringPipeline = [ [ "split_every" 1 ] [ "reverse" ] [ "limit_layers" {limit} ] ];',
    )


def _largest_lowest(graph: Graph, limit: int) -> list[list[str]]:
    """Return the layers of the pipeline that is advised."""
    names = graph.by_size()[::-1]
    return [*([name] for name in names[: limit - 1]), names[limit - 1 :]]


def _store_layers(programs: Programs) -> dict[int, list[str]]:
    """Return, by its number from below, of what each layer is that dockerTools made of store paths."""
    present = frozenset(programs.subject.store_paths.names)
    history = programs.subject.config.get("history") or []
    entries = [entry for entry in history if isinstance(entry, dict) and not entry.get("empty_layer")]
    if len(entries) != len(programs.subject.layers):
        return {}
    taken: set[str] = set()
    layers: dict[int, list[str]] = {}
    for number, entry in enumerate(entries):
        comment = entry.get("comment")
        named = _MADE_OF.findall(comment) if isinstance(comment, str) else []
        names = [name for name in dict.fromkeys(named) if name in present and name not in taken]
        taken |= set(names)
        if names:
            layers[number] = names
    return layers


def _read_graph(programs: Programs, names: list[str]) -> Graph:
    by_hash = {name[:32]: name for name in names}
    references = programs.subject.store_paths.references
    used = {
        name: frozenset(
            by_hash[found.name[:32]] for found in references.get(name, ()) if found.name[:32] in by_hash
        )
        for name in names
    }
    return Graph(used, {name: _nar_size(programs.tree, f"{STORE}/{name}") for name in names})


def _renewed(graph: Graph, layers: list[list[str]]) -> dict[str, int]:
    """Return for each path the bytes of its layer and of all above it."""
    renewed: dict[str, int] = {}
    above = 0
    for names in reversed(layers):
        above += sum(graph.sizes[name] for name in names)
        renewed |= dict.fromkeys(names, above)
    return renewed


def _nar_size(tree: Tree, path: str) -> int:
    """Return the size that Nix knows a store path by, which dockerTools sorts by: that of its archive."""
    total = _text("nix-archive-1")
    for entry in tree.walk(path):
        total += _text("(", "type", ")")
        if entry.kind == "directory":
            total += _text("directory")
        elif entry.kind == "symlink":
            total += _text("symlink", "target", entry.target)
        else:
            total += _text("regular", "contents") + 8 + _padded(entry.size)
            total += _text("executable", "") if entry.mode & 0o100 else 0
        if entry.path != path:
            total += _text("entry", "(", "name", entry.path.rpartition("/")[2], "node", ")")
    return total


def _text(*words: str) -> int:
    return sum(8 + _padded(len(word.encode(errors="surrogateescape"))) for word in words)


def _padded(size: int) -> int:
    return -(-size // 8) * 8
