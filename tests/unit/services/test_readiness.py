"""What a container's health check is, read from what engines answer."""

from __future__ import annotations

from typing import Any

import pytest

from nixdock.engine.connection.responses import ContainerDetails
from nixdock.services.readiness import HealthCheck

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
