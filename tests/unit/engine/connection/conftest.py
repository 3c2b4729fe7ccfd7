"""What tests of a connection share."""

from __future__ import annotations

import pytest

from nixdock.engine.connection import patience


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut soon what never comes."""
    monkeypatch.setattr(patience, "RESPONSE", 0.15)
    monkeypatch.setattr(patience, "LABOUR", 0.3)
    monkeypatch.setattr(patience, "PING_PAUSE", 0.05)
    monkeypatch.setattr(patience, "PING", 0.15)
