"""Each package of the table runs from an image of its own: its closure, a shell, users and /tmp."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from .programs import MORE_PROGRAMS, PROGRAMS, Program

if TYPE_CHECKING:
    from support.program import Nixdock

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


IMAGES = """
{{ pkgs ? import <nixpkgs> {{ }} }}:
let
  # Of layers that the images share: the engine is given each library once.
  image = name: package: script: pkgs.dockerTools.streamLayeredImage {{
    name = "test-${{name}}";
    contents = with pkgs.dockerTools; [ fakeNss binSh ];
    extraCommands = "mkdir -m 1777 tmp";
    config = {{
      Cmd = [ "/bin/sh" "-c" script ];
      Env = [ "PATH=${{package}}/bin" ];
      WorkingDir = "/tmp";
    }};
  }};
in
{{
{rows}
}}
"""


@pytest.fixture(scope="module")
def further_images(module_nixdock: Nixdock) -> dict[str, str]:
    """The image of each of the further programs: all of them built and loaded at once."""
    rows = [f"  {one} = image {quote(one.name)} pkgs.{one} {quote(one.script)};" for one in MORE_PROGRAMS]
    (module_nixdock.folder / "programs.nix").write_text(IMAGES.format(rows="\n".join(rows)))
    loaded = module_nixdock("load", "-q", "programs.nix", timeout=900)
    assert loaded.status == 0, loaded.stderr
    return {reference.partition(":")[0]: reference for reference in loaded.stdout.split()}


# The first one waits for the building of them all.
@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("program", MORE_PROGRAMS, ids=str)
def test_a_further_program_runs_from_its_closure(
    further_images: dict[str, str], nixdock: Nixdock, program: Program
) -> None:
    done = nixdock("run", further_images[f"test-{program}"])
    assert program.expected in done.stdout + done.stderr


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
