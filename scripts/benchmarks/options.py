"""What the command line says about the benchmarks."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Options:
    """How much to measure.

    Args:
        size: Megabytes of an image.
        layers: Layers of an image.
        rounds: How often each competitor runs.
        images: Images on the engine that has many.
        engine: Which engine the images go to, by the name that the tests give it.
        full: Whether to measure all sizes that are of interest, which takes hours.
    """

    size: int
    layers: int
    rounds: int
    images: int
    engine: str
    full: bool


def parse(words: Sequence[str]) -> Options:
    """Read the options; a mistake ends the program with a message."""
    parser = argparse.ArgumentParser(prog="scripts/bench [NAME...]", allow_abbrev=False)
    parser.add_argument("--size", type=int, default=100, metavar="MB", help="of an image (%(default)s)")
    parser.add_argument("--layers", type=int, default=20, metavar="N", help="of an image (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="of each competitor (%(default)s)")
    parser.add_argument(
        "--images", type=int, default=200, metavar="N", help="on the engine that has many (%(default)s)"
    )
    parser.add_argument(
        "--engine", default="docker-20", metavar="NAME", help="one of the tests' (%(default)s)"
    )
    parser.add_argument("--full", action="store_true", help="every size, number of layers and of images")
    found = parser.parse_args(words)
    return Options(
        size=found.size,
        layers=found.layers,
        rounds=found.rounds,
        images=found.images,
        engine=found.engine,
        full=found.full,
    )
