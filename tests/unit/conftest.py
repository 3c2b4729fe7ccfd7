"""What unit tests of several parts share."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import tomllib
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parents[2]
STREAM_GOLDEN = Path(__file__).parent / "data" / "stream_golden"


def pytest_configure() -> None:
    """Need nothing of the machine: neither an installed nixdock nor a tree that can be written to."""
    # For the interpreters that tests start; this one has it by pyproject.toml.
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    settings.register_profile("busy", suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("read-only", settings.get_profile("busy"), database=None)
    settings.load_profile("busy" if os.access(ROOT, os.W_OK) else "read-only")


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of an interpreter that has nixdock, whatever its environment, and of its programs."""
    made = tmp_path_factory.mktemp("installed")
    venv.create(made, symlinks=True)
    (packages,) = made.glob("lib/python3*/site-packages")
    found = [str(ROOT), *(path for path in sys.path if path.endswith(("site-packages", "dist-packages")))]
    (packages / "nixdock.pth").write_text("\n".join(found))
    scripts: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    for name, target in scripts.items():
        module, function = target.split(":")
        program = made / "bin" / name
        program.write_text(
            f"#!{made}/bin/python\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n"
        )
        program.chmod(0o755)
    return made / "bin"


@dataclass(frozen=True)
class Golden:
    """A conf of a streamed image whose store paths are there, and what nixpkgs' own streamer makes of it."""

    conf: Path
    image_id: str
    diff_ids: list[str]
    layer_sizes: list[int]
    config_bytes: int
    repo_tags: list[str]
    env: list[str] | None


@pytest.fixture(scope="session")
def stream_golden(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Golden]:
    """Every golden case of a streamed image, by its name."""
    spec = importlib.util.spec_from_file_location("make_corpus", STREAM_GOLDEN / "make_corpus.py")
    assert spec is not None
    assert spec.loader is not None
    make_corpus = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_corpus)
    confs: dict[str, Path] = make_corpus.make(tmp_path_factory.mktemp("golden") / "corpus")
    expected: dict[str, dict[str, Any]] = json.loads((STREAM_GOLDEN / "expected.json").read_text())["cases"]
    assert confs.keys() == expected.keys()
    return {name: Golden(conf=conf, **expected[name]) for name, conf in confs.items()}
