"""What containers are made of: hardening, ports, and the command that does it by hand."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from nixdock.checks.model import Command, ContainerSettings, HttpRequest
from nixdock.checks.running.bench import command_settings, merge
from nixdock.checks.running.hardening import MEMORY, PIDS, harden
from nixdock.checks.running.reproduce import curl, docker_exec, docker_run, docker_run_service
from nixdock.engine.connection.address import Address
from nixdock.engine.connection.responses import ContainerDetails
from nixdock.errors import CheckError
from nixdock.services.reaching import describe_ports, locate_port, publish

LOCAL = Address("unix:///run/docker.sock", "test")
REMOTE = Address("tcp://docker:2375", "test")


def _hardened(
    host: dict[str, Any], asked: set[str] | None = None, **more: Any
) -> tuple[dict[str, Any], list[str]]:
    body, given_up = harden({"Image": "x", "HostConfig": host}, asked=frozenset(asked or ()), **more)
    assert body["Image"] == "x"
    return body["HostConfig"], list(given_up)


def test_everything_is_taken_away_that_nobody_asked_for() -> None:
    host, given_up = _hardened({})

    assert given_up == []
    assert host == {
        "ReadonlyRootfs": True,
        "NetworkMode": "none",
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "PidsLimit": PIDS,
        "Memory": MEMORY,
        "Tmpfs": {"/tmp": ""},
    }


def test_what_the_user_asked_for_stands_and_is_named() -> None:
    host, given_up = _hardened(
        {
            "ReadonlyRootfs": False,
            "CapAdd": ["NET_BIND_SERVICE"],
            "NetworkMode": "bridge",
            "Memory": 5,
            "PidsLimit": 6,
            "SecurityOpt": ["no-new-privileges:true", "label=disable"],
            "Tmpfs": {"/tmp": "size=1m"},
        },
        {"read-only", "cap-add", "network", "memory"},
    )

    assert host["CapAdd"] == ["NET_BIND_SERVICE"]
    assert host["CapDrop"] == ["ALL"]
    assert (host["Memory"], host["PidsLimit"], host["ReadonlyRootfs"]) == (5, 6, False)
    assert host["SecurityOpt"] == ["no-new-privileges:true", "label=disable"]
    assert host["Tmpfs"] == {"/tmp": "size=1m"}
    assert given_up == [
        "a read-only root: 'read_only: false' is asked for",
        "no network: bridge is asked for",
        "no capabilities: NET_BIND_SERVICE asked for",
    ]


@pytest.mark.parametrize(
    ("host", "reason", "given_up"),
    [
        ({}, "port 80 is asked", ["no network: port 80 is asked"]),
        ({"PortBindings": {"80/tcp": []}}, None, ["no network: ports are published"]),
    ],
)
def test_a_port_needs_a_network(host: dict[str, Any], reason: str | None, given_up: list[str]) -> None:
    hardened, said = _hardened(host, needs_network=reason)

    assert "NetworkMode" not in hardened
    assert said == given_up


def test_limits_that_the_kernel_does_not_know_are_given_up() -> None:
    host, given_up = _hardened({}, info={"MemoryLimit": False, "PidsLimit": True})

    assert "Memory" not in host
    assert host["PidsLimit"] == PIDS
    assert given_up == ["a limit of memory: the engine's kernel knows none"]


def test_a_privileged_container_cannot_be_hardened() -> None:
    assert _hardened({"Privileged": True}) == (
        {"Privileged": True},
        ["everything: the container is privileged"],
    )


def test_a_mount_on_tmp_is_left_alone() -> None:
    assert "Tmpfs" not in _hardened({"Binds": ["/x:/tmp:ro"]})[0]
    assert "Tmpfs" not in _hardened({"Mounts": [{"Target": "/tmp"}]})[0]


def test_ports_are_published_on_loopback_where_the_engine_is_here() -> None:
    assert publish([8080, 80, 8080], {}, LOCAL) == {
        "ExposedPorts": {"80/tcp": {}, "8080/tcp": {}},
        "HostConfig": {
            "PortBindings": {
                "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}],
                "8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}],
            }
        },
    }
    published = publish([80], {}, REMOTE)
    assert published["HostConfig"]["PortBindings"]["80/tcp"] == [{"HostIp": "", "HostPort": ""}]


def test_a_port_that_is_published_already_is_left_as_it_is() -> None:
    body = {"HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}}}

    assert publish([80], body, LOCAL) == {"ExposedPorts": {}, "HostConfig": {"PortBindings": {}}}
    assert publish([], body, LOCAL) == {}
    assert publish([80], {"HostConfig": {"NetworkMode": "host"}}, LOCAL) == {}


@pytest.mark.parametrize("mode", ["none", "container:other"])
def test_without_a_network_no_port_can_be_reached(mode: str) -> None:
    with pytest.raises(CheckError, match=f"port 80 cannot be reached: the container's network is '{mode}'"):
        publish([80], {"HostConfig": {"NetworkMode": mode}}, LOCAL)


def _details(ports: dict[str, Any], mode: str = "bridge") -> ContainerDetails:
    return ContainerDetails.from_json(
        {
            "Id": "1",
            "Name": "/web",
            "NetworkSettings": {"Ports": ports},
            "HostConfig": {"NetworkMode": mode},
        }
    )


def test_a_port_answers_where_it_is_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NIXDOCK_ENGINE_HOST", raising=False)
    everywhere = _details({"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "32768"}]})
    here = _details({"80/tcp": [{"HostIp": "127.0.0.2", "HostPort": "5"}]})

    assert locate_port(everywhere, 80, LOCAL) == ("127.0.0.1", 32768)
    assert locate_port(here, 80, LOCAL) == ("127.0.0.2", 5)
    assert locate_port(everywhere, 80, REMOTE) == ("docker", 32768)
    assert locate_port(here, 80, REMOTE) == ("docker", 5)
    assert locate_port(_details({}, "host"), 80, LOCAL) == ("127.0.0.1", 80)
    with pytest.raises(CheckError, match="port 80 of web is not published"):
        locate_port(_details({"80/tcp": None}), 80, LOCAL)

    monkeypatch.setenv("NIXDOCK_ENGINE_HOST", "gateway")
    assert locate_port(everywhere, 80, REMOTE) == ("gateway", 32768)


def test_commands_to_type_are_quoted_for_a_shell() -> None:
    settings = ContainerSettings((("env", "A=b c"), ("read-only", "true"), ("init", "false")), ("x",))
    command = Command(("echo", "it's"), env={"B": "1"}, user="web", workdir="/srv", stdin=b"in")

    assert docker_run("web:1", settings, command) == (
        "printf %s in | docker run --rm -i -e A --read-only -e B -u web -w /srv web:1 "
        """echo 'it'"'"'s'"""
    )
    assert docker_run("web", ContainerSettings(command=("serve",)), Command(())) == (
        "docker run --rm web serve"
    )
    assert docker_run("web", ContainerSettings(), Command(("a", "b")), replace=True) == (
        "docker run --rm --entrypoint a web b"
    )
    assert docker_run("web", ContainerSettings(), Command(("exit 3",), shell=True), replace=True) == (
        "docker run --rm --entrypoint /bin/sh web -c 'exit 3'"
    )
    assert docker_exec("web", Command(("ps",))) == "docker exec web ps"
    words = ContainerSettings(
        (("hostname", "false"), ("domainname", "true"), ("tty", "true"), ("init", "true"))
    )
    assert docker_run("web", words, Command(())) == (
        "docker run --rm --hostname false --domainname true --tty --init web"
    )
    assert docker_run_service("web:1", settings, (80,), local=False) == (
        "docker run -d -e A --read-only -p 80 web:1 x"
    )
    named = ContainerSettings((("name", "mine"),)).over(settings)
    assert docker_run_service("web:1", named, (80,), local=True) == (
        "docker run -d -e A --read-only -p 127.0.0.1::80 web:1 x"
    )


def test_a_request_is_a_curl_command() -> None:
    request = HttpRequest("/a?b", 80, "POST", "https", {"X-A": "1"}, b"data")

    assert curl(request, "https://h:1") == (
        "curl -i -k -X POST -H 'X-A: 1' --data-binary data 'https://h:1/a?b'"
    )


def test_a_header_that_may_be_a_secret_is_named_and_comes_from_the_shell() -> None:
    headers = {"Authorization": "Bearer s3cret", "X-Api-Key": "s3cret", "Accept": "text/html"}
    line = curl(HttpRequest("/", 80, headers=headers), "http://h:1")
    assert "s3cret" not in line
    done = subprocess.run(
        ["bash", "-c", line.replace("curl", "printf '<%s>'", 1)],
        env={"AUTHORIZATION": "Bearer mine", "X_API_KEY": "k"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == (
        "<-i><-H><Authorization: Bearer mine><-H><X-Api-Key: k><-H><Accept: text/html><http://h:1/>"
    )


def test_a_request_to_what_is_only_started_by_that_line_waits_for_it() -> None:
    assert curl(HttpRequest("/a b", 80), "http://$(docker port $c 80/tcp | head -n 1)") == (
        "curl -i --retry 5 --retry-delay 1 --retry-all-errors "
        "\"http://$(docker port $c 80/tcp | head -n 1)\"'/a b'"
    )


OPEN = ", open on all network interfaces"
HERE = "keeps it to this machine)"


@pytest.mark.parametrize(
    ("ports", "asked", "address", "lines"),
    [
        ({}, {}, LOCAL, ()),
        ({"80/tcp": []}, {}, LOCAL, ()),
        ({"80/tcp": [("127.0.0.1", 32768)]}, {"80/tcp": ""}, LOCAL, ("port 80 is at 127.0.0.1:32768",)),
        ({"80/tcp": [("::1", 8080)]}, {"80/tcp": "8080"}, LOCAL, ("port 80 is at [::1]:8080",)),
        ({"80/tcp": [("192.0.2.1", 8080)]}, {"80/tcp": "8080"}, LOCAL, ("port 80 is at 192.0.2.1:8080",)),
        (
            {"80/tcp": [("0.0.0.0", 8080), ("::", 8080)]},
            {"80/tcp": "8080"},
            LOCAL,
            (f"port 80 is at 127.0.0.1:8080, open on all network interfaces (-p 127.0.0.1:8080:80 {HERE}",),
        ),
        (
            {"53/udp": [("", 32768)]},
            {"53/udp": "0"},
            LOCAL,
            (f"port 53/udp is at 127.0.0.1:32768{OPEN} (-p 127.0.0.1::53/udp {HERE}",),
        ),
        # -P asks for no number.
        (
            {"80/tcp": [("::", 32768)]},
            {},
            LOCAL,
            (f"port 80 is at 127.0.0.1:32768, open on all network interfaces (-p 127.0.0.1::80 {HERE}",),
        ),
        (
            {"80/tcp": [("0.0.0.0", 8080)]},
            {"80/tcp": "8080"},
            REMOTE,
            ("port 80 is at docker:8080, open on all network interfaces",),
        ),
        (
            {f"{port}/tcp": [("127.0.0.1", port)] for port in range(80, 90)},
            {},
            LOCAL,
            (
                *(f"port {port} is at 127.0.0.1:{port}" for port in range(80, 85)),
                "5 more ports: docker port web",
            ),
        ),
    ],
)
def test_where_ports_are_and_who_reaches_them(
    ports: dict[str, list[tuple[str, int]]],
    asked: dict[str, str],
    address: Address,
    lines: tuple[str, ...],
) -> None:
    raw = {
        "Id": "1",
        "Name": "/web",
        "HostConfig": {"PortBindings": {port: [{"HostIp": "", "HostPort": n}] for port, n in asked.items()}},
        "NetworkSettings": {
            "Ports": {
                port: [{"HostIp": host, "HostPort": str(number)} for host, number in bindings]
                for port, bindings in ports.items()
            }
        },
    }
    assert describe_ports(ContainerDetails.from_json(raw), address) == lines


def test_settings_are_laid_over_each_other() -> None:
    below = ContainerSettings((("user", "1"),), ("a",), raw={"X": 1})
    above = ContainerSettings((("user", "2"),), hardened=True, raw={"Y": 2})

    joined = above.over(below)

    assert joined == ContainerSettings((("user", "1"), ("user", "2")), ("a",), True, {"X": 1, "Y": 2})
    assert ContainerSettings(command=()).over(below).command == ()


def test_json_is_joined_objects_deep_and_mounts_at_their_end() -> None:
    below = {"HostConfig": {"Mounts": [1], "Binds": ["a"], "Memory": 1}, "Cmd": ["a"]}

    joined = merge(below, {"HostConfig": {"Mounts": [2], "Binds": ["b"]}, "Cmd": []})

    assert joined == {"HostConfig": {"Mounts": [1, 2], "Binds": ["b"], "Memory": 1}, "Cmd": []}
    assert json.dumps(below) == json.dumps(
        {"HostConfig": {"Mounts": [1], "Binds": ["a"], "Memory": 1}, "Cmd": ["a"]}
    )


def test_what_a_command_asks_of_its_container_becomes_options() -> None:
    command = Command(("a",), env={"A": "1"}, user="u", workdir="/w")

    assert command_settings(command) == ContainerSettings(
        (("env", "A=1"), ("user", "u"), ("workdir", "/w")), ("a",)
    )
    assert command_settings(Command(())).command is None
