"""What is said while a container is stopped, and afterwards."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.engine.connection.responses import ContainerDetails
from nixdock.engine.containers import stopping
from nixdock.engine.containers.stopping import advise, stop
from nixdock.events import Notice, Work, WorkFinished, WorkStarted

if TYPE_CHECKING:
    from nixdock.events import Event

INIT = "--init, "
WAYS = "a handler for it in the program, or StopSignal in the image's config would save the wait"
SHORTER = ", --stop-timeout 1 shortens it"


@pytest.fixture(autouse=True)
def _first_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "_advised", set())


class Engine:
    """Takes so many seconds to stop a container, which ends with a status."""

    def __init__(self, seconds: float = 0.0, status: int = 0, error: Exception | None = None) -> None:
        self.seconds, self.status, self.error = seconds, status, error
        self.grace: int | None = None

    def stop_container(self, _ident: str, *, grace: int) -> None:
        self.grace = grace
        time.sleep(self.seconds)
        if self.error is not None:
            raise self.error

    def find_container(self, _ident: str) -> ContainerDetails:
        return container(status="exited", code=self.status)


def container(
    *, status: str = "running", code: int = 0, image: str = "web:1", **raw: dict[str, Any]
) -> ContainerDetails:
    config = {"Image": image, **raw.get("config", {})}
    host = raw.get("host", {})
    state = {"Status": status, "ExitCode": code}
    return ContainerDetails.from_json(
        {"Id": "1", "Name": "/web", "State": state, "Config": config, "HostConfig": host}
    )


def told(engine: Engine, one: ContainerDetails, grace: int | None = None) -> list[Event]:
    events: list[Event] = []
    stop(engine, one, events.append, grace=grace)  # type: ignore[arg-type]
    return events


def test_one_that_ends_soon_is_not_told_of() -> None:
    assert told(Engine(), container()) == []


def test_one_that_does_not_run_is_not_asked() -> None:
    engine = Engine()
    assert told(engine, container(status="exited")) == []
    assert engine.grace is None


def test_it_has_its_own_time_unless_it_is_given_another() -> None:
    for own, given, used in (({}, None, 10), ({"StopTimeout": 3}, None, 3), ({"StopTimeout": 3}, 7, 7)):
        engine = Engine()
        told(engine, container(config=own), given)
        assert engine.grace == used


@pytest.mark.parametrize(("grace", "by_force"), [(5, ", by force in 5 s"), (-1, "")])
def test_one_that_takes_long_is_told_of_once(
    grace: int, by_force: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "QUIET", 0.1)
    notice, begun, ended = told(Engine(0.5), container(), grace)
    assert notice == Notice(f"stopping web{by_force}")
    assert begun == WorkStarted("stop-web", Work.WAIT, "web to end")
    assert isinstance(begun, WorkStarted)
    assert begun.for_seconds >= 0.1
    assert ended == WorkFinished("stop-web")


def test_only_one_that_was_killed_is_advised(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(Engine(status=137), container(), 1) == []
    monkeypatch.setattr(stopping, "SOON", 1.0)
    assert told(Engine(status=0), container(), 1) == []
    assert told(Engine(status=137), container(), 1) == [
        Notice(f"web did not end on SIGTERM and was killed after 1 s: {INIT}{WAYS}")
    ]


def test_what_ends_the_wait_ends_what_is_told_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "QUIET", 0.1)
    events: list[Event] = []

    def look() -> None:
        if events:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop(Engine(0.5), container(), events.append, look=look)  # type: ignore[arg-type]
    assert isinstance(events[-1], WorkFinished)
    assert (events[-1].key, events[-1].ok) == ("stop-web", False)


def test_what_the_engine_refuses_is_raised() -> None:
    with pytest.raises(EngineRefusedError, match="no"):
        told(Engine(error=EngineRefusedError("no", status=500)), container())


def advice(one: ContainerDetails, grace: int = 10) -> list[Event]:
    events: list[Event] = []
    advise(events.append, one.name, one.raw, grace)
    return events


def test_advice_is_given_once_for_an_image() -> None:
    text = f"web did not end on SIGTERM and was killed after 10 s: {INIT}{WAYS}{SHORTER}"
    assert advice(container(image="reg.test:5000/web:1")) == [Notice(text)]
    for image in ("reg.test:5000/web:1", "reg.test:5000/web:2", "reg.test:5000/web"):
        assert advice(container(image=image)) == []
    for image in ("reg.test:5000/other:1", "web:1", f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"):
        assert len(advice(container(image=image))) == 1


def test_advice_fits_what_the_container_has() -> None:
    # Podman tells a number.
    for number, told_as in enumerate(("SIGQUIT", "3")):
        (said,) = advice(container(image=f"web{number}", host={"Init": True}, config={"StopSignal": told_as}))
        assert said == Notice(f"web did not end on SIGQUIT and was killed after 10 s: {WAYS}{SHORTER}")
