"""How long nixdock takes to answer when there is nothing to do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from benchmarks.measure import Competitor, compare, shell

if TYPE_CHECKING:
    from benchmarks.options import Options


def run(_options: Options) -> None:
    """Measure `--help` and the plugin's metadata beside a bare Python and docker's own help."""
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
