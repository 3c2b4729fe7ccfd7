"""The tutorial, by nixdock and by hand: from the unchanged file to the container's output."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Competitor, compare, shell
from support import engines

if TYPE_CHECKING:
    from benchmarks.options import Options

BY_HAND = """
eval "$(nixdock env)"
image=$(nix-build --no-out-link hello-docker.nix)
loaded=$(docker load --quiet < "$image")
docker run --rm "${loaded#Loaded image: }"
"""


def run(_options: Options) -> None:
    """Measure `nixdock up` beside nix-build, docker load and docker run."""
    with engines.start("docker-20") as engine, tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "DOCKER_HOST": engine.host}
        subprocess.run(
            ["nixdock", "init", Path(folder) / "hello-docker.nix"], check=True, capture_output=True
        )

        def up() -> None:
            shell("nixdock up hello-docker.nix --expect 'Hello, world!'", env=env, cwd=folder)()

        def by_hand() -> None:
            shell(BY_HAND, env=env, cwd=folder)()

        def forget_image() -> None:
            shell("docker image ls -q | xargs -r docker image rm -f", env=env)()

        up()
        compare(
            "hello-docker.nix, nothing changed",
            [Competitor("nixdock up", up), Competitor("by hand", by_hand)],
        )
        compare(
            "hello-docker.nix, built but not loaded",
            [Competitor("nixdock up", up, forget_image), Competitor("by hand", by_hand, forget_image)],
        )
