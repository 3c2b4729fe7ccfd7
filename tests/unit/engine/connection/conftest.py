"""What tests of a connection share."""

from __future__ import annotations

import pytest

from nixdock.engine.connection import client, patience


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut soon what never comes."""
    monkeypatch.setattr(patience, "RESPONSE", 0.15)
    monkeypatch.setattr(patience, "LABOUR", 0.3)
    monkeypatch.setattr(patience, "PING_PAUSE", 0.05)
    monkeypatch.setattr(patience, "PING", 0.15)


@pytest.fixture(params=["plain", "sdk"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to an engine on this machine: by our own client, and by the SDK as to one elsewhere."""
    if request.param == "sdk":
        monkeypatch.setattr(client, "is_plain", lambda _address: False)
    return str(request.param)
