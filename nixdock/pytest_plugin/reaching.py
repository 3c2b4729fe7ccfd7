"""Reaching the engine, or saying in pytest's words that there is none."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nixdock.engine.connection.api import Engine


@contextlib.contextmanager
def connect_or_skip(config: pytest.Config) -> Iterator[Engine]:
    """Connect to the engine that the options name; without one skip, or fail if one is required."""
    from nixdock.engine.connection.address import choose  # noqa: PLC0415
    from nixdock.engine.connection.api import connect  # noqa: PLC0415
    from nixdock.errors import EngineError  # noqa: PLC0415
    from nixdock.out import form_text  # noqa: PLC0415

    try:
        engine = connect(choose(host=config.getoption("--nixdock-host")))
    except EngineError as error:
        if config.getoption("--nixdock-require"):
            pytest.fail(form_text(f"{error.message} (--nixdock-require)"), pytrace=False)
        pytest.skip(form_text(f"no engine: {error.message}"))
    with engine:
        yield engine
