"""Which package set is chosen: the one named, the one configured, ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixdock.errors import UsageError
from nixdock.nix import package_set
from nixdock.nix.package_set import ChosenBy
from nixdock.nixpkgs.assembly import offline_set


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An offline set that is there already."""
    monkeypatch.setenv("NIXDOCK_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "cache/nixpkgs/sets/1"
    folder.mkdir(parents=True)
    (folder / "nixdock.json").write_text("{}")
    monkeypatch.setattr(offline_set, "materialise", lambda _listener: folder)
    return folder


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home"), "NIX_CONF_DIR": "/nowhere", "NIX_STATE_DIR": "/nowhere"}


def test_ours_where_nothing_is_configured(ours: Path, bare: dict[str, str]) -> None:
    chosen = package_set.choose(environ=bare)
    assert chosen.kind is ChosenBy.OFFLINE
    assert chosen.is_offline
    assert chosen.target == str(ours)
    assert chosen.sentence == "nixpkgs: the offline package set, of this machine's Debian"


def test_what_is_configured_comes_before_ours(ours: Path, bare: dict[str, str], tmp_path: Path) -> None:
    chosen = package_set.choose(environ={**bare, "NIX_PATH": f"nixpkgs={tmp_path}"})
    assert chosen.kind is ChosenBy.CONFIGURED
    assert chosen.target == str(tmp_path)
    assert chosen.sentence == f"nixpkgs: {tmp_path} (by NIX_PATH)"


def test_what_is_named_comes_before_what_is_configured(
    ours: Path, bare: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    chosen = package_set.choose("mine", environ={**bare, "NIX_PATH": f"nixpkgs={tmp_path}"})
    assert chosen.kind is ChosenBy.NAMED
    assert chosen.target == str(tmp_path / "mine")


def test_something_to_fetch_can_be_named(ours: Path, bare: dict[str, str]) -> None:
    assert package_set.choose("channel:nixos-unstable", environ=bare).target == "channel:nixos-unstable"


def test_a_named_path_must_be_there(ours: Path, bare: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="--nixpkgs: /nowhere does not exist"):
        package_set.choose("/nowhere", environ=bare)


def test_ours_can_be_asked_for(ours: Path, bare: dict[str, str], tmp_path: Path) -> None:
    chosen = package_set.choose("offline", environ={**bare, "NIX_PATH": f"nixpkgs={tmp_path}"})
    assert chosen.is_offline


def test_ours_in_the_shells_variable_is_ours(ours: Path, bare: dict[str, str]) -> None:
    link = ours.parents[1] / "current"
    link.symlink_to("sets/1")
    assert package_set.choose(environ={**bare, "NIX_PATH": f"nixpkgs={link}"}).is_offline


def test_an_offline_set_that_somebody_else_made_is_configured(
    ours: Path, bare: dict[str, str], tmp_path: Path
) -> None:
    other = tmp_path / "shared"
    other.mkdir()
    (other / "nixdock.json").write_text("{}")
    chosen = package_set.choose(environ={**bare, "NIX_PATH": f"nixpkgs={other}"})
    assert chosen.kind is ChosenBy.CONFIGURED
