"""docker's config.json, however it looks: what docker itself does not end at ends nothing of nixdock."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from support.engines import Engine
    from support.program import Nixdock


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        '{"auths":',
        '{"auths": {"r.test": {"auth": "YWJj"}}, "HttpHeaders": [], "proxies": "x"}',
        '{"proxies": {"default": {"httpProxy": 3}}, "HttpHeaders": {"X-Meta": 1}, "credsStore": 3}',
    ],
)
def test_a_config_that_docker_takes_is_taken(
    nixdock: Nixdock, engine: Engine, tmp_path: Path, text: str
) -> None:
    (tmp_path / "config.json").write_text(text)
    docker = subprocess.run(
        ["docker", "--config", tmp_path, "ps", "-q"],
        env={**nixdock.environment, "DOCKER_HOST": engine.host},
        capture_output=True,
        check=True,
    )

    run = nixdock("prune", "--dry-run", "--json", env={"DOCKER_CONFIG": str(tmp_path)})

    assert run.status == 0, run.stderr
    assert run.stdout.startswith("[")
    assert run.stderr.count("config.json") == docker.stderr.count(b"config.json")
