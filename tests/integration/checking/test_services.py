"""Services: started, ready, asked in every way, stopped; and what is said when they are not."""

from __future__ import annotations

from typing import Any

import pytest

from integration.checking.conftest import Checker
from nixdock.checks.kinds.logs import LogsCheck
from nixdock.checks.running import service_group
from nixdock.cli import main

PAGE = '{"status": "ok"}'
SCRIPT = (
    f"mkdir -p /www; echo '{PAGE}' > /www/index.json; echo begun; "
    "trap 'echo ending; exit 3' TERM; httpd -f -p 8080 -h /www & wait"
)
WEB = {"user": "root", "command": ["/bin/sh", "-c", SCRIPT]}
READY = {"tcp": 8080, "within": "20s", "interval": "50ms"}


def _statuses(check: Checker, checks: dict[str, Any], *options: str, **suite: Any) -> dict[str, str]:
    checked = check(checks, *options, **{"service": WEB, "ready": READY, **suite})
    assert checked["the service is ready"]["status"] == "PASS", checked.run.stdout
    return checked.statuses()


def test_everything_can_be_asked_of_a_service_on_every_engine(any_check: Checker) -> None:
    http = {"path": "/index.json", "port": 8080}
    checks = {
        "page": {"http": http, "status": 200, "body": {"json": {"status": "ok"}}},
        "headers": {"http": http, "headers": {"Content-Length": "17", "X-None": None}},
        "nothing there": {"http": {"path": "/none", "port": 8080}, "status": 404},
        "post": {"http": {**http, "method": "POST", "body": "x"}, "status": {"min": 400}},
        "exec": {"exec": ["ps"], "stdout": {"contains": "httpd -f"}},
        "exec user": {"exec": ["id", "-u"], "user": "web", "stdout": "999\n"},
        "exec stdin": {"exec": ["wc", "-c"], "stdin": "four", "stdout": "4\n"},
        "exec exit": {"exec": ["/bin/sh", "-c", "exit 9"], "exit": 9},
        "exec missing": {"exec": ["no-such"], "exit": 127},
        "logs": {"logs": {"lines": {"some": "begun"}}},
        "writes": {"writes": {"allow": ["/www", "/tmp/*"]}},
        "cost": {"budget": {"start": "20s", "first_log": "20s", "memory": "100MB"}},
        "ends": {"stop": "20s", "exit": 3},
    }

    assert _statuses(any_check, checks) == dict.fromkeys(checks, "PASS")


def test_what_does_not_hold_of_a_service_fails_and_says_why(check: Checker) -> None:
    http = {"path": "/index.json", "port": 8080}
    wrong = {
        "status": ({"http": {"path": "/none", "port": 8080}}, "found 404"),
        "body": ({"http": http, "body": {"json": {"status": "bad"}}}, 'expected to be "bad", found "ok"'),
        "headers": (
            {"http": http, "headers": {"X-None": {"exists": True}}},
            "headers.X-None: expected to exist",
        ),
        "closed": ({"http": {"port": 9999}}, "closed without an answer"),
        "exec": ({"exec": ["/bin/sh", "-c", "echo why >&2; exit 1"]}, "exit: expected to be 0, found 1"),
        "missing": ({"exec": ["no-such"]}, "there is no 'no-such'"),
        "logs": ({"logs": {"contains": "never said"}, "within": "200ms"}, "logs: expected to contain"),
        "writes": ({"writes": {"allow": []}}, "/www/index.json was written"),
        "cost": ({"budget": {"memory": "1kB"}}, "memory: expected to be at most 1 kB"),
        "ends": ({"stop": "20s", "exit": 0}, "exit: expected to be 0, found 3"),
    }

    checked = check({name: value for name, (value, _) in wrong.items()}, service=WEB, ready=READY)

    assert checked.statuses() == dict.fromkeys(wrong, "FAIL"), checked.run.stdout
    for name, (_, words) in wrong.items():
        assert words in checked.said(name)
    assert checked.status == 1


@pytest.mark.parametrize(
    "ready",
    [
        {"log": {"contains": "begun"}},
        {"tcp": 8080},
        {"http": {"path": "/index.json", "port": 8080}},
        {"exec": ["test", "-e", "/www/index.json"]},
        {"healthcheck": True},
        {"log": {"contains": "begun"}, "tcp": 8080, "exec": ["true"]},
    ],
)
def test_readiness_is_known_by_log_port_http_command_or_health(check: Checker, ready: dict[str, Any]) -> None:
    probe = {"test": ["CMD", "/bin/test", "-e", "/www/index.json"], "interval": "1s"}
    service = {
        **WEB,
        "healthcheck": probe,
        "command": ["/bin/sh", "-c", f"sleep 0.3; {SCRIPT}"],
    }

    statuses = _statuses(
        check,
        {"logs": {"logs": {"contains": "begun"}}},
        service=service,
        ready={**ready, "within": "30s"},
    )

    assert statuses == {"logs": "PASS"}


@pytest.mark.parametrize(
    ("ready", "within", "why"),
    [
        ({"log": {"contains": "never"}}, "700 ms", "its output: expected to contain 'never'"),
        ({"tcp": 9999}, "700 ms", "port 9999 "),
        # A busy machine takes its time to answer, and the reason is to be the answer.
        ({"http": {"path": "/none", "port": 8080}}, "3.0 s", "found 404"),
        ({"exec": ["false"]}, "3.0 s", "exit: expected to be 0, found 1"),
    ],
)
def test_a_service_that_is_not_ready_in_time_fails_and_its_checks_are_not_run(
    check: Checker, ready: dict[str, Any], within: str, why: str
) -> None:
    checked = check(
        {"page": {"http": {"port": 8080}}, "alone": {"run": ["/bin/true"]}},
        service=WEB,
        ready={**ready, "within": within.replace(" ", "")},
    )

    assert checked["the service is ready"]["status"] == "FAIL"
    assert f"it was not ready within {within}: " in checked.said("the service is ready")
    assert why in checked.said("the service is ready")
    assert checked.statuses() == {"page": "SKIP", "alone": "PASS"}
    assert checked["page"]["reason"] == "the service is not ready"
    assert checked.status == 1


def test_a_service_that_dies_fails_at_once_with_its_last_lines(check: Checker) -> None:
    service = {"command": ["/bin/sh", "-c", "echo cannot open database; exit 4"]}

    checked = check({"page": {"http": {"port": 80}}}, service=service, ready={"tcp": 80, "within": "100s"})

    said = checked.said("the service is ready")
    assert "ended before it was ready (exit status 4)" in said
    assert "cannot open database" in said
    assert checked["the service is ready"]["seconds"] < 50


def test_a_service_that_does_not_heed_being_asked_to_end_is_removed_all_the_same(any_check: Checker) -> None:
    """Asked to remove it by force, Podman's imitation of docker would first wait as long as it may take."""
    service = {"command": ["sleep", "1000"]}

    checked = any_check({"x": {"exec": ["true"]}}, service=service)

    assert checked.statuses() == {"x": "PASS"}
    assert "could not be removed" not in checked.run.stderr
    assert any_check.labelled()["containers"] == []


def test_a_health_check_is_not_waited_for_a_whole_interval(any_check: Checker) -> None:
    """Podman without systemd never probes at all, and Docker only after an interval."""
    probe = {"test": ["CMD", "/bin/test", "-e", "/www/index.json"], "interval": "1h"}
    ready = {"healthcheck": True, "within": "100s"}
    checks = {"begun": {"logs": {"contains": "begun"}}}
    assert _statuses(any_check, checks, service={**WEB, "healthcheck": probe}, ready=ready) == {
        "begun": "PASS"
    }

    sick = {"test": ["CMD-SHELL", "echo no disk; exit 1"], "interval": "200ms", "retries": 1}
    checked = any_check(checks, service={**WEB, "healthcheck": sick}, ready=ready)
    assert "its HEALTHCHECK says unhealthy: no disk" in checked.said("the service is ready")


def test_a_healthcheck_that_is_asked_for_must_be_there(check: Checker) -> None:
    checked = check(
        {"x": {"exec": ["true"]}}, service={"command": ["sleep", "9"]}, ready={"healthcheck": True}
    )

    assert checked["the service is ready"]["status"] == "ERROR"
    assert "has no HEALTHCHECK" in checked.said("the service is ready")
    assert checked.status == 122


def test_a_service_that_dies_while_it_is_asked_is_to_blame_itself(check: Checker) -> None:
    service = {"command": ["/bin/sh", "-c", "echo begun; sleep 0.7; echo out of luck; exit 9"]}

    checked = check(
        {"waits": {"logs": {"contains": "never"}, "within": "60s"}},
        service=service,
        ready={"log": {"contains": "begun"}},
    )

    assert "has ended (exit status 9)" in checked.said("waits")
    assert "out of luck" in checked.said("waits")
    assert checked["waits"]["seconds"] < 30


def test_a_service_that_ignores_sigterm_is_told_to_handle_it(check: Checker) -> None:
    service = {"command": ["/bin/sh", "-c", "trap '' TERM; echo begun; while :; do sleep 0.1; done"]}

    checked = check({"ends": {"stop": "1s"}}, service=service, ready={"log": {"contains": "begun"}})

    assert "it did not end within 1 s of being asked to, and was killed" in checked.said("ends")
    assert "handle SIGTERM" in checked.said("ends")


def test_a_service_without_any_probe_must_live_for_a_moment(check: Checker) -> None:
    living = check({"x": {"exec": ["true"]}}, service={"command": ["sleep", "1000"]})
    assert living["the service is ready"]["status"] == "PASS"

    dying = check({"x": {"exec": ["true"]}}, service={"command": ["true"]})
    assert "ended before it was ready (exit status 0)" in dying.said("the service is ready")


def test_a_service_alone_is_a_check(check: Checker) -> None:
    checked = check({}, service=WEB, ready=READY)

    assert (checked.status, list(checked.verdicts)) == (0, ["the service is ready"])


def test_the_start_is_measured_as_often_as_asked(check: Checker) -> None:
    statuses = _statuses(
        check,
        {
            "median": {"budget": {"start": "20s", "runs": 3}},
            "too slow": {"budget": {"start": "1ms"}},
        },
    )

    assert statuses == {"median": "PASS", "too slow": "FAIL"}


def test_ports_of_the_users_own_are_used(check: Checker) -> None:
    statuses = _statuses(
        check,
        {"page": {"http": {"path": "/index.json", "port": 8080}}},
        service={**WEB, "ports": ["127.0.0.1::8080"]},
    )

    assert statuses == {"page": "PASS"}


def test_a_service_without_network_cannot_be_asked_over_it(check: Checker) -> None:
    checked = check({"x": {"http": {"port": 80}}}, service={**WEB, "network_mode": "none"})

    assert checked.status == 122
    assert "port 80 cannot be reached: the container's network is 'none'" in checked.said(
        "the service is ready"
    )


@pytest.mark.parametrize(("place", "asked"), [(LogsCheck, "ask"), (service_group, "plan_service")])
def test_a_fault_of_our_own_beside_a_service_is_told_and_is_no_verdict(
    check: Checker,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    place: object,
    asked: str,
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("division by zero")

    file = check.write({"checks": {"says": {"logs": "begun\n"}}, "service": WEB, "ready": READY})
    for name, value in check.nixdock.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(place, asked, fail)

    assert main.run(["check", Checker.IMAGE, "--checks", str(file)]) == main.SOFTWARE_STATUS

    out, err = capfd.readouterr()
    assert "the run was stopped" not in out
    assert "nixdock: a fault of nixdock itself: ZeroDivisionError: division by zero\n" in err
    assert "Traceback" not in err
