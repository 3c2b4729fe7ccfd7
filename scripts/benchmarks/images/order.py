"""Write the layeringPipeline that cuts out a path a layer, the smallest closure first."""

from __future__ import annotations

import json
import sys
from pathlib import Path

_NAME = len("/nix/store/") + 33


def _read(registration: Path) -> tuple[dict[str, int], dict[str, set[str]]]:
    """Return the sizes and the references of the paths of a `closureInfo`."""
    lines = iter(registration.read_text().splitlines())
    sizes: dict[str, int] = {}
    references: dict[str, set[str]] = {}
    for path in lines:
        next(lines)
        sizes[path] = int(next(lines))
        next(lines)
        references[path] = {next(lines) for _ in range(int(next(lines)))}
    return sizes, references


def _closure(path: str, references: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    rest = [path]
    while rest:
        one = rest.pop()
        if one not in found:
            found.add(one)
            rest += references[one]
    return found


def main() -> None:
    """Read the registration that the command line names."""
    sizes, references = _read(Path(sys.argv[1]))

    def weigh(path: str) -> tuple[int, str, str]:
        return sum(sizes[one] for one in _closure(path, references)), path[_NAME:], path

    *others, last = sorted(sizes, key=weigh)
    pipeline: list[object] = [["subcomponent_out", [last]]]
    for path in reversed(others):
        pipeline = [["subcomponent_out", [path]], ["over", "rest", ["pipe", pipeline]]]
    json.dump([*pipeline, ["flatten"]], sys.stdout)


main()
