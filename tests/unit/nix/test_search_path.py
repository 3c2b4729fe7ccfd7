"""What `<nixpkgs>` is, by Nix's own rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nixdock.nix.package_set import ChosenBy, PackageSet, find_configured, split_search_path

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """An environment in which nothing is configured."""
    return {
        "HOME": str(tmp_path / "home"),
        "NIX_CONF_DIR": str(tmp_path / "etc"),
        "NIX_STATE_DIR": str(tmp_path / "state"),
    }


def configured(target: str, by: str) -> PackageSet:
    return PackageSet(ChosenBy.CONFIGURED, target, f"{target} (by {by})")


def make_set(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "default.nix").write_text("{ }")
    return folder


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("", []),
        ("/a:/b", ["/a", "/b"]),
        ("nixpkgs=/a:nixos-config=/b", ["nixpkgs=/a", "nixos-config=/b"]),
        ("nixpkgs=https://x.example/a.tar.gz:/b", ["nixpkgs=https://x.example/a.tar.gz", "/b"]),
        ("nixpkgs=channel:nixos-unstable:/b", ["nixpkgs=channel:nixos-unstable", "/b"]),
        ("nixpkgs=flake:nixpkgs", ["nixpkgs=flake:nixpkgs"]),
    ],
)
def test_split(text: str, entries: list[str]) -> None:
    assert split_search_path(text) == entries


def test_nothing_configured(bare: dict[str, str]) -> None:
    assert find_configured(bare) is None


def test_an_entry_with_a_name(bare: dict[str, str], tmp_path: Path) -> None:
    folder = make_set(tmp_path / "mine")
    assert find_configured({**bare, "NIX_PATH": f"other=/x:nixpkgs={folder}"}) == configured(
        str(folder), "NIX_PATH"
    )


def test_an_entry_that_leads_nowhere_is_passed_over(bare: dict[str, str], tmp_path: Path) -> None:
    folder = make_set(tmp_path / "mine")
    assert find_configured({**bare, "NIX_PATH": f"nixpkgs=/nowhere:nixpkgs={folder}"}) == configured(
        str(folder), "NIX_PATH"
    )


def test_a_folder_that_holds_it(bare: dict[str, str], tmp_path: Path) -> None:
    folder = make_set(tmp_path / "all/nixpkgs")
    assert find_configured({**bare, "NIX_PATH": str(tmp_path / "all")}) == configured(str(folder), "NIX_PATH")


def test_something_to_fetch(bare: dict[str, str]) -> None:
    assert find_configured({**bare, "NIX_PATH": "nixpkgs=channel:nixos-unstable"}) == configured(
        "channel:nixos-unstable", "NIX_PATH"
    )


def test_an_empty_variable_hides_the_channels(bare: dict[str, str], tmp_path: Path) -> None:
    make_set(tmp_path / "home/.nix-defexpr/channels/nixpkgs")
    assert find_configured({**bare, "NIX_PATH": ""}) is None


@pytest.mark.parametrize(
    "place",
    [
        "home/.nix-defexpr/channels/nixpkgs",
        "home/.local/state/nix/defexpr/channels/nixpkgs",
        "state/profiles/per-user/root/channels/nixpkgs",
    ],
)
def test_channels(bare: dict[str, str], tmp_path: Path, place: str) -> None:
    folder = make_set(tmp_path / place)
    assert find_configured(bare) == configured(str(folder), "the channels")


def test_the_users_channels_come_first(bare: dict[str, str], tmp_path: Path) -> None:
    make_set(tmp_path / "state/profiles/per-user/root/channels/nixpkgs")
    folder = make_set(tmp_path / "home/.nix-defexpr/channels/nixpkgs")
    assert find_configured(bare) == configured(str(folder), "the channels")


def test_the_setting_comes_before_the_channels(bare: dict[str, str], tmp_path: Path) -> None:
    make_set(tmp_path / "home/.nix-defexpr/channels/nixpkgs")
    folder = make_set(tmp_path / "mine")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/nix.conf").write_text(f"cores = 2\nnix-path = nixpkgs={folder} # ours\n")
    assert find_configured(bare) == configured(str(folder), "nix.conf")


def test_the_users_setting_comes_before_the_machines(bare: dict[str, str], tmp_path: Path) -> None:
    folder = make_set(tmp_path / "mine")
    for file, target in (
        (tmp_path / "etc/nix.conf", "/nowhere"),
        (tmp_path / "home/.config/nix/nix.conf", folder),
    ):
        file.parent.mkdir(parents=True)
        file.write_text(f"nix-path = nixpkgs={target}\n")
    assert find_configured(bare) == configured(str(folder), "nix.conf")


def test_the_variable_comes_before_the_setting(bare: dict[str, str], tmp_path: Path) -> None:
    folder = make_set(tmp_path / "mine")
    environ = {**bare, "NIX_PATH": f"nixpkgs={folder}", "NIX_CONFIG": "nix-path = nixpkgs=/nowhere"}
    assert find_configured(environ) == configured(str(folder), "NIX_PATH")


def test_what_a_setting_adds_comes_after_the_channels(bare: dict[str, str], tmp_path: Path) -> None:
    folder = make_set(tmp_path / "mine")
    environ = {**bare, "NIX_CONFIG": f"extra-nix-path = nixpkgs={folder}"}
    assert find_configured(environ) == configured(str(folder), "nix.conf")
    channel = make_set(tmp_path / "home/.nix-defexpr/channels/nixpkgs")
    assert find_configured(environ) == configured(str(channel), "nix.conf")
