"""nixdock as a library: the same parts, and containers that clean up after themselves."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import nixdock
from nixdock import connect
from nixdock.errors import CommandNotFoundError, EngineError, UsageError
from nixdock.events import Event, Notice
from nixdock.services.readiness import NotReadyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nixdock.engine.connection.api import Engine
    from support.engines import Engine as RunningEngine
    from support.program import Nixdock

WEB = """
{ pkgs ? import <nixpkgs> { } }:
pkgs.dockerTools.buildImage {
  name = "library-web";
  copyToRoot = pkgs.writeTextDir "srv/index.html" "served\\n";
  config = {
    Cmd = [ "${pkgs.busybox}/bin/busybox" "httpd" "-f" "-v" "-p" "80" "-h" "/srv" ];
    Env = [ "PATH=${pkgs.busybox}/bin" ];
  };
}
// { nixdock.checks.port = { config.Env = [ "PATH=${pkgs.busybox}/bin" ]; }; }
"""


@pytest.fixture
def here(engine: RunningEngine, nixdock: Nixdock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The tests' engine, and the environment of the tests' program."""
    for name in ("HOME", "DOCKER_HOST", "NIXDOCK_CACHE_DIR", "NIXDOCK_STATE_DIR"):
        monkeypatch.setenv(name, nixdock.environment[name])
    monkeypatch.chdir(nixdock.folder)
    with connect() as found:
        yield found


def test_the_parts_of_the_command_line_are_functions(here: Engine) -> None:
    Path("web.nix").write_text(WEB)
    (artefact,) = nixdock.build("web.nix")
    assert artefact.store_path is not None
    assert not Path("result").exists()
    (loaded,) = nixdock.load(artefact.store_path, tags=["library-web:mine"])
    assert loaded.name == f"library-web:{artefact.image_tag}"
    assert here.find_image("library-web:mine") is not None
    outcome = nixdock.run("web.nix", ["busybox", "sh", "-c", "echo out; echo err >&2; exit 3"], engine=here)
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (3, b"out\n", b"err\n")
    report = nixdock.check(Path("web.nix"))
    assert [str(verdict.status.value).lower() for verdict in report.verdicts] == ["pass"]
    assert here.containers() == ()


def test_a_service_answers_while_its_context_lasts(here: Engine) -> None:
    Path("web.nix").write_text(WEB)
    told: list[str] = []

    def listen(event: Event) -> None:
        told.extend([event.text] if isinstance(event, Notice) else [])

    wanted = {"publish": ["81"]}
    with nixdock.serve(
        "web.nix", ports=[80], environment={"COLOUR": "blue"}, options=wanted, listener=listen
    ) as web:
        assert f"port 80 is at 127.0.0.1:{web.port(80)}" in told
        (open_to_all,) = [line for line in told if "open on all network interfaces" in line]
        assert open_to_all.startswith("port 81 is at 127.0.0.1:")
        web.wait_until(lambda: web.run(["busybox", "wget", "-qO-", "http://127.0.0.1/"]).exit_code == 0)
        with urllib.request.urlopen(web.url(80, "/index.html")) as answer:
            assert answer.read() == b"served\n"
        assert web.run(["busybox", "sh", "-c", "echo $COLOUR"]).stdout == b"blue\n"
        web.wait_for_log("response:200")
        with pytest.raises(CommandNotFoundError):
            web.run(["nothing-of-this-name"])
        name = web.name
    assert here.find_container(name) is None


def test_store_paths_are_mounted_where_that_is_wanted(here: Engine) -> None:
    Path("web.nix").write_text(WEB)
    mounts = ["busybox", "grep", "-c", " /nix/store/", "/proc/mounts"]
    assert nixdock.run("web.nix", mounts, host_store=True, engine=here).stdout == b"1\n"
    (image,) = [one for one in here.images() if "host-store/library-web" in "".join(one.tags)]
    here.remove_image(image.id, force=True)
    assert nixdock.run("web.nix", mounts, engine=here).stdout == b"0\n"


def test_a_service_that_ends_is_said_at_once_with_its_last_words(here: Engine) -> None:
    Path("web.nix").write_text(WEB)
    command = ["busybox", "sh", "-c", "echo it broke; exit 1"]
    with (
        pytest.raises(NotReadyError, match="ended before it was ready") as caught,
        nixdock.serve("web.nix", command) as web,
    ):
        web.wait_for_log("never written")
    assert caught.value.details == "it broke"
    assert here.containers() == ()


def test_what_goes_wrong_is_an_error_of_ours(here: Engine) -> None:
    with pytest.raises(EngineError, match="no-such-image"):
        nixdock.run("no-such-image:1")
    with pytest.raises(UsageError):
        nixdock.build(Path("missing.nix"))
    with pytest.raises(UsageError, match=r"^--tag: invalid image name 'UPPER'"):
        nixdock.load("web.nix", tags=["UPPER"])
    with pytest.raises(UsageError, match=r"^--platform arm64: a platform is OS/ARCH"):
        nixdock.load("web.nix", platform="arm64")
    with pytest.raises(UsageError, match="nothing that Nix builds"):
        nixdock.build("hello:latest")


def test_importing_the_package_costs_nothing() -> None:
    code = "import nixdock, sys; print([m for m in sys.modules if m.startswith(('nixdock', 'docker'))])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "['nixdock']\n"
