"""What a container's health check is, read from what engines answer, and what our own probes of it say."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from nixdock.engine.connection.responses import ContainerDetails
from nixdock.outcome import RunOutcome
from nixdock.services import readiness
from nixdock.services.reaching import run_exec
from nixdock.services.readiness import HealthCheck, HealthWatch, probe

SECOND = 1_000_000_000


def container(check: dict[str, Any] | None, **config: Any) -> ContainerDetails:
    return ContainerDetails.from_json({"Id": "x", "State": {}, "Config": {"Healthcheck": check, **config}})


@pytest.mark.parametrize(
    ("test", "config", "command"),
    [
        (["CMD", "/bin/ok", "a b"], {}, ("/bin/ok", "a b")),
        (["CMD-SHELL", "ok || exit 1"], {}, ("/bin/sh", "-c", "ok || exit 1")),
        (["CMD-SHELL", "ok"], {"Shell": ["/bin/bash", "-ec"]}, ("/bin/bash", "-ec", "ok")),
    ],
)
def test_the_command(test: list[str], config: dict[str, Any], command: tuple[str, ...]) -> None:
    check = HealthCheck.of(container({"Test": test}, **config))
    assert check is not None
    assert check.command == command


@pytest.mark.parametrize(
    "check", [None, {}, {"Test": None}, {"Test": []}, {"Test": ["NONE"]}, {"Interval": 5}]
)
def test_no_health_check(check: dict[str, Any] | None) -> None:
    assert HealthCheck.of(container(check)) is None


def test_docker_s_defaults() -> None:
    assert HealthCheck.of(container({"Test": ["CMD", "x"]})) == HealthCheck(("x",), patience=90, timeout=30)


def test_times_are_nanoseconds() -> None:
    times = {"Interval": 2 * SECOND, "Timeout": SECOND // 2, "StartPeriod": 10 * SECOND, "Retries": 4}
    check = HealthCheck.of(container({"Test": ["CMD", "x"], **times}))
    assert check == HealthCheck(("x",), patience=18, timeout=0.5)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (RunOutcome(0, b"fine\n", b""), (True, "fine")),
        (RunOutcome(1, b"out\n", b"err\n"), (False, "out\nerr")),
        (RunOutcome(137, b"", b"", timed_out=True), (False, "it did not end in time")),
        (RunOutcome(137, b"part", b"", timed_out=True), (False, "part")),
    ],
)
def test_what_a_probe_says(
    monkeypatch: pytest.MonkeyPatch, outcome: RunOutcome, said: tuple[bool, str]
) -> None:
    monkeypatch.setattr(readiness, "run_exec", lambda *_args, **_options: outcome)
    assert probe(None, "x", HealthCheck(("x",), 1, 1)) == said  # type: ignore[arg-type]


def test_nothing_is_probed_before_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    probed = threading.Event()

    def note(*_args: object) -> tuple[bool, str]:
        probed.set()
        return True, "fine"

    monkeypatch.setattr(readiness, "probe", note)
    running = ContainerDetails.from_json({"Id": "x", "State": {"Status": "running"}, "Config": {}})
    engine = SimpleNamespace(find_container=lambda _container: running)
    watch = HealthWatch(engine, running, HealthCheck(("x",), 1, 1))  # type: ignore[arg-type]
    assert not probed.wait(0.05)
    watch.ask()
    assert probed.wait(5)
    watch.close()


def test_what_a_probe_writes_without_end_is_not_kept() -> None:
    pieces = [(1, b"o" * 1000), (2, b"e" * 1000)] * 100
    stream = SimpleNamespace(pieces=lambda: iter(pieces), close=lambda: None)
    engine = SimpleNamespace(
        create_exec=lambda *_: "e", start_exec=lambda _: stream, find_exit_code=lambda _: 1
    )
    outcome = run_exec(engine, "x", {}, 5, enough=4096)  # type: ignore[arg-type]
    assert (outcome.exit_code, len(outcome.stdout), len(outcome.stderr)) == (1, 5000, 5000)
    assert probe(engine, "x", HealthCheck(("x",), 1, 5)) == (False, "o" * 4096 + "e" * 4096)  # type: ignore[arg-type]
