"""`eval "$(nixdock env)"`: after it, Nix's and docker's own commands work by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.program import Nixdock


def type_in_a_shell(nixdock: Nixdock, script: str, env: dict[str, str] | None = None) -> str:
    """Run what a user would type after `eval "$(nixdock env)"`; no nixdock runs by then."""
    environment = {**nixdock.environment, **(env or {})}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", f'eval "$(nixdock env)"\n{script}'],
        env=environment,
        cwd=nixdock.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nixpkgs_means_something_in_the_shell(nixdock: Nixdock) -> None:
    printed = type_in_a_shell(nixdock, "nix-instantiate --eval -E '(import <nixpkgs> { }).hello.pname'")
    assert printed == '"hello"\n'


def test_an_unconfigured_nix_builds_in_the_shell(nixdock: Nixdock) -> None:
    (nixdock.folder / "text.nix").write_text(
        'derivation { name = "t"; system = builtins.currentSystem; builder = "/bin/sh";'
        ' args = [ "-c" "echo built by hand > $out" ]; }'
    )
    assert type_in_a_shell(nixdock, "cat $(nix-build --no-out-link text.nix)") == "built by hand\n"


def test_what_is_said_twice_stays_the_same(nixdock: Nixdock) -> None:
    printed = type_in_a_shell(nixdock, 'echo "$NIX_PATH"; eval "$(nixdock env)"; echo "$NIX_PATH"')
    first, second = printed.splitlines()
    assert first == second
    assert first.startswith("nixpkgs=/")


def test_a_configured_package_set_is_left_alone(nixdock: Nixdock, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "default.nix").write_text('{ ... }: { mine = "yes"; }')
    env = {"NIX_PATH": f"nixpkgs={tmp_path}/set"}
    printed = json.loads(nixdock("env", "--json", env=env).out)
    assert "NIX_PATH" not in printed
    shown = type_in_a_shell(nixdock, "nix-instantiate --eval -E '(import <nixpkgs> { }).mine'", env)
    assert shown == '"yes"\n'


def test_the_choice_is_told_on_stderr_and_the_exports_alone_on_stdout(nixdock: Nixdock) -> None:
    run = nixdock("env")
    assert run.status == 0
    assert "nixpkgs: the offline package set" in run.stderr
    assert [line for line in run.stdout.splitlines() if line.startswith("export ")] != []
    fish = nixdock("env", "--shell", "fish").stdout
    assert fish.startswith("set -gx NIX_PATH '")


def test_apt_without_lists_is_a_build_error_and_prints_nothing(nixdock: Nixdock, tmp_path: Path) -> None:
    (tmp_path / "lists" / "partial").mkdir(parents=True)
    configuration = tmp_path / "apt.conf"
    configuration.write_text(f'Dir::State::lists "{tmp_path}/lists";\n')
    run = nixdock("env", env={"APT_CONFIG": str(configuration), "NIXDOCK_CACHE_DIR": str(tmp_path / "cache")})
    assert run.status == 120
    assert run.stdout == ""
    assert "apt-get update" in run.stderr


def test_a_package_set_that_is_not_there_is_a_usage_error(nixdock: Nixdock) -> None:
    run = nixdock("env", "--nixpkgs", "/nowhere")
    assert (run.status, run.stdout) == (2, "")
    assert "/nowhere" in run.stderr


def test_an_engine_that_was_asked_for_is_dockers_too(nixdock: Nixdock) -> None:
    address = nixdock.environment.pop("DOCKER_HOST")
    run = nixdock("--host", address, "env", "--json")
    assert json.loads(run.out)["DOCKER_HOST"] == address
