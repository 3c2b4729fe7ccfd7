"""Checking an image beside `docker run` for each command, and beside container-structure-test."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Competitor, compare, shell
from support import engines
from support.archives import docker_archive, runnable

if TYPE_CHECKING:
    from benchmarks.options import Options

COMMANDS = 20


def run(options: Options) -> None:
    """Measure command checks."""
    with engines.start(options.engine) as engine, tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "DOCKER_HOST": engine.host, "XDG_CACHE_HOME": folder, "XDG_STATE_HOME": folder}
        engine.docker("load", stdin=docker_archive(runnable(tags=("bench:1",))))
        checks = {
            f"command {number}": {"exec": ["/bin/busybox", "echo", str(number)], "stdout": f"{number}\n"}
            for number in range(COMMANDS)
        }
        (Path(folder) / "suite.checks.json").write_text(json.dumps({"checks": checks}))
        check = shell("nixdock check bench:1 --checks suite.checks.json", env=env, cwd=folder)
        loop = f"for n in $(seq {COMMANDS}); do docker run --rm bench:1 /bin/busybox echo $n; done"
        docker = shell(loop, env=env, cwd=folder)
        compare(
            f"{COMMANDS} commands", [Competitor("nixdock check", check), Competitor("docker run", docker)]
        )
