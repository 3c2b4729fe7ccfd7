"""As few rights as a container runs with: what is taken away, and what is said to be given back."""

from __future__ import annotations

from typing import Any

from integration.checking.conftest import Checker

RESTRICTED = {
    "no capability": {
        "exec": ["grep", "CapEff", "/proc/self/status"],
        "stdout": {"contains": "0000000000000000"},
    },
    "no new privileges": {
        "exec": ["grep", "NoNewPrivs", "/proc/self/status"],
        "stdout": {"matches": r"1\n$"},
    },
    "read-only root": {"exec": ["touch", "/x"], "exit": 1, "stderr": {"contains": "Read-only file system"}},
    "a /tmp": {"exec": ["touch", "/tmp/x"]},
    "no network": {"exec": ["ls", "/sys/class/net"], "stdout": "lo\n"},
    "no capability, run": {
        "run": ["/bin/grep", "CapEff", "/proc/self/status"],
        "stdout": {"contains": "0000000000000000"},
    },
    "read-only root, run": {"run": ["/bin/touch", "/x"], "exit": 1, "stderr": {"contains": "Read-only"}},
}
SERVICE = {
    "command": ["/bin/sh", "-c", "mkdir /tmp/www; echo hi > /tmp/www/x; exec httpd -f -p 8080 -h /tmp/www"]
}


def test_containers_get_few_rights_on_every_engine(any_check: Checker) -> None:
    hardened = any_check(RESTRICTED, "--hardened")
    assert hardened.statuses() == dict.fromkeys(RESTRICTED, "PASS"), hardened.run.stdout

    in_file = any_check(RESTRICTED, run={"hardened": True})
    assert in_file.statuses() == dict.fromkeys(RESTRICTED, "PASS"), in_file.run.stdout


def test_containers_have_dockers_usual_rights_unless_told(check: Checker) -> None:
    checked = check(RESTRICTED)

    assert checked["a /tmp"]["status"] == "PASS"
    others = {name: status for name, status in checked.statuses().items() if name != "a /tmp"}
    assert set(others.values()) == {"FAIL"}


def test_a_service_that_is_asked_keeps_its_network_and_the_report_says_so(check: Checker) -> None:
    checked = check(
        {"page": {"http": {"path": "/x", "port": 8080}, "body": "hi\n"}},
        "--hardened",
        service=SERVICE,
        ready={"tcp": 8080},
    )

    assert checked["page"]["status"] == "PASS", checked.run.stdout
    assert "not hardened: no network: port 8080 is asked" in checked["the service is ready"]["notes"]


def test_what_the_user_asks_for_is_given_and_named(check: Checker) -> None:
    checked = check(
        {"a": {"exec": ["touch", "/x"]}},
        "--hardened",
        run={"read_only": False, "cap_add": ["NET_BIND_SERVICE"]},
    )

    assert checked["a"]["status"] == "PASS", checked.run.stdout
    assert checked["a"]["notes"] == [
        "not hardened: a read-only root: 'read_only: false' is asked for",
        "not hardened: no capabilities: CAP_NET_BIND_SERVICE asked for",
    ]


REFUSED = {
    "a read-only root": (["touch", "/x"], "refused: its root is read-only ("),
    "another's file": (["chown", "5", "/tmp"], "refused: it has no capabilities (cap_add: [CHOWN] "),
    "no network": (["nc", "-w", "1", "192.0.2.1", "80"], "refused: it has no network (network_mode: bridge)"),
}


def test_what_was_refused_is_named_below_a_check_that_failed(check: Checker) -> None:
    checks: dict[str, dict[str, Any]] = {
        name: {"exec": ["busybox", *words]} for name, (words, _) in REFUSED.items()
    }
    checks |= {f"{name}, run": {"run": ["/bin/busybox", *words]} for name, (words, _) in REFUSED.items()}
    checks["fails for itself"] = {"exec": ["sh", "-c", "echo Read-only; exit 1"]}

    checked = check(checks, "--hardened")

    for name, (_, words) in REFUSED.items():
        for asked in (name, f"{name}, run"):
            assert any(note.startswith(words) for note in checked[asked]["notes"]), checked[asked]
    assert "notes" not in checked["fails for itself"]


# It refuses to end, as a database does that cannot save.
# On one stream: of two an engine does not keep the order.
STUCK = {
    "command": [
        "/bin/sh",
        "-c",
        "exec 2>&1; trap 'echo asked; touch /dump' TERM; echo begun; while :; do sleep 0.1; done",
    ]
}
DEAF = {"command": ["/bin/sh", "-c", "echo begun; exec sleep 1000"]}


def test_a_service_that_does_not_end_shows_what_it_said_when_asked(check: Checker) -> None:
    checked = check({"ends": {"stop": "1s"}}, "--hardened", service=STUCK, ready={"log": "begun\n"})

    assert checked.statuses() == {"ends": "FAIL"}
    said = checked.said("ends")
    assert (
        "stop: it did not end within 1 s of being asked to, and was killed\nwhen asked, it said:\nasked\n"
        in said
    )
    assert "Read-only file system" in said
    assert "begun" not in said
    assert "PID 1" not in said
    assert "first process" not in said
    assert any(note.startswith("refused: its root is read-only (tmpfs ") for note in checked["ends"]["notes"])


def test_a_service_that_says_nothing_when_asked_may_not_hear_it(check: Checker) -> None:
    checked = check({"ends": {"stop": "1s"}}, service=DEAF, ready={"log": "begun\n"})

    assert "said nothing: the first process of a container gets no signal" in checked.said("ends")
    assert "have it handle SIGTERM, or run it with init: true" in checked.said("ends")
