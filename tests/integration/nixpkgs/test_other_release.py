"""Another Debian release, by the same code: its packages run in a sandbox that holds nothing else."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import debian, nix

from .programs import PROGRAMS, Program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.nix import NixMachine

NAMES = ("hello", "file", "git", "nodejs", "openssl", "perl", "python3", "vim")
"""Of each way in which a package is told where its files are, one or two."""


def other_release() -> str:
    """Return the supported release that this machine is not."""
    text = Path("/etc/os-release").read_text()
    return "bookworm" if "VERSION_CODENAME=trixie" in text else "trixie"


@pytest.fixture(scope="module")
def apt_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings that make apt see the other release and nothing of this machine."""
    folder = tmp_path_factory.mktemp("apt")
    for name in ("etc/apt.conf.d", "etc/preferences.d", "etc/sources.list.d", "state/lists/partial", "cache"):
        (folder / name).mkdir(parents=True)
    source = f"deb [signed-by={debian.KEYRING}] {debian.mirror()} {other_release()} main\n"
    (folder / "etc/sources.list").write_text(source)
    configuration = folder / "apt.conf"
    configuration.write_text(
        f'Dir::Etc "{folder}/etc";\nDir::State "{folder}/state";\nDir::Cache "{folder}/cache";\n'
        'Dir::State::status "/dev/null";\nAPT::Sandbox::User "root";\n'
    )
    environment = {"PATH": "/usr/bin:/bin", "APT_CONFIG": str(configuration)}
    subprocess.run(["apt-get", "-qq", "update"], check=True, env=environment)
    return configuration


@pytest.fixture(scope="module")
def machine(apt_config: Path) -> Iterator[NixMachine]:
    with nix.machine("debian-12") as made:
        made.environment.update(APT_CONFIG=str(apt_config), NIX_PATH="")
        done = made.nixdock("env", "--json", "--nixpkgs", "offline")
        assert done.status == 0, done.stderr
        made.environment.update(json.loads(done.stdout))
        yield made


def quote(text: str) -> str:
    return json.dumps(text).replace("${", "\\${")


def run(machine: NixMachine, program: Program) -> str:
    """Run a program in a sandbox with its closure and the sandbox's own shell."""
    # The shell stays to the end: a builder whose output is closed is one that has ended, to Nix.
    script = f"{{ {program.script}\n}} > $out; true"
    machine.write(
        "program.nix",
        f"""with import <nixpkgs> {{ }};
        derivation {{
          name = "ran";
          inherit system;
          builder = "/bin/sh";
          PATH = "${{{program.name}}}/bin";
          args = [ "-c" {quote(script)} ];
        }}""",
    )
    done = machine.run("nix-build", "program.nix", "--no-out-link")
    assert done.status == 0, done.stderr
    return (machine.root / done.stdout.strip().lstrip("/")).read_text()


def test_it_is_the_other_release(machine: NixMachine) -> None:
    text = 'builtins.readFile (<nixpkgs> + "/lock/amd64/index.json")'
    done = machine.run("nix-instantiate", "--eval", "--json", "-E", text)
    assert json.loads(json.loads(done.stdout))["codenames"] == [other_release()]


@pytest.mark.slow
@pytest.mark.parametrize("program", [one for one in PROGRAMS if one.name in NAMES], ids=str)
def test_a_program_runs(machine: NixMachine, program: Program) -> None:
    expected = program.expected.replace("/bin/sh: ELF", "/bin/sh: ")
    assert expected.split("\n")[0] in run(machine, program)


@pytest.mark.slow
def test_a_module_that_is_told_where_a_part_of_openssl_is_can_be_read(machine: NixMachine) -> None:
    script = "python3 -c 'import cryptography.fernet as f; print(len(f.Fernet.generate_key()))'"
    env = "python3.withPackages (modules: [ modules.cryptography ])"
    assert "44" in run(machine, Program(env, script, "44"))
