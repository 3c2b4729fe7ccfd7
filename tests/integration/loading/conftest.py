"""Loading into each engine in turn, and looking at what came of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.engines import Engine


class Loader:
    """The program and one engine, which is left as empty as it was."""

    def __init__(self, program: Any, engine: Engine, folder: Path) -> None:
        self.program = program
        self.engine = engine
        self.folder = folder

    def __call__(self, *words: str | Path, stdin: bytes = b"") -> list[dict[str, Any]]:
        """Load, and return what `--json` says of each image."""
        done = self.program("load", "--json", *words, stdin=stdin)
        assert done.status == 0, done.stderr
        loaded: list[dict[str, Any]] = json.loads(done.stdout)
        return loaded

    def says(self, reference: str) -> str:
        """Run an image and return its output."""
        done = self.program("run", "--network", "none", f"image:{reference}")
        assert done.status == 0, done.stderr
        output: str = done.stdout
        return output.strip()

    def write(self, data: bytes, name: str = "image.tar") -> Path:
        """Write an archive."""
        path = self.folder / name
        path.write_bytes(data)
        return path

    def images(self) -> set[str]:
        """Return the IDs of all images."""
        return set(self.engine.docker("images", "--all", "--quiet", "--no-trunc").split())

    def remove_all(self) -> None:
        """Remove every image: those that others are made of take another round."""
        left = self.images()
        while left:
            try:
                self.engine.docker("image", "rm", "--force", *left)
            except AssertionError:
                if len(self.images()) >= len(left):
                    raise
            left = self.images()


@pytest.fixture
def load(nixdock: Any, any_engine: Engine, tmp_path: Path) -> Iterator[Loader]:
    """Load into each engine in turn; what one test loaded does not help the next."""
    loader = Loader(nixdock.at(any_engine), any_engine, tmp_path)
    loader.remove_all()
    yield loader
    loader.remove_all()


@pytest.fixture
def salt() -> bytes:
    """Makes the layers of each test its own."""
    return os.urandom(16)
