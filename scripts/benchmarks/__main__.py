"""`scripts/bench [NAME...] [OPTION...]`: run the named benchmarks, or all."""

from __future__ import annotations

import importlib
import itertools
import sys

from benchmarks.options import parse

BENCHMARKS = ("start", "up", "loop", "growth", "load", "check", "layered")


def main() -> int:
    """Run what the command line names; return the exit status."""
    words = sys.argv[1:]
    names = list(itertools.takewhile(lambda word: not word.startswith("-"), words))
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.stderr.write(f"no such benchmark: {unknown[0]} (there are {', '.join(BENCHMARKS)})\n")
        return 2
    options = parse(words[len(names) :])
    for name in names or BENCHMARKS:
        importlib.import_module(f"benchmarks.{name}").run(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
