"""Which variables a shell needs, and how they are written."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from nixdock.cli import env as env_module
from nixdock.cli.env import find_variables, quote_for_fish, write_export
from nixdock.cli.options import Session
from nixdock.engine.daemon.home import Daemon, DaemonHome, birth_of
from nixdock.nix.package_set import ChosenBy, PackageSet
from nixdock.nix.settings import NixSettings
from nixdock.nixpkgs.assembly import offline_set

CONFIGURED = PackageSet(ChosenBy.CONFIGURED, "/etc/nixpkgs", "/etc/nixpkgs (by NIX_PATH)")
NAMED = PackageSet(ChosenBy.NAMED, "/my/nixpkgs", "/my/nixpkgs (--nixpkgs)")
OFFLINE = PackageSet(ChosenBy.OFFLINE, "/cache/sets/abc", "the offline package set")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DaemonHome:
    """A machine whose Nix needs no settings and whose engine is somebody else's."""
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "NIX_PATH", "NIX_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("NIXDOCK_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(env_module, "find_settings", lambda *_args, **_options: NixSettings())
    monkeypatch.setattr(offline_set, "stable_path", lambda: Path("/cache/current"))
    return DaemonHome(tmp_path / "engine")


def find(chosen: PackageSet, session: Session | None = None) -> dict[str, str]:
    return find_variables(session or Session(host="unix:///var/run/docker.sock"), chosen, os.environ)


def test_a_configured_machine_needs_nothing(home: DaemonHome) -> None:
    assert find(CONFIGURED) == {}


def test_the_offline_set_is_named_by_the_link_that_stays(home: DaemonHome) -> None:
    assert find(OFFLINE) == {"NIX_PATH": "nixpkgs=/cache/current"}


def test_a_named_package_set_is_the_one(home: DaemonHome) -> None:
    assert find(NAMED) == {"NIX_PATH": "nixpkgs=/my/nixpkgs"}


def test_other_entries_of_the_search_path_stay(home: DaemonHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIX_PATH", "nixpkgs=/cache/current:home=/h:/plain:x=https://host.example/a.tar.gz")
    expected = "nixpkgs=/cache/current:home=/h:/plain:x=https://host.example/a.tar.gz"
    assert find(OFFLINE) == {"NIX_PATH": expected}


def test_settings_are_added_to_those_of_the_user(home: DaemonHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        env_module, "find_settings", lambda *_args, **_options: NixSettings({"build-users-group": ""})
    )
    assert find(CONFIGURED) == {"NIX_CONFIG": "build-users-group = \n"}
    monkeypatch.setenv("NIX_CONFIG", "cores = 2\n")
    assert find(CONFIGURED) == {"NIX_CONFIG": "cores = 2\nbuild-users-group = \n"}


def test_an_engine_that_docker_would_not_find_is_named(home: DaemonHome, tmp_path: Path) -> None:
    home.directory.mkdir()
    home.write(Daemon(os.getpid(), birth_of(os.getpid()) or "", "unix:///ours.sock"))
    assert find(CONFIGURED, Session()) == {"DOCKER_HOST": "unix:///ours.sock"}


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        (Session(host="unix:///x.sock"), {"DOCKER_HOST": "unix:///x.sock"}),
        (Session(host="tcp://h:1"), {"DOCKER_HOST": "tcp://h:1"}),
    ],
)
def test_an_engine_that_was_asked_for_is_named(
    session: Session, expected: dict[str, str], home: DaemonHome
) -> None:
    assert find(CONFIGURED, session) == expected


def test_an_engine_that_the_shell_names_already_is_left_alone(
    home: DaemonHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///chosen.sock")
    assert find(CONFIGURED, Session()) == {}


AWKWARD = ["plain", "with 'quotes' and \"more\"", "two\nlines\n", "a $HOME `id` \\ back\\", "", "é\t*"]


@pytest.mark.parametrize("value", AWKWARD)
def test_every_value_survives_a_shell(value: str) -> None:
    script = f'{write_export("NAME", value)}\nprintf %s "$NAME"'
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout == value


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("plain", "'plain'"),
        ("two\nlines", "'two\nlines'"),
        ("it's \\ $HOME", "'it\\'s \\\\ $HOME'"),
    ],
)
def test_values_are_quoted_as_fish_reads_them(value: str, quoted: str) -> None:
    assert quote_for_fish(value) == quoted
