"""Images of the offline package set on every engine, whose images lie over each other by overlayfs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.offline.conftest import Images

if TYPE_CHECKING:
    from support.engines import Engine
    from support.program import Nixdock


@pytest.fixture
def any_images(nixdock: Nixdock, any_engine: Engine) -> Images:
    """Images of the offline package set, on each engine in turn."""
    return Images(nixdock.at(any_engine), any_engine)


def test_images_of_all_kinds_run_over_each_other_as_root_and_as_others(any_images: Images) -> None:
    engine = any_images.engine
    information = engine.docker("info", "--format", "{{.Driver}}").strip()
    assert information.startswith("overlay"), "the engine does not lay layers over each other by overlayfs"

    file = any_images.examples()
    # One layer and the work of runAsRoot; a layer for each store path, and owners in them.
    assert sorted(any_images.load(file, "-A", "mergedBashAndRedis")) == ["bash:latest", "redis:latest"]
    any_images.load(file, "-A", "layeredUser")

    shell = ("/bin/bash", "-c", "echo $UID $BASH_VERSION")
    assert any_images.run("bash:latest", *shell).startswith("0 5.")
    assert any_images.run("bash:latest", *shell, options=("-u", "1000:1000")).startswith("1000 5.")
    assert "Redis server v=" in any_images.run("redis:latest", "/bin/redis-server", "--version")
    assert any_images.run("layered-user:latest") == "somebody\n755 /nix\n755 /nix/store\n"
    assert any_images.run("layered-user:latest", options=("-u", "1000:1000")).startswith("somebody\n")
