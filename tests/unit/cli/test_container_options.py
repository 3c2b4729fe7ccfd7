"""docker's words mean what they mean to docker: compared with recorded requests of the real command."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from nixdock.checks.format.suite import suite_from_value
from nixdock.cli.target_options import container_options, take_options
from nixdock.engine.containers.options.request import make_request
from nixdock.engine.containers.options.table import COMPOSE, OPTIONS
from nixdock.errors import UsageError

if TYPE_CHECKING:
    from nixdock.engine.containers.options.request import CreateRequest
    from nixdock.engine.containers.options.table import DockerOption

DATA = Path(__file__).parent.parent / "data" / "docker_create"
RECORD: dict[str, Any] = runpy.run_path(str(DATA / "record.py"))
"""The recorder: the files and the pruning that the recording was made with."""

CASES: list[dict[str, Any]] = json.loads((DATA / "recorded.json").read_text())
SENT_ALWAYS = CASES[0]["body"]
ENVIRON = {"TAKEN": "from the environment", "EMPTY": ""}


@click.command(context_settings={"ignore_unknown_options": False})
@container_options
@click.option("-i", "interactive", is_flag=True)
@click.option("-t", "tty", is_flag=True)
@click.option("--rm", "remove", is_flag=True)
@click.argument("command", nargs=-1)
@click.pass_context
def program(context: click.Context, /, **parameters: Any) -> None:
    context.obj["request"] = make_request(
        "image",
        parameters.pop("command"),
        take_options(parameters),
        interactive=parameters["interactive"],
        tty=parameters["tty"],
        auto_remove=parameters["remove"],
        environ=ENVIRON,
        directory=context.obj["folder"],
    )


def read(words: list[str], command: list[str], folder: Path) -> CreateRequest:
    for name, text in RECORD["FILES"].items():
        (folder / name).write_text(text)
    found: dict[str, Any] = {"folder": folder}
    program.main([*words, "--", *command], standalone_mode=False, obj=found)
    request: CreateRequest = found["request"]
    return request


def essence(value: object) -> Any:
    """What a request says beyond what docker always says, in an order of its own."""
    return _order(_without(RECORD["prune"](value), SENT_ALWAYS))


def _without(value: Any, base: Any) -> Any:
    if not isinstance(value, dict) or not isinstance(base, dict):
        return value
    return {
        key: item
        for key, item in ((key, _without(item, base.get(key))) for key, item in value.items())
        if item not in ({}, base.get(key))
    }


def _order(value: Any) -> Any:
    """Sort what has no order of its own: docker keeps variables, capabilities and limits in maps."""
    ordered = dict(value)
    if "Env" in ordered:
        ordered["Env"] = sorted(ordered["Env"])
    host = dict(ordered.get("HostConfig") or {})
    for key in ("CapAdd", "CapDrop"):
        if key in host:
            host[key] = sorted(host[key])
    if "Ulimits" in host:
        host["Ulimits"] = sorted(host["Ulimits"], key=lambda limit: str(limit["Name"]))
    return {**ordered, "HostConfig": host}


def title(case: dict[str, Any]) -> str:
    return " ".join([*case["words"], *case["command"]])


@pytest.mark.parametrize("case", [case for case in CASES if "body" in case], ids=title)
def test_makes_the_request_that_docker_makes(case: dict[str, Any], tmp_path: Path) -> None:
    words = case["words"] if case["words"] != ["--"] else []

    request = read(words, case["command"], tmp_path)

    recorded = json.loads(json.dumps(case["body"]).replace("FOLDER", str(tmp_path)))
    assert essence(request.body) == essence(recorded)
    query = {"name": request.name, "platform": request.platform}
    assert {key: value for key, value in query.items() if value} == case["query"]


@pytest.mark.parametrize("case", [case for case in CASES if "refusal" in case], ids=title)
def test_refuses_what_docker_refuses_in_its_words(case: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read(case["words"], case["command"], tmp_path)

    sentence = case["refusal"].removeprefix("docker: ").replace("FOLDER", str(tmp_path))
    # The value of a variable may be a secret.
    sentence = sentence.replace("=x", "=…") if case["words"][0] == "-e" else sentence
    # Go names the function that could not read a number, which says nothing to a user.
    assert sentence.partition("strconv.")[0] in caught.value.message


def test_the_recording_covers_every_option() -> None:
    words = {word.partition("=")[0] for case in CASES for word in case["words"]}
    missing = [option.flags for option in OPTIONS if not words & {*option.flags, *option.aliases}]
    assert missing == []


FROM_FILES: dict[str, tuple[list[str], Any]] = {
    "blkio_weight": (["--blkio-weight", "20"], 20),
    "cap_add": (["--cap-add", "net_admin", "--cap-add", "CAP_SYS_TIME"], ["net_admin", "CAP_SYS_TIME"]),
    "cap_drop": (["--cap-drop", "ALL"], "ALL"),
    "cgroup_parent": (["--cgroup-parent", "/x"], "/x"),
    "cpu_shares": (["-c", "5"], 5),
    "cpus": (["--cpus", "1.5"], 1.5),
    "cpuset": (["--cpuset-cpus", "0-1"], "0-1"),
    "devices": (["--device", "/dev/null:/dev/x:r"], ["/dev/null:/dev/x:r"]),
    "dns": (["--dns", "192.0.2.1"], ["192.0.2.1"]),
    "dns_opt": (["--dns-opt", "ndots:2"], ["ndots:2"]),
    "dns_search": (["--dns-search", "a.b"], "a.b"),
    "domainname": (["--domainname", "true"], "true"),
    "env_file": (["--env-file", "some.env"], ["some.env"]),
    "environment": (["-e", "A=1", "-e", "B"], {"A": 1, "B": None}),
    "expose": (["--expose", "80", "--expose", "90/udp"], [80, "90/udp"]),
    "extra_hosts": (["--add-host", "db:192.0.2.1"], {"db": "192.0.2.1"}),
    "group_add": (["--group-add", "audio"], ["audio"]),
    "hostname": (["-h", "false"], "false"),
    "init": (["--init"], True),
    "ipc": (["--ipc", "host"], "host"),
    "labels": (["-l", "a=b"], {"a": "b"}),
    "mem_limit": (["-m", "512m"], "512m"),
    "mem_reservation": (["--memory-reservation", "1m"], "1m"),
    "memswap_limit": (["--memory-swap", "-1"], -1),
    "mounts": (["--mount", "type=tmpfs,target=/t"], ["type=tmpfs,target=/t"]),
    "network_mode": (["--net", "none"], "none"),
    "oom_score_adj": (["--oom-score-adj", "-5"], -5),
    "pid": (["--pid", "host"], "host"),
    "pids_limit": (["--pids-limit", "10"], 10),
    "platform": (["--platform", "linux/arm64"], "linux/arm64"),
    "ports": (["-p", "127.0.0.1::80", "-p", "90"], ["127.0.0.1::80", 90]),
    "privileged": (["--privileged"], True),
    "read_only": (["--read-only"], True),
    "runtime": (["--runtime", "runc"], "runc"),
    "security_opt": (["--security-opt", "no-new-privileges"], ["no-new-privileges"]),
    "shm_size": (["--shm-size", "1m"], "1m"),
    "stop_signal": (["--stop-signal", "SIGINT"], "SIGINT"),
    "sysctls": (["--sysctl", "net.x=1"], {"net.x": 1}),
    "tmpfs": (["--tmpfs", "/t"], "/t"),
    "ulimits": (["--ulimit", "nofile=1:2"], {"nofile": {"soft": 1, "hard": 2}}),
    "user": (["-u", "1000"], 1000),
    "userns_mode": (["--userns", "host"], "host"),
    "uts": (["--uts", "host"], "host"),
    "volumes": (["-v", "./x:/x"], ["./x:/x"]),
    "working_dir": (["-w", "/w"], "/w"),
}


@pytest.mark.parametrize("key", COMPOSE)
def test_a_check_file_s_words_make_the_request_of_the_command_line_s(key: str, tmp_path: Path) -> None:
    (tmp_path / "some.env").write_text("C=3\n")
    words, value = FROM_FILES[key]
    suite = suite_from_value({"service": {key: value}, "checks": {"x": {"exec": ["x"]}}}, "x")
    assert suite.service is not None

    made = make_request("image", (), suite.service.options, environ=ENVIRON, directory=tmp_path)

    assert made == read(words, [], tmp_path)


@pytest.mark.parametrize("option", [option for option in OPTIONS if option.metavar is None])
def test_a_switch_that_a_file_or_a_program_leaves_off_says_nothing(option: DockerOption) -> None:
    assert make_request("image", (), ((option.name, "false"),)) == make_request("image")
