"""What unit tests of several parts share."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

STREAM_GOLDEN = Path(__file__).parent / "data" / "stream_golden"


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
