"""Each package of the table runs from an image of its own: its closure, a shell, users and /tmp."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from . import programs_network, programs_system, programs_tools
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
    package = "pkgs.python3.withPackages (ps: with ps; [ requests pyyaml numpy flask uvicorn ])"
    script = """
uvicorn --version > version && python3 -c 'import requests, yaml, numpy, flask
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
    inherit name;
    contents = with pkgs.dockerTools; [ fakeNss binSh ];
    extraCommands = "mkdir -p var/empty; mkdir -m 1777 tmp tmp/d tmp/e tmp/.X11-unix";
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


OFTEN = frozenset(
    [
        "fish",
        "zsh",
        "fd",
        "bat",
        "moreutils",
        "toybox",
        "expect",
        "yq",
        "pass",
        "groff",
        "direnv",
        "gnupg",
        "e2fsprogs",
        "psmisc",
        "kmod",
        "dumb-init",
        "mailcap",
        "dejavu_fonts",
        "lz4",
        "p7zip",
        "cpio",
        "bats",
        "lighttpd",
        "nats-server",
        "unbound",
        "stunnel",
        "nmap",
        "tcpdump",
        "bind",
        "openssh",
        "mkpasswd",
        "s6",
    ]
)
"""Of the long tables, the rows that are always run: of each way to be told where files are one, and small."""

FURTHER = (*programs_tools.ROWS, *programs_network.ROWS, *programs_system.ROWS)
FURTHER_ROWS = [
    *MORE_PROGRAMS,
    *(one if one.name in OFTEN else pytest.param(one, marks=pytest.mark.sampled(1000)) for one in FURTHER),
]


def tag(program: Program) -> str:
    """Return what the image of a program is called."""
    return f"test-{program.name.lower().strip('_')}"


@pytest.fixture(scope="module")
def further_images(request: pytest.FixtureRequest, module_nixdock: Nixdock) -> dict[str, str]:
    """The image of each of the further programs that is to be run: all of them built and loaded at once."""
    items = (item for item in request.session.items if isinstance(item, pytest.Function))
    chosen: list[Program] = [
        item.callspec.params["program"]  # type: ignore[misc]
        for item in items
        if item.function is test_a_further_program_runs_from_its_closure
    ]
    rows = [f"  {one} = image {quote(tag(one))} pkgs.{one} {quote(one.script)};" for one in chosen]
    (module_nixdock.folder / "programs.nix").write_text(IMAGES.format(rows="\n".join(rows)))
    loaded = module_nixdock("load", "-q", "programs.nix", timeout=3600)
    assert loaded.status == 0, loaded.stderr
    return {reference.partition(":")[0]: reference for reference in loaded.stdout.split()}


# The first one waits for the building of them all.
@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("program", FURTHER_ROWS, ids=str)
def test_a_further_program_runs_from_its_closure(
    further_images: dict[str, str], nixdock: Nixdock, program: Program
) -> None:
    done = nixdock("run", further_images[tag(program)])
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


def test_postgresql_with_extensions(nixdock: Nixdock) -> None:
    package = "pkgs.postgresql.withPackages (ps: [ ps.ip4r ps.hypopg ])"
    script = """
initdb -D /tmp/data > /dev/null 2>&1 || exit
printf "create extension ip4r;\\ncreate extension hypopg;\\nselect ip4r('10.0.0.0/8');\\n" |
  postgres --single -D /tmp/data postgres
"""
    program = Program("extended", script, 'ip4r = "10.0.0.0/8"', user="nobody")
    assert program.expected in run(nixdock, program, f"({package})")
