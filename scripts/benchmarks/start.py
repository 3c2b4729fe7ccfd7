"""How long nixdock takes to answer when there is nothing to do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import nixdock.cli
from benchmarks.measure import Competitor, compare, shell
from nixdock.nixpkgs.assembly import offline_set

if TYPE_CHECKING:
    from benchmarks.options import Options


def run(_options: Options) -> None:
    """Measure `--help`, the plugin's metadata, and the tutorial's image on the offline package set."""
    env = dict(os.environ)
    compare(
        "answering --help",
        [
            Competitor("nixdock --help", shell("nixdock --help", env=env)),
            Competitor("docker --help", shell("docker --help", env=env)),
            Competitor("python -c ''", shell("python -c ''", env=env)),
        ],
    )
    compare(
        "answering as a plugin of docker",
        [
            Competitor("docker-nixdock", shell("docker-nixdock docker-cli-plugin-metadata", env=env)),
            Competitor("python -c ''", shell("python -c ''", env=env)),
        ],
    )
    evaluate = f"nix-instantiate --eval --strict -I nixpkgs={offline_set.materialise()} -E"
    tutorial = Path(nixdock.cli.__file__).parent / "hello-docker.nix"
    compare(
        "evaluating hello-docker.nix on the offline package set",
        [
            Competitor("hello-docker.nix", shell(f"{evaluate} '(import {tutorial} {{ }}).drvPath'", env=env)),
            Competitor("nix-instantiate -E 1", shell(f"{evaluate} 1", env=env)),
        ],
        rounds=20,
    )
