"""What `up` and `load` cost where nothing has changed: modules, Nix programs, and requests to the engine."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nixdock.engine.connection.address import choose
from nixdock.engine.connection.api import connect

if TYPE_CHECKING:
    from nixdock.engine.connection.api import Engine
    from support.program import Nixdock

MODULES = """\
import sys
from nixdock.cli.main import run
status = run(sys.argv[1:])
sys.stderr.write("\\nmodules " + " ".join(sys.modules))
sys.exit(status)
"""
EXPECTING = """\
{ pkgs ? import <nixpkgs> { } }:
import ./hello-docker.nix { inherit pkgs; }
// { nixdock.checks.says = { run = [ ]; stdout = "Hello, world!\\n"; }; }
"""
EDITED = """\
{ pkgs ? import <nixpkgs> { } }:
pkgs.dockerTools.streamLayeredImage {
  name = "nixdock-test-edited";
  tag = "1";
  config.Cmd = [ "${pkgs.busybox}/bin/cat" "${./own}" ];
}
"""
COLLECTED = """\
{ pkgs ? import <nixpkgs> { } }:
pkgs.dockerTools.buildImage { name = "nixdock-test-collected"; config.Env = [ "SALT=%s" ]; }
"""
COLLECT = """\
import subprocess, sys
from nixdock.events import ignore
from nixdock.image.manifest import Platform
from nixdock.nix.builder import BuildRequest, build
from nixdock.nix.command import NixOptions
from nixdock.nix.store import hold_roots
from nixdock.nix.target import parse
from nixdock.usecases.load import open_artefact

with hold_roots() as roots:
    request = BuildRequest(lazily=True)
    (found,) = build(parse("collected.nix"), NixOptions(), ignore, roots=roots, request=request)
    for path in (found.path, found.derivation):
        subprocess.run(["nix-store", "--delete", path], check=True, stdout=subprocess.DEVNULL)
    (image,) = open_artefact(found, ignore, Platform.of_this_machine())
    print(image.references[0].familiar)
    held = subprocess.run(["nix-store", "--delete", found.path], capture_output=True).returncode
    print(held != 0, found.hold())
"""
CONTAINER = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Cost:
    """What a command line asked others for.

    Args:
        programs: The programs that were run, in their order.
        requests: What the engine was asked, in their order.
    """

    programs: list[str]
    requests: list[str]


@pytest.fixture(scope="module")
def loaded(module_nixdock: Nixdock) -> Nixdock:
    """The program, beside a hello-docker.nix that is built and loaded."""
    assert module_nixdock("init").status == 0
    first = module_nixdock("up", "hello-docker.nix")
    assert (first.status, first.out) == (0, b"Hello, world!\n"), first.stderr
    return module_nixdock


def list_modules(nixdock: Nixdock, *words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", MODULES, *words],
        capture_output=True,
        text=True,
        env=nixdock.environment,
        cwd=nixdock.folder,
        check=False,
    )
    told, _, modules = done.stderr.rpartition("\nmodules ")
    assert done.returncode == 0, told
    return set(modules.split())


def measure(nixdock: Nixdock, *words: str) -> Cost:
    ran = nixdock(words[0], "--debug", "--log-json", *words[1:])
    assert ran.status == 0, ran.stderr
    logged: list[dict[str, Any]] = [
        json.loads(line) for line in ran.stderr.splitlines() if line.startswith("{")
    ]
    return Cost(
        [entry["argv"][0] for entry in logged if entry["event"] == "process.start"],
        [
            f"{entry['method']} {CONTAINER.sub('ID', entry['path'])}"
            for entry in logged
            if entry["event"] == "engine.ask"
        ],
    )


def test_up_of_an_image_without_expectations_imports_nothing_of_checks(loaded: Nixdock) -> None:
    modules = list_modules(loaded, "up", "hello-docker.nix")
    of_checks = {name for name in modules if name.startswith("nixdock.checks.")}
    assert of_checks == {"nixdock.checks.verdict", "nixdock.checks.format", "nixdock.checks.format.beside"}
    assert modules & {"yaml", "re2", "nixdock.usecases.check", "nixdock.usecases.expected"} == set()


@pytest.mark.parametrize("command", ["up", "load"])
def test_where_nothing_changed_nothing_is_imported_that_builds_or_sends(
    loaded: Nixdock, command: str
) -> None:
    # What follows a build's log, makes the offline package set, asks for layers, writes archives.
    changing = {
        *("nixdock.nix.follower", "nixdock.nix.build_log", "nixdock.nix.failure"),
        *("nixdock.nixpkgs.assembly.apt", "nixdock.nixpkgs.assembly.lock"),
        *("nixdock.engine.loading.archive", "nixdock.engine.loading.unpacking"),
        *("decimal", "structlog", "rich", "asyncio"),
    }
    assert list_modules(loaded, command, "hello-docker.nix") & changing == set()


SLOW = {"docker", "requests", "urllib3", "http.client", "ssl", "email.parser", "tenacity"}
"""What is slow to import, and not needed to ask an engine on this machine."""


@pytest.mark.parametrize(
    "words",
    [
        ["load", "hello-docker.nix"],
        ["up", "hello-docker.nix"],
        ["run", "--rm", "hello-docker.nix"],
        ["down", "--all"],
        ["prune", "--dry-run"],
        ["doctor"],
    ],
    ids=lambda words: words[0],
)
def test_plain_questions_to_an_engine_on_this_machine_import_no_sdk(
    loaded: Nixdock, words: list[str]
) -> None:
    modules = list_modules(loaded, *words)
    assert modules & SLOW == set()
    # The engine was asked.
    assert "nixdock.engine.connection.plain" in modules


def remove_whole(engine: Engine, name: str) -> None:
    """Remove an image with all of its names: other tests on this engine may have given it more."""
    image = engine.find_image(name)
    assert image is not None
    engine.remove_image(image.id, force=True)


def test_what_streams_goes_over_the_sdk(loaded: Nixdock) -> None:
    archive = loaded.folder / "hello.tar"
    name = loaded("load", "-q", "hello-docker.nix").stdout.strip()
    engine = connect(choose(host=loaded.environment["DOCKER_HOST"]))
    with engine:
        archive.write_bytes(b"".join(engine.save([name])))
        remove_whole(engine, name)
    assert {"docker", "requests"} <= list_modules(loaded, "load", str(archive))


def test_up_of_an_image_with_expectations_judges_them(loaded: Nixdock) -> None:
    (loaded.folder / "expecting.nix").write_text(EXPECTING)
    assert "nixdock.checks.kinds.run" in list_modules(loaded, "up", "expecting.nix")
    (loaded.folder / "beside.nix").write_text("import ./hello-docker.nix { }")
    (loaded.folder / "beside.checks.yaml").write_text("checks: {says: {run: [], stdout: Bye}}\n")
    ran = loaded("up", "beside.nix")
    assert ran.status == 1
    assert "found 'Hello, world!\\n'" in ran.stderr


@pytest.mark.parametrize("command", ["up", "load"])
def test_where_nothing_changed_the_evaluation_is_the_only_nix_program(loaded: Nixdock, command: str) -> None:
    assert measure(loaded, command, "hello-docker.nix").programs == ["nix-instantiate"]


def test_where_nothing_changed_the_engine_is_asked_little(loaded: Nixdock) -> None:
    name = loaded("load", "-q", "hello-docker.nix").stdout.strip()
    found = ["GET /version", f"GET /images/docker.io/library/{name}/json"]
    assert measure(loaded, "load", "hello-docker.nix").requests == found
    assert measure(loaded, "up", "hello-docker.nix").requests == [
        *found,
        # Of what dead runs left, what may be in the new container's way.
        "GET /containers/json",
        "POST /containers/create",
        *(f"POST /containers/ID/{what}" for what in ("attach", "wait", "start")),
        "DELETE /containers/ID",
        # And the rest of it.
        *("GET /networks", "GET /volumes", "GET /images/json"),
    ]


def test_what_is_to_be_loaded_is_held_meanwhile(loaded: Nixdock) -> None:
    name = loaded("load", "-q", "hello-docker.nix").stdout.strip()
    engine = connect(choose(host=loaded.environment["DOCKER_HOST"]))
    with engine:
        remove_whole(engine, name)
    cost = measure(loaded, "load", "hello-docker.nix")
    assert cost.programs == ["nix-instantiate", "nix-build"]
    assert "POST /images/load" in cost.requests


@pytest.mark.parametrize("how", ["--no-host-store", "--host-store"])
def test_what_is_edited_costs_the_same_whether_store_paths_are_loaded_or_mounted(
    loaded: Nixdock, how: str
) -> None:
    own, name = loaded.folder / "own", "docker.io/library/nixdock-test-edited:1"
    if how == "--host-store":
        name = "nixdock.invalid/host-store/nixdock-test-edited:1"
    (loaded.folder / "edited.nix").write_text(EDITED)
    own.write_text(secrets.token_hex(8))
    assert loaded("up", how, "edited.nix").out == own.read_bytes()
    own.write_text(secrets.token_hex(8))
    cost = measure(loaded, "up", how, "edited.nix")
    # Nix evaluates, says how it builds, builds, and knows what was built as valid: once for all of it.
    assert cost.programs == ["nix-instantiate", "nix", "nix-build", "nix-store"]
    after = cost.requests[cost.requests.index("POST /images/load") + 1 :]
    assert after == [
        f"GET /images/{name}/json",
        "GET /containers/json",
        "POST /containers/create",
        *(f"POST /containers/ID/{what}" for what in ("attach", "wait", "start")),
        "DELETE /containers/ID",
        *("GET /networks", "GET /volumes", "GET /images/json"),
    ]


def test_what_was_collected_before_it_was_held_is_there_again(loaded: Nixdock) -> None:
    """Nothing holds an image that is there until it is read: the garbage collector may be quicker."""
    (loaded.folder / "collected.nix").write_text(COLLECTED % secrets.token_hex(8))
    built = loaded("build", "--no-out-link", "collected.nix")
    assert built.status == 0, built.stderr
    done = subprocess.run(
        [sys.executable, "-c", COLLECT],
        capture_output=True,
        text=True,
        env=loaded.environment,
        cwd=loaded.folder,
        check=False,
    )
    name = Path(built.stdout.strip()).name.partition("-")[0]
    assert done.stdout.splitlines() == [f"nixdock-test-collected:{name}", "True False"], done.stderr
