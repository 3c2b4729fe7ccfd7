"""Each package of the table runs from an image of its own: its closure, a shell, users and /tmp."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.nix import PROGRAM

from .programs import MORE_PROGRAMS, PROGRAMS, Program

if TYPE_CHECKING:
    from conftest import Nixdock

IMAGE = """
{{ pkgs ? import <nixpkgs> {{ }} }}:
pkgs.dockerTools.buildImage {{
  name = "test-{name}";
  copyToRoot = with pkgs.dockerTools; [ fakeNss binSh ];
  extraCommands = "mkdir -m 1777 tmp && chmod -R u+w etc";
  config = {{
    Cmd = [ "/bin/sh" "-c" {script} ];
    Env = [ "PATH=${{{package}}}/bin" ];
    User = {user};
  }};
}}
"""


def quote(text: str) -> str:
    """Return a string of Nix."""
    return json.dumps(text).replace("${", "\\${")


def run(nixdock: Nixdock, program: Program, package: str | None = None) -> str:
    """Build the image of a program and run it; the package is the one of its name, or this expression."""
    text = IMAGE.format(
        name=program.name.lower(),
        package=package or f"pkgs.{program.name}",
        script=quote(program.script),
        user=quote(program.user),
    )
    (nixdock.folder / "program.nix").write_text(text)
    done = nixdock("up", "program.nix")
    return done.stdout + done.stderr


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_a_program_runs_from_its_closure(nixdock: Nixdock, program: Program) -> None:
    assert program.expected in run(nixdock, program)


def test_python_with_modules(nixdock: Nixdock) -> None:
    package = "pkgs.python3.withPackages (ps: with ps; [ requests pyyaml numpy flask ])"
    script = """
python3 -c 'import requests, yaml, numpy, flask
print(numpy.ones(3).sum(), yaml.safe_load("a: [1]"), flask.__name__)' && flask --version
"""
    program = Program("modules", script, "3.0 {'a': [1]} flask\nPython 3.")
    assert program.expected in run(nixdock, program, f"({package})")


def test_a_debian_package_by_its_debian_name(nixdock: Nixdock) -> None:
    program = Program("cowsay", "cowsay moo", "< moo >")
    assert program.expected in run(nixdock, program, "pkgs.debian.cowsay")


CLOSURES = """
with import <nixpkgs> {{ }};
let
  # Nothing is there but what the package and the shell refer to.
  run = name: package: script: derivation {{
    name = "ran-${{name}}";
    inherit system;
    builder = "${{bash}}/bin/bash";
    PATH = "${{package}}/bin";
    args = [ "-c" "cd $NIX_BUILD_TOP; {{ ${{script}}\\n}} > $out; true" ];
  }};
in
{{
{rows}
}}
"""


@pytest.fixture(scope="module")
def more_printed(shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each of the further programs printed, run in a sandbox that holds its closure and a shell."""
    rows = [f"  {one} = run {quote(one.name)} {one} {quote(one.script)};" for one in MORE_PROGRAMS]
    file = tmp_path_factory.mktemp("closures") / "closures.nix"
    file.write_text(CLOSURES.format(rows="\n".join(rows)))
    paths = f"__mapAttrs (_: one: one.outPath) (import {file})"
    script = f"""
        eval "$({PROGRAM} env)"
        nix-build --no-out-link --keep-going {file}
        nix-instantiate --eval --strict --json --expr '{paths}'
    """
    done = subprocess.run(
        ["bash", "-uc", script],
        env={**os.environ, "NIXDOCK_CACHE_DIR": str(shared_cache), "NIX_PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    outputs = json.loads(done.stdout.splitlines()[-1])
    # What could not be built has a test that says so.
    return {name: Path(path).read_text() for name, path in outputs.items() if Path(path).exists()}


@pytest.mark.parametrize("program", MORE_PROGRAMS, ids=str)
def test_a_further_program_runs_in_its_closure(more_printed: dict[str, str], program: Program) -> None:
    assert program.expected in more_printed[program.name]


TRUST = """
{ pkgs ? import <nixpkgs> { } }:
pkgs.dockerTools.buildImage {
  name = "test-trust";
  copyToRoot = [ pkgs.dockerTools.caCertificates ];
  config.Cmd = [
    "${pkgs.python3}/bin/python3" "-c"
    "import ssl; print(ssl.create_default_context().cert_store_stats()['x509_ca'] > 50)"
  ];
}
"""


def test_programs_trust_the_certificates_of_the_image(nixdock: Nixdock) -> None:
    (nixdock.folder / "trust.nix").write_text(TRUST)
    assert nixdock("up", "trust.nix").stdout == "True\n"
