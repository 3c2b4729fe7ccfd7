"""Loading beside `docker load` and `skopeo copy`: unchanged, one layer changed, for the first time."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from benchmarks.measure import Competitor, compare, shell
from support import engines
from support.archives import Sample, docker_archive
from support.layers import file, tar_of


def run(_options: list[str]) -> None:
    """Measure an unchanged image."""
    with engines.start("docker-20") as engine, tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "DOCKER_HOST": engine.host, "XDG_CACHE_HOME": folder, "XDG_STATE_HOME": folder}
        layers = tuple(tar_of([file(f"data-{number}", os.urandom(1 << 20))]) for number in range(10))
        (Path(folder) / "image.tar").write_bytes(docker_archive(Sample(layers, ("bench:1",))))
        nixdock = shell("nixdock load image.tar", env=env, cwd=folder)
        docker = shell("docker load < image.tar", env=env, cwd=folder)
        nixdock()
        compare("unchanged image", [Competitor("nixdock load", nixdock), Competitor("docker load", docker)])
