"""Expectations in and beside Nix expressions, and the lint on images with each of the classic faults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from checking.conftest import Checker, Members, busybox
from conftest import Nixdock
from support.archives import Sample, docker_archive
from support.images import host_program
from support.layers import file, folder, tar_of

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


def _without(members: Members, *names: str) -> Members:
    return [member for member in members if member[0].name not in names]


def _fault(kind: str) -> tuple[Members, dict[str, Any], str, str]:
    """An image with one fault: its members and config, the rule that finds it, and words of its message."""
    whole = [*busybox(), *host_program("git" if Path("/usr/bin/git").exists() else "bash", "bin/tool")]
    config: dict[str, Any] = {"Cmd": ["/bin/tool"], "Env": ["PATH=/bin"], "User": "web"}
    linker = next(member[0].name for member in whole if "ld-linux" in member[0].name)
    libc = next(member[0].name for member in whole if member[0].name.endswith("libc.so.6"))
    members, rule, words = whole, kind, ""
    match kind:
        case "no shell":
            members = _without(whole, "bin/sh")
            config["Healthcheck"] = {"Test": ["CMD-SHELL", "true"]}
            rule, words = "shell", "the HEALTHCHECK is a line for a shell"
        case "no linker":
            members = _without(whole, linker)
            rule, words = "interpreter", f"/{linker} is not in the image"
        case "no library":
            members = _without(whole, libc)
            rule, words = "libraries", "libc.so.6 is not found"
        case "no command":
            members = _without(whole, "bin/tool")
            rule, words = "command", "/bin/tool, which is not in it"
        case "no interpreter":
            members = [*whole, file("bin/run", b"#!/usr/bin/env python3\n", 0o755)]
            rule, words = "shebang", "/usr/bin/env is not in the image"
        case "no user":
            members = _without(whole, "etc/passwd")
            rule, words = "users", "runs as 'web'"
        case "private tmp":
            members = [*_without(whole, "tmp"), folder("tmp", 0o755)]
            rule, words = "tmp", "has the mode 0755"
        case "no certificates":
            config["Env"] = ["PATH=/bin", "SSL_CERT_FILE=/etc/ssl/ca.crt"]
            rule, words = "certificates", "SSL_CERT_FILE is /etc/ssl/ca.crt"
        case "no store path":
            members = [*whole, file("etc/conf", b"/nix/store/" + b"a" * 32 + b"-gone/bin/x")]
            rule, words = "references", "-gone is not in the image"
        case "no time zone":
            config["Env"] = ["PATH=/bin", "TZ=Europe/Nowhere"]
            rule, words = "timezones", "it means UTC"
    return members, config, rule, words


@pytest.mark.parametrize(
    "kind",
    [
        "no shell", "no linker", "no library", "no command", "no interpreter", "no user", "private tmp",
        "no certificates", "no store path", "no time zone",
    ],
)  # fmt: skip
def test_each_classic_fault_is_told_by_the_lint_without_an_engine(
    nixdock: Nixdock, tmp_path: Path, kind: str
) -> None:
    members, config, rule, words = _fault(kind)
    archive = tmp_path / "faulty.tar"
    archive.write_bytes(docker_archive(Sample((tar_of(members),), ("faulty:1",), config)))

    run = nixdock("lint", archive, env={"DOCKER_HOST": "unix:///nowhere"})

    faults = [line for line in run.stdout.splitlines() if line.strip().startswith("fault")]
    assert any(f"{rule}: " in line and words in line for line in faults), run.stdout + run.stderr
    assert run.status == 1
    without = nixdock("lint", archive, "--only", rule, "--json", env={"DOCKER_HOST": "unix:///nowhere"})
    assert {remark["rule"] for remark in json.loads(without.stdout)["faulty:1"]} == {rule}


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
