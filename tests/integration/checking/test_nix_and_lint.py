"""Expectations in and beside Nix expressions, and the lint on images with each of the classic faults."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from integration.checking.conftest import Checker, Members, busybox
from support.archives import Sample, docker_archive
from support.images import host_program
from support.layers import file, tar_of
from support.program import Nixdock

IMAGE = """
{ pkgs ? import <nixpkgs> { } }:
let
  image = pkgs.dockerTools.buildImage {
    name = "expected";
    config.Cmd = [ "${pkgs.hello}/bin/hello" ];
  };
in
image // {
  nixdock = {
    tools = [ "${pkgs.coreutils}" ];
    checks = {
      greets = { run = [ ]; stdout = "Hello, world!\\n"; };
      path = { exec = [ "${pkgs.hello}/bin/hello" "--version" ]; stdout.contains = "hello"; };
      lent = { exec = [ "${pkgs.coreutils}/bin/echo" "x" ]; stdout = "x\\n"; };
      no-shell = { file = "/bin/sh"; exists = false; };
      slim = { closure = { forbid = [ "gcc-*" "coreutils*" ]; complete = true; }; };
      sound.lint = true;
    };
  };
}
"""


def _check(nixdock: Nixdock, *words: str | Path) -> tuple[int, dict[str, dict[str, Any]], str]:
    run = nixdock("check", "--json", *words)
    found = json.loads(run.stdout)["checks"] if run.stdout.startswith("{") else []
    return run.status, {verdict["name"]: verdict for verdict in found}, run.stderr


def test_expectations_stand_in_the_expression_and_in_a_file_beside_it(check: Checker) -> None:
    work = check.nixdock.folder
    (work / "expected.nix").write_text(IMAGE)
    (work / "expected.checks.yaml").write_text("checks:\n  named: {config: {User: null}}\n")

    status, verdicts, said = _check(check.nixdock, "expected.nix")

    assert {name: verdict["status"] for name, verdict in verdicts.items()} == dict.fromkeys(
        ("greets", "path", "lent", "no-shell", "slim", "sound", "named"), "PASS"
    ), said + json.dumps(verdicts, indent=1)
    assert status == 0

    (work / "expected.checks.yaml").write_text("checks:\n  greets: {config: {User: null}}\n")
    status, _, said = _check(check.nixdock, "expected.nix")
    assert (status, "two checks have the name 'greets'" in said) == (2, True)


def test_a_program_that_is_nowhere_is_an_error_that_says_so(check: Checker) -> None:
    work = check.nixdock.folder
    text = IMAGE.replace('tools = [ "${pkgs.coreutils}" ];', "")
    (work / "expected.nix").write_text(text)

    status, verdicts, _ = _check(check.nixdock, "expected.nix", "--filter", "lent")

    assert verdicts["lent"]["status"] == "ERROR"
    assert "is neither in the image nor among the tools" in verdicts["lent"]["findings"][0]["message"]
    assert status == 122


@dataclass(frozen=True)
class Fault:
    """What makes a sound image faulty, and what the lint says of it.

    Args:
        rule: The rule that finds it.
        words: Of its message.
        lacks: Ends of the names of what is left out.
        has: What is put in.
        config: What the config says otherwise.
    """

    rule: str
    words: str
    lacks: str | None = None
    has: Members = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)


SHELL_LINE = {"Healthcheck": {"Test": ["CMD-SHELL", "true"]}}
HEALTH_PROGRAM = {"Healthcheck": {"Test": ["CMD", "/bin/curl"]}}
FAULTS = {
    "no shell": Fault("shell", "the HEALTHCHECK is a line for a shell", "bin/sh", config=SHELL_LINE),
    "no linker": Fault("interpreter", "is not in the image", "ld-linux-x86-64.so.2"),
    "no library": Fault("libraries", "libc.so.6 is not found", "libc.so.6"),
    "no command": Fault("command", "/bin/tool, which is not in it", "bin/tool"),
    "no interpreter": Fault(
        "shebang",
        "/usr/bin/env is not in the image",
        has=[file("bin/run", b"#!/usr/bin/env python3\n", 0o755)],
    ),
    "no user": Fault("users", "runs as 'web'", "etc/passwd"),
    "no folder": Fault("command", "/etc/passwd is a file", config={"WorkingDir": "/etc/passwd"}),
    "no health": Fault(
        "command",
        "starts /bin/curl, which is not in it",
        config={"Healthcheck": {"Test": ["CMD", "/bin/curl"]}},
    ),
    "no certificates": Fault(
        "certificates",
        "SSL_CERT_FILE is /etc/ssl/ca.crt",
        config={"Env": ["PATH=/bin", "SSL_CERT_FILE=/etc/ssl/ca.crt"]},
    ),
    "no store path": Fault(
        "references",
        "-gone is not in the image",
        config={"Env": ["PATH=/bin", f"X=/nix/store/{'a' * 32}-gone/bin/x"]},
    ),
    "no time zone": Fault("timezones", "it means UTC", config={"Env": ["PATH=/bin", "TZ=Europe/Nowhere"]}),
}


def _faulty(fault: Fault) -> Sample:
    program = "git" if Path("/usr/bin/git").exists() else "bash"
    members = [
        member
        for member in [*busybox(), *host_program(program, "bin/tool")]
        if fault.lacks is None or not member[0].name.endswith(fault.lacks)
    ]
    config = {"Cmd": ["/bin/tool"], "Env": ["PATH=/bin"], "User": "web", **fault.config}
    return Sample((tar_of([*members, *fault.has]),), ("faulty:1",), config)


@pytest.mark.parametrize("kind", FAULTS)
def test_each_classic_fault_is_told_by_the_lint_without_an_engine(
    nixdock: Nixdock, tmp_path: Path, kind: str
) -> None:
    fault = FAULTS[kind]
    archive = tmp_path / "faulty.tar"
    archive.write_bytes(docker_archive(_faulty(fault)))

    run = nixdock("lint", archive, env={"DOCKER_HOST": "unix:///nowhere"})

    faults = [line for line in run.stdout.splitlines() if line.strip().startswith("fault")]
    assert any(f"{fault.rule}: " in line and fault.words in line for line in faults), run.stdout + run.stderr
    assert run.status == 1


def test_one_rule_can_be_applied_alone(nixdock: Nixdock, tmp_path: Path) -> None:
    archive = tmp_path / "faulty.tar"
    archive.write_bytes(docker_archive(_faulty(FAULTS["no user"])))

    run = nixdock("lint", archive, "--only", "users", "--json")

    assert {remark["rule"] for remark in json.loads(run.stdout)["faulty:1"]} == {"users"}


def test_a_sound_image_has_no_fault_and_strictness_counts_advice(nixdock: Nixdock, tmp_path: Path) -> None:
    archive = tmp_path / "sound.tar"
    members = [file("bin/busybox", Path("/bin/busybox").read_bytes(), 0o755)]
    archive.write_bytes(docker_archive(Sample((tar_of(members),), ("sound:1",), {"Cmd": ["/bin/busybox"]})))

    loose = nixdock("lint", archive)
    strict = nixdock("lint", archive, "--strict")

    assert (loose.status, strict.status) == (0, 1)
    for missing in (
        "there is no /bin/sh",
        "there are no CA certificates",
        "there is no /tmp",
        "no /etc/passwd",
    ):
        assert missing in loose.stdout
    unknown = nixdock("lint", archive, "--only", "no-such-rule")
    assert (unknown.status, "there is no rule 'no-such-rule'" in unknown.stderr) == (2, True)
