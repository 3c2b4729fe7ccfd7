"""As few rights as a container runs with: what is taken away, and what is said to be given back."""

from __future__ import annotations

from checking.conftest import Checker

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
