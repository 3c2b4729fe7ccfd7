"""Which inputs of a flake have something that stands in for them, by what they refer to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nixdock import process
from nixdock.nix import flake
from nixdock.nix.flake import NO_STAND_INS, find_stand_ins
from nixdock.nixpkgs.assembly import offline_set

SET = offline_set.SOURCES


def stand_ins(monkeypatch: pytest.MonkeyPatch, inputs: dict[str, str | None]) -> flake.StandIns:
    answer = process.Outcome((), 0, json.dumps(inputs).encode(), b"")
    monkeypatch.setattr(process, "run", lambda _argv: answer)
    return find_stand_ins(Path("/flake"), SET)


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("github:numtide/flake-utils", "flake-utils"),
        ("github:numtide/flake-utils/v1.0.0", "flake-utils"),
        ("https://github.com/numtide/flake-utils.git", "flake-utils"),
        ("flake:flake-utils", "flake-utils"),
        ("flake-utils", "flake-utils"),
        ("github:hercules-ci/flake-parts?ref=main", "flake-parts"),
        ("flake-parts", "flake-parts"),
        ("github:nix-systems/default", "systems/default"),
        ("github:nix-systems/x86_64-linux", "systems/x86_64-linux"),
        ("flake:systems", "systems/default"),
    ],
)
def test_an_input_with_a_stand_in(monkeypatch: pytest.MonkeyPatch, reference: str, name: str) -> None:
    found = stand_ins(monkeypatch, {"x": reference})
    assert found.others == (("x", str(SET / "flakes" / name)),)
    assert found.packages == ("nixpkgs",)
    assert found.as_inputs("/set") == (("nixpkgs", "/set"), ("x", str(SET / "flakes" / name)))


@pytest.mark.parametrize(
    "reference",
    [
        "github:numtide/flake-utils-plus",
        "github:me/flake-utils",
        "github:hercules-ci/flake-parts-website",
        "github:nix-systems/riscv64-freebsd",
        "path:./systems",
        "github:me/nixpkgs-overlay",
        "github:nix-community/nixpkgs-fmt",
        None,
    ],
)
def test_an_input_that_is_another(monkeypatch: pytest.MonkeyPatch, reference: str | None) -> None:
    assert stand_ins(monkeypatch, {"x": reference}) == NO_STAND_INS


@pytest.mark.parametrize(
    "reference",
    [
        "nixpkgs",
        "flake:nixpkgs/nixos-unstable",
        "github:NixOS/nixpkgs",
        "github:nixos/nixpkgs/nixos-24.05",
        "github:nix-community/nixpkgs.lib",
        "git+https://github.com/NixOS/nixpkgs?ref=master",
        "https://channels.nixos.org/nixos-24.05/nixexprs.tar.xz",
    ],
)
def test_an_input_that_is_nixpkgs(monkeypatch: pytest.MonkeyPatch, reference: str) -> None:
    found = stand_ins(monkeypatch, {"nixpkgs": "nixpkgs", "unstable": reference})
    assert found == flake.StandIns(("nixpkgs", "unstable"))


def test_a_flake_that_cannot_be_read_has_what_is_named_nixpkgs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "run", lambda _argv: process.Outcome((), 1, b"", b"error"))
    assert find_stand_ins(Path("/flake"), SET) == NO_STAND_INS
    assert find_stand_ins(None, SET) == NO_STAND_INS
