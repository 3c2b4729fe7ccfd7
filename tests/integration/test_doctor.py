"""`nixdock doctor` on this machine as it is, and as it would be with one thing broken."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.nix import PROGRAM

if TYPE_CHECKING:
    from support.program import Nixdock

    Findings = dict[str, dict[str, str | None]]

PROGRAMS = (
    *("nix", "nix-build", "nix-store", "nix-instantiate", "docker", "unshare"),
    *("apt-get", "apt-cache", "apt-config", "dpkg", "sh", "ip", "mount"),
)


def examine(nixdock: Nixdock, env: dict[str, str], *words: str) -> tuple[int, Findings]:
    """Run the doctor and return its status and, by part, its worst findings."""
    run = nixdock(*words, "doctor", "--json", env=env)
    document = json.loads(run.out)
    assert document["ok"] is (run.status == 0)
    order = ["ok", "optional", "missing"]
    findings = sorted(document["findings"], key=lambda finding: order.index(finding["state"]))
    return run.status, {finding["part"]: finding for finding in findings}


def make_path(folder: Path, *left_out: str) -> dict[str, str]:
    """Return an environment whose PATH lacks some programs."""
    folder.mkdir()
    for name in PROGRAMS:
        found = shutil.which(name)
        if found and name not in left_out:
            (folder / name).symlink_to(found)
    return {"PATH": str(folder)}


def test_a_machine_that_has_all_is_told_so(nixdock: Nixdock) -> None:
    run = nixdock("doctor")
    assert run.status == 0, run.stdout + run.stderr
    states = {
        line.split()[1]: line.split()[0] for line in run.stdout.splitlines() if not line.startswith(" ")
    }
    assert states["nix"] == states["nixpkgs"] == states["builds"] == states["engine"] == "ok"
    assert states["plugin"] == "optional"
    assert "mend: nixdock plugin install" in run.stdout
    assert run.stderr.endswith("nothing is missing\n")


def test_an_installed_plugin_is_found(nixdock: Nixdock) -> None:
    assert nixdock("plugin", "install").status == 0
    _, findings = examine(nixdock, {})
    assert findings["plugin"]["state"] == "ok"


def test_without_nix_the_package_is_named(nixdock: Nixdock, tmp_path: Path) -> None:
    path = make_path(tmp_path / "bin", "nix", "nix-build", "nix-store", "nix-instantiate")
    status, findings = examine(nixdock, path)
    assert status == 1
    assert findings["nix"]["state"] == "missing"
    assert str(findings["nix"]["mend"]).endswith("apt-get install nix-bin")
    assert "builds" not in findings
    assert findings["engine"]["state"] == "ok"


def test_without_an_engine_the_command_that_starts_one_is_named(nixdock: Nixdock, tmp_path: Path) -> None:
    status, findings = examine(nixdock, {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    assert status == 1
    assert findings["engine"]["state"] == "missing"
    assert f"unix://{tmp_path}/none.sock" in str(findings["engine"]["message"])
    mend = "systemctl start docker" if Path("/run/systemd/system").is_dir() else "nixdock engine start"
    assert str(findings["engine"]["mend"]).endswith(mend)


def test_a_docker_program_is_optional(nixdock: Nixdock, tmp_path: Path) -> None:
    status, findings = examine(nixdock, make_path(tmp_path / "bin", "docker"))
    assert status == 0
    assert findings["docker"]["state"] == "optional"
    assert "apt-get install docker" in str(findings["docker"]["mend"])


def test_podmans_docker_is_told_apart(nixdock: Nixdock, tmp_path: Path) -> None:
    path = make_path(tmp_path / "bin", "docker")
    script = tmp_path / "bin" / "docker"
    script.write_text('#!/bin/sh\nexec /usr/bin/podman "$@"\n')
    script.chmod(0o755)
    _, findings = examine(nixdock, path)
    assert findings["docker"]["message"] == f"{script} is Podman's, which runs no plugins"


def test_a_store_that_cannot_be_used_is_said(nixdock: Nixdock) -> None:
    status, findings = examine(nixdock, {"NIX_REMOTE": "unix:///nowhere/socket"})
    assert status == 1
    assert findings["nix"]["state"] == "missing"
    assert str(findings["nix"]["message"]).startswith("the Nix daemon cannot be used: ")


def test_a_configuration_under_which_nothing_can_be_built_is_said(nixdock: Nixdock) -> None:
    # Somebody's own choice, so nixdock changes nothing about it.
    broken = "build-users-group =\nsandbox = true\nsandbox-paths = /nowhere-at-all\nsubstituters =\n"
    status, findings = examine(nixdock, {"NIX_CONFIG": broken})
    assert status == 1
    assert str(findings["builds"]["message"]).startswith("Nix cannot build here: ")
    assert findings["nix"]["state"] == "ok"


def test_a_working_directory_that_is_gone_is_no_fault_of_the_machine(nixdock: Nixdock) -> None:
    done = subprocess.run(
        ["sh", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$0" doctor', PROGRAM],
        env=nixdock.environment,
        cwd=nixdock.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "missing" not in done.stdout
    assert done.returncode == 0, done.stderr


def test_apt_without_lists_is_said(nixdock: Nixdock, tmp_path: Path) -> None:
    (tmp_path / "lists" / "partial").mkdir(parents=True)
    configuration = tmp_path / "apt.conf"
    configuration.write_text(f'Dir::State::lists "{tmp_path}/lists";\n')
    env = {"APT_CONFIG": str(configuration), "NIXDOCK_CACHE_DIR": str(tmp_path / "cache")}
    status, findings = examine(nixdock, env)
    assert status == 1
    assert findings["nixpkgs"]["state"] == "missing"
    assert "apt-get update" in str(findings["nixpkgs"]["mend"])


def test_a_configured_package_set_needs_no_apt(nixdock: Nixdock, tmp_path: Path) -> None:
    (tmp_path / "default.nix").write_text("{ }")
    _, findings = examine(nixdock, {"NIX_PATH": f"nixpkgs={tmp_path}", "APT_CONFIG": "/nowhere"})
    assert findings["nixpkgs"]["state"] == "ok"
    assert str(tmp_path) in str(findings["nixpkgs"]["message"])


def test_a_folder_that_cannot_be_written_is_no_obstacle(nixdock: Nixdock, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, findings = examine(nixdock, {"NIXDOCK_STATE_DIR": str(tmp_path / "file" / "state")})
    assert status == 0
    assert findings["folders"]["state"] == "optional"
    assert "NIXDOCK_STATE_DIR" in str(findings["folders"]["mend"])


@pytest.mark.parametrize("words", [["--context", "nowhere"], ["--host", "gopher://x"]])
def test_an_address_that_cannot_be_read_is_a_finding(words: list[str], nixdock: Nixdock) -> None:
    status, findings = examine(nixdock, {}, *words)
    assert status == 1
    assert findings["engine"]["state"] == "missing"
