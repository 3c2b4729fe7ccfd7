"""`scripts/bench [NAME...]`: run the named benchmarks, or all."""

from __future__ import annotations

import importlib
import sys

BENCHMARKS = ("start", "up", "load", "check")


def main() -> int:
    """Run what the command line names; return the exit status."""
    names = [word for word in sys.argv[1:] if not word.startswith("-")] or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.stderr.write(f"no such benchmark: {unknown[0]} (there are {', '.join(BENCHMARKS)})\n")
        return 2
    options = [word for word in sys.argv[1:] if word.startswith("-")]
    for name in names:
        importlib.import_module(f"benchmarks.{name}").run(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
