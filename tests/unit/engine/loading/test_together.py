"""Layers that several images share: one sends them, and the others wait for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from nixdock.engine.loading.together import Claims
from nixdock.image.reference import Digest

BASE, ONE, OTHER = (Digest.of(name.encode()) for name in ("base", "one", "other"))


def test_who_needs_a_layer_that_is_on_its_way_waits_for_it() -> None:
    claims = Claims()
    entered = Event()

    def other() -> None:
        with claims.taken([BASE, OTHER]):
            entered.set()

    with ThreadPoolExecutor(1) as pool:
        with claims.taken([BASE, ONE]):
            waiting = pool.submit(other)
            assert not entered.wait(0.05)
        waiting.result(5)
        assert entered.is_set()


def test_a_layer_that_is_there_keeps_nobody_waiting() -> None:
    claims = Claims()
    with claims.taken([BASE, ONE]) as keep:
        keep([ONE])
        with claims.taken([BASE, OTHER]):
            pass


def test_what_failed_gives_its_layers_back() -> None:
    claims = Claims()
    for _ in range(2):
        with pytest.raises(OSError, match="it broke"), claims.taken([BASE]):
            raise OSError("it broke")
