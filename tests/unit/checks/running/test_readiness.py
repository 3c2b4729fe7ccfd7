"""A readiness' own time limits its probes, and what is said of them agrees with it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from nixdock.checks.format.suite import suite_from_value
from nixdock.checks.model import Command, HttpRequest, Ready
from nixdock.checks.running.live import HttpResponse, NoResponseError
from nixdock.checks.running.service import readiness_of
from nixdock.engine.connection.responses import ContainerDetails
from nixdock.errors import CheckError
from nixdock.outcome import RunOutcome
from nixdock.services.readiness import NotReadyError


def _never_answers(_request: HttpRequest, seconds: float) -> HttpResponse:
    threading.Event().wait(seconds)
    raise NoResponseError(f"no complete answer within {seconds:.1f} s")


def _answers_once() -> Callable[[HttpRequest, float], HttpResponse]:
    answers = iter([HttpResponse(404, {}, b"")])

    def send(request: HttpRequest, seconds: float) -> HttpResponse:
        return next(answers, None) or _never_answers(request, seconds)

    return send


def _never_ends(_command: Command, seconds: float) -> RunOutcome:
    threading.Event().wait(seconds)
    return RunOutcome(137, b"", b"", timed_out=True, seconds=seconds)


def _ready(within: str, **ready: Any) -> Ready:
    suite = suite_from_value({"ready": {**ready, "within": within, "interval": "1ms"}}, "x")
    assert suite.ready is not None
    return suite.ready


def _give_up(ready: Ready, **live: Any) -> str:
    readiness = readiness_of(ready, SimpleNamespace(name="web", **live))  # type: ignore[arg-type]
    try:
        while not readiness():
            pass
    except NotReadyError as error:
        return str(error)
    return "it was ready"


PAGE = {"http": {"path": "/x", "port": 80}}
LIMITED = {
    "an answer that never comes": (
        PAGE,
        {"send": _never_answers},
        "/x on port 80: no complete answer within 0.3 s",
    ),
    "an answer that came before": (
        PAGE,
        {"send": _answers_once()},
        "/x on port 80: status: expected to be at least 200 and at most 399, found 404",
    ),
    "a command that never ends": (
        {"exec": ["cat"]},
        {"execute": _never_ends},
        "cat: timeout: it did not end within its time and was killed after 0.3 s",
    ),
}


@pytest.mark.parametrize(("ready", "live", "said"), LIMITED.values(), ids=LIMITED)
def test_a_probe_takes_no_longer_than_the_readiness_may(
    ready: dict[str, Any], live: dict[str, Any], said: str
) -> None:
    assert _give_up(_ready("300ms", **ready), **live) == f"web: it was not ready within 300 ms: {said}"


def test_a_probe_takes_five_seconds_at_most() -> None:
    given: list[float] = []

    def send(_request: HttpRequest, seconds: float) -> HttpResponse:
        given.append(seconds)
        return HttpResponse(200, {}, b"")

    readiness = readiness_of(_ready("1h", **PAGE), SimpleNamespace(name="web", send=send))  # type: ignore[arg-type]

    assert readiness()
    assert given == [5.0]


def test_a_health_check_that_is_asked_for_and_not_there_is_said_at_once() -> None:
    details = ContainerDetails.from_json({"Id": "x", "Config": {}})
    live = SimpleNamespace(name="web", details=lambda: details, logs=lambda: b"")
    ready = _ready("1h", log={"contains": "never"}, healthcheck=True)
    with pytest.raises(CheckError, match=r"^web has no HEALTHCHECK, and its readiness asks for one$"):
        readiness_of(ready, live)  # type: ignore[arg-type]
