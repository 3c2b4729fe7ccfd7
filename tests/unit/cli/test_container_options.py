"""docker's words mean what they mean to docker: compared with recorded requests of the real command."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from nixdock.cli.target_options import container_options, take_options
from nixdock.engine.containers.options.request import make_request
from nixdock.engine.containers.options.table import OPTIONS
from nixdock.errors import UsageError

if TYPE_CHECKING:
    from nixdock.engine.containers.options.request import CreateRequest

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
