"""Finishes what a build made as units are finished: it runs by what the store has, and refers to that alone.

Its arguments are the directory to patch, the store paths of the C library and of the shell, and those of all
that the result may refer to.
"""

from __future__ import annotations

import sys
from pathlib import Path

from .patch import Loader, Patcher
from .tree import UnitTree


def main() -> None:
    """Patch the first directory by what the others hold."""
    out, libc, shell, *needs = map(Path, sys.argv[1:])
    Patcher(UnitTree(out, needs), Loader(libc), shell).patch()


if __name__ == "__main__":
    main()
