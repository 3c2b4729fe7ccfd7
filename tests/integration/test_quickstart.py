"""README's first command, as a newcomer runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.engines import Engine

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_quickstart_ends_with_a_greeting_from_a_real_container(engine: Engine, tmp_path: Path) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("NIX", "DOCKER", "XDG_"))}
    done = subprocess.run(
        [ROOT / "scripts" / "quickstart"],
        env={**kept, "HOME": str(tmp_path), "DOCKER_HOST": engine.host},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Hello, world!\n" in done.stdout
    if Path(sys.prefix) == ROOT / ".venv":
        # The environment that the tests themselves run in is left as it is: it holds more than enough.
        assert "making a virtual environment" not in done.stderr
    loaded = re.search(r"Loaded image: (hello-docker:[0-9a-z]{32})\n", done.stderr)
    assert loaded, done.stderr
    assert "PASS" in done.stderr
    assert loaded[1] in engine.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
    # The container is gone.
    assert engine.docker("ps", "--all", "--quiet") == ""
