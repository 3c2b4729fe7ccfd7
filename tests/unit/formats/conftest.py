"""A Nix store of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

UseStore = Callable[[Path], Path]


@pytest.fixture
def use_store(monkeypatch: pytest.MonkeyPatch) -> UseStore:
    """Returns what makes a folder the Nix store, in which everything is valid."""

    def use(folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        monkeypatch.setenv("NIX_STORE_DIR", str(folder))
        monkeypatch.setattr("nixdock.formats.door.find_invalid", lambda _paths: frozenset())
        monkeypatch.setattr("nixdock.formats.door.list_requisites", tuple)
        return folder

    return use
