"""What stands in for the inputs of flakes: the public interfaces of flake-utils and flake-parts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nixdock import process

SET = Path(__file__).parents[3] / "nixdock" / "nixpkgs"
PACKAGES = """{
    hello = { type = "derivation"; name = "hello-1"; outPath = "/hello"; meta.mainProgram = "hi"; };
    stdenv.hostPlatform.system = "x86_64-linux"; inherit lib; }"""
PARTS = f"""let
  lib = import {SET / "lib"};
  parts = import {SET / "flakes" / "flake-parts" / "lib.nix"};
  inputs = {{ self = {{ }}; nixpkgs = {{ inherit lib; legacyPackages.x86_64-linux = {PACKAGES}; }}; }};
  mkFlake = parts.mkFlake {{ inherit inputs; }};
  systems = [ "x86_64-linux" ];
in """
UTILS = f"""with import {SET / "flakes" / "flake-utils" / "lib.nix"};
let d = meta: {{ type = "derivation"; outPath = "/d"; inherit meta; }}; in
"""

pytestmark = pytest.mark.nix


def evaluated(expression: str) -> Any:
    outcome = process.run(
        ["nix-instantiate", "--eval", "--strict", "--json", "--readonly-mode", "-E", expression]
    )
    assert outcome, outcome.error_text
    return json.loads(outcome.text)


def test_modules_add_to_the_same_outputs() -> None:
    found = evaluated(
        PARTS
        + """
      let
        flake = mkFlake ({ withSystem, ... }: {
          inherit systems;
          imports = [
            { flake.overlays.a = _: _: { }; flake.nixosModules.a = { }; flake.formatter.other = 1; }
            { flake.overlays.b = _: _: { }; flake.nixosModules.b = { }; }
            { perSystem = { pkgs, ... }: { packages.hello = pkgs.hello; }; }
          ];
          perSystem = { config, pkgs, self', ... }: {
            packages.default = config.packages.hello;
            apps.default.program = pkgs.hello;
          };
          flake.packages.x86_64-linux.more = 1;
          flake.name = withSystem "x86_64-linux"
            ({ config, system, ... }: config.packages.default.name + system);
        });
      in
      builtins.mapAttrs (_: builtins.attrNames) {
        inherit (flake) overlays nixosModules formatter;
        packages = flake.packages.x86_64-linux;
      } // { inherit (flake) name; app = flake.apps.x86_64-linux.default.program; }
    """
    )
    assert found == {
        "overlays": ["a", "b"],
        "nixosModules": ["a", "b"],
        "formatter": ["other"],
        "packages": ["default", "hello", "more"],
        "name": "hello-1x86_64-linux",
        "app": "/hello/bin/hi",
    }


def test_options_of_each_system_and_modules_that_ask_for_one() -> None:
    found = evaluated(
        "let flake = "
        + PARTS
        + """
      mkFlake ({ flake-parts-lib, moduleWithSystem, ... }: {
        options.perSystem = flake-parts-lib.mkPerSystemOption ({ config, ... }: {
          options.greeting = lib.mkOption { type = lib.types.str; default = "hi"; };
          config.legacyPackages.greeting = config.greeting;
        });
        config = {
          inherit systems;
          perSystem.greeting = "hello";
          flake.machine = (lib.evalModules {
            modules = [
              { options.text = lib.mkOption { type = lib.types.str; }; }
              { _module.args.pkgs = inputs.nixpkgs.legacyPackages.x86_64-linux; }
              (moduleWithSystem ({ config }: { ... }: { text = config.legacyPackages.greeting; }))
            ];
          }).config.text;
        };
      }); in [ flake.legacyPackages.x86_64-linux.greeting flake.machine ]"""
    )
    assert found == ["hello", "hello"]


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        (
            'eachSystem [ "a" "b" ] (s: { packages.x = s; lib = 1; })',
            {"packages": {"a": {"x": "a"}, "b": {"x": "b"}}, "lib": {"a": 1, "b": 1}},
        ),
        ('eachSystemPassThrough [ "a" "b" ] (s: { ${s} = 1; })', {"a": 1, "b": 1}),
        ('eachSystemMap [ "a" ] (s: s + "!")', {"a": "a!"}),
        ("builtins.attrNames (eachDefaultSystem (_: { x = 1; })).x == defaultSystems", True),
        ("system.x86_64-linux", "x86_64-linux"),
        (
            'mkApp { drv = { pname = "p"; name = "p-1"; outPath = "/p"; }; }',
            {"type": "app", "program": "/p/bin/p"},
        ),
        (
            'mkApp { drv = { name = "p"; outPath = "/p"; passthru.exePath = "/x"; }; }',
            {"type": "app", "program": "/p/x"},
        ),
        (
            "flattenTree { a = d { }; b = { recurseForDerivations = true; c = d { }; }; e.f = d { }; }",
            {"a": "/d", "b/c": "/d"},
        ),
        (
            """filterPackages "a" {
                w = 1; x = d { }; y = d { broken = true; }; z = d { platforms = [ "b" ]; };
            }""",
            {"x": "/d"},
        ),
    ],
)
def test_flake_utils(expression: str, found: Any) -> None:
    assert evaluated(UTILS + expression) == found


def test_a_misspelt_option_is_told_with_the_flakes_file(tmp_path: Path) -> None:
    file = tmp_path / "flake.nix"
    file.write_text(f"({PARTS} mkFlake {{ perSytem = {{ }}; }}).packages")
    outcome = process.run(["nix-instantiate", "--eval", file])
    assert not outcome
    assert "The option `perSytem' does not exist" in outcome.error_text
    assert f"- In `{file}'" in outcome.error_text
