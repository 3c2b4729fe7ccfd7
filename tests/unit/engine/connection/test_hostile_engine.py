"""Every call to an engine, against one that answers wrong, in pieces, or never."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from nixdock.engine.connection.api import connect
from nixdock.errors import EngineError
from support.hostile import DAMAGES, Hostile

if TYPE_CHECKING:
    from pathlib import Path

from .hostile_calls import CALLS, JSON, at, be_patient, call_in_time, reached

pytestmark = pytest.mark.usefixtures("impatient", "way")


LONG = ("load", "load in chunks", "save", "logs", "get archive", "commit")
REFUSALS = ("500", "refused list", "refused null", "refused number", "redirect", "garbage")
ALLOWED = {("changes", "null")}
"""Answers that an engine does give."""


@pytest.mark.sampled(7)
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", CALLS)
def test_every_call_ends_with_one_sentence(
    name: str, damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attacked, call = CALLS[name]
    if damage != "stall":
        be_patient(monkeypatch)
    with Hostile(tmp_path / "s", "", "stall") as hostile, reached(hostile) as engine:
        hostile.attacked, hostile.damage = attacked, damage
        if damage == "stall" and name in LONG:
            engine.patience.limit(0.1)
        # What other tests have left, collected where the stack has no room left, would end this one.
        gc.collect()
        came = call_in_time(call, engine)

    if isinstance(came, BaseException):
        assert isinstance(came, EngineError), repr(came)
        assert came.exit_code == (124 if damage == "stall" and name in LONG else 125)
        assert came.message
        assert "\n" not in came.message
    must_fail = name in JSON or damage in {"stall", *REFUSALS}
    if must_fail and (name, damage) not in ALLOWED and not (damage == "refused null" and came is None):
        assert isinstance(came, EngineError), repr(came)
    if (
        name in JSON
        and name != "version"
        and damage in {"wrong", "empty", "null", "list", "nothing", "deep", "bytes"}
    ):
        assert (name, damage) in ALLOWED or "the engine answered nonsense to " in str(came)


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_engine_that_answers_nothing_sensible_is_not_connected_to(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if damage != "stall":
        be_patient(monkeypatch)
    with Hostile(tmp_path / "s", "GET /version", damage) as hostile, pytest.raises(EngineError) as caught:
        connect(at(hostile), environ={})
    assert caught.value.exit_code == 125
