"""Which store paths share a layer where the user does not say: what changes least lies at the bottom."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from .layering import Graph, LayeringError, Layers, bottom_up, name_key

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

DEFAULT_LAYERS = 50
"""How many layers an image gets that does not say how many it may have.

An engine's overlay mounts up to 54 by itself, and more through a child process: 0.3 to 0.5 s at every start.
"""

_FEWEST = 2
"""How many layers of store paths there are on a base that takes all of those: one for what changes most."""


def available_layers(max_layers: int | None, base_layers: int) -> int:
    """Return how many layers of store paths an image can have.

    Args:
        max_layers: What the whole image may have, or None where the user does not say.
        base_layers: What the image below has.

    Raises:
        LayeringError: Not even one is left.
    """
    used = 1 + base_layers  # the customisation layer is always there
    if max_layers is None:
        return max(DEFAULT_LAYERS - used, _FEWEST)
    if used >= max_layers:
        raise LayeringError(
            f"maxLayers = {max_layers} is too small: {base_layers} layers of the base image and one for "
            f"the image's own files leave none for store paths; it must be at least {used + 1}",
        )
    return max_layers - used


def layers_by_stability(graph: Graph, count: int, exclude: Collection[str] = ()) -> Layers:
    """Split a closure into layers, those at the bottom that an edit renews least often.

    An engine shares a layer only where all below it are the same, so a path that changes renews its own layer
    and all above it. On top are the user's own things: what nothing refers to, and what only that refers to
    directly, the largest lowest. Below is all else, by the paths in its closure for each of its bytes, fewest
    lowest: a path changes when anything in its closure does. That depends on the path alone, so the same
    packages come in the same order in every image.

    Where there are fewer layers than paths, the smaller ones on top share layers with those of about their
    size, so that a script goes along with what is as small, and the last of the rest share one below those.

    Args:
        graph: The whole closure, roots and all.
        count: How many layers there may be.
        exclude: Paths to leave out first, for which the others are there: the real roots are below them.
    """
    kept = graph.only(frozenset(graph.paths).difference(exclude))
    roots = frozenset(kept.roots)
    own = [path for path in kept.paths if kept.users[path] <= roots]
    own.sort(key=lambda path: (-kept.sizes[path], *name_key(path)))
    needs = _closure_counts(kept)
    shared = [path for path in kept.paths if not kept.users[path] <= roots]
    shared.sort(key=lambda path: (needs[path] / max(kept.sizes[path], 1), *name_key(path)))
    # What is edited most has a quarter of the layers for itself, and more where the rest leaves some.
    for_own = min(len(own), max(count - len(shared), count // 4, 1))
    if shared and count == 1:
        return [sorted(kept.paths, key=name_key)]
    return _at_most(count - for_own, [[path] for path in shared]) + _by_magnitude(for_own, own, kept.sizes)


def _by_magnitude(count: int, paths: Sequence[str], sizes: Mapping[str, int]) -> Layers:
    """Return the largest paths as layers of their own, and the others by how many digits their sizes have."""

    def digits(path: str) -> int:
        return len(str(sizes[path]))

    alone = min(len(paths), count)
    while alone and alone + len(set(map(digits, paths[alone:]))) > count:
        alone -= 1
    groups = [list(group) for _, group in groupby(paths[alone:], digits)]
    return _at_most(count, [*([path] for path in paths[:alone]), *groups])


def _at_most(count: int, layers: Layers) -> Layers:
    """Return the layers, and the last ones as one where there are too many."""
    ordered = [sorted(layer, key=name_key) for layer in layers]
    if len(layers) <= count:
        return ordered
    rest = [path for layer in layers[count - 1 :] for path in layer]
    return [*ordered[: count - 1], sorted(rest, key=name_key)]


def _closure_counts(graph: Graph) -> dict[str, int]:
    """Return how many paths each path's closure has, itself counted."""
    closures: dict[str, int] = {}  # a bit for each path
    for number, path in enumerate(bottom_up(graph)):
        bits = 1 << number
        for reference in graph.references[path]:
            bits |= closures[reference]
        closures[path] = bits
    return {path: bits.bit_count() for path, bits in closures.items()}
