"""How the cost of a turn grows: with the files that an evaluation reads, and with the layers of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.loop import open_bench
from benchmarks.measure import compare

if TYPE_CHECKING:
    from benchmarks.loop import Bench
    from benchmarks.options import Options

FILES = (10, 1_000, 10_000)
LAYERS = (20, 50, 80)
"""Docker's overlay mounts some 54 by itself, and more through a child process."""


def run(options: Options) -> None:
    """Measure both on one engine."""
    with open_bench(options.engine, options) as bench:
        _compare_files(bench)
        _compare_layers(bench)


def _compare_files(bench: Bench) -> None:
    """Load an image again whose evaluation copies a directory of many files."""
    for count in FILES:
        tree = bench.folder / "tree"
        tree.mkdir(exist_ok=True)
        for number in range(count):
            (tree / f"file-{number}").write_text(f"{number}\n")
        again = "nixdock load tree.nix"
        # What was written within the last two seconds is not remembered.
        bench.shell(f"sleep 3; {again} --eval-cache; {again} --eval-cache")
        compare(
            f"an image of a directory of {count} files, nothing changed",
            [
                bench.competitor("nixdock load", again),
                bench.competitor("nixdock load --eval-cache", f"{again} --eval-cache"),
                bench.competitor("nix-instantiate", "nix-instantiate tree.nix"),
            ],
            rounds=bench.rounds,
        )


def _compare_layers(bench: Bench) -> None:
    """Run images of more and more layers."""
    ways = []
    for count in LAYERS:
        image = bench.ask(f"nixdock load --quiet layers.nix --argstr count {count}")
        ways.append(bench.competitor(f"docker run, {count} layers", f"docker run --rm {image}"))
    compare("starting an image by its layers", ways, rounds=bench.rounds)
