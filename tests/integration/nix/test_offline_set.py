"""Where nothing says what <nixpkgs> is, files and flakes get the offline set, by both Nix versions."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

import pytest

from support import nix

if TYPE_CHECKING:
    from pathlib import Path

    from support.nix import Ended, NixMachine

HELLO = """
{ pkgs ? import <nixpkgs> { } }:
pkgs.dockerTools.buildImage {
  name = "hello-docker";
  config.Cmd = [ "${pkgs.hello}/bin/hello" ];
}
"""
FLAKE = """{
  inputs.nixpkgs.url = "github:nobody/nowhere";
  outputs = { self, nixpkgs }: {
    packages.x86_64-linux.default =
      let pkgs = nixpkgs.legacyPackages.x86_64-linux; in
      pkgs.dockerTools.buildImage {
        name = "hello-docker";
        config.Cmd = [ "${pkgs.hello}/bin/hello" ];
      };
  };
}
"""


@pytest.fixture
def bare(machine: NixMachine, shared_cache: Path) -> NixMachine:
    """A machine on which nobody has said what <nixpkgs> is."""
    machine.environment["NIXDOCK_CACHE_DIR"] = str(shared_cache)
    return machine


def build(machine: NixMachine, *words: str) -> Ended:
    return machine.nixdock("build", *words, env={"NIX_PATH": None})


def test_a_file_and_a_flake_build_the_same_image(bare: NixMachine) -> None:
    bare.write("hello.nix", HELLO)
    bare.write("flake/flake.nix", FLAKE)
    file = build(bare, "hello.nix")
    assert file.status == 0, file.stderr
    assert "nixpkgs: the offline package set" in file.stderr
    assert "warning" not in file.stderr
    flake = build(bare, "./flake", "-o", "by-flake")
    assert flake.status == 0, flake.stderr
    assert "in place of the flake's own input" in flake.stderr
    assert flake.stdout == file.stdout
    assert not (bare.work / "flake" / "flake.lock").exists()
    closure = bare.run("nix-store", "--query", "--requisites", "result").stdout.splitlines()
    assert len(closure) < 8


def test_a_flake_without_the_input_is_not_warned_of_it(bare: NixMachine) -> None:
    toy = (bare.work / "toy.nix").read_text().replace("builtins.currentSystem", '"x86_64-linux"')
    bare.write("flake/toy.nix", toy)
    bare.write("flake/flake.nix", '{ outputs = { self }: { x = (import ./toy.nix).archive "x"; }; }')
    done = build(bare, "./flake#x")
    assert done.status == 0, done.stderr
    assert "warning" not in done.stderr


def test_a_package_that_the_set_lacks(bare: NixMachine) -> None:
    bare.write("x.nix", HELLO.replace("pkgs.hello", "pkgs.helo"))
    done = build(bare, "x.nix")
    assert done.status == 120
    assert "nixdock: x.nix:5:21: the offline package set has no 'helo'\n" in done.stderr
    assert "hint: did you mean hello? pkgs.debian.NAME is any other Debian package" in done.stderr
    bare.write("y.nix", "with import <nixpkgs> { };\n{ image = helo; }\n")
    done = build(bare, "y.nix")
    assert "nixdock: y.nix:2:11: undefined variable 'helo'\n" in done.stderr
    assert "hint: did you mean hello?" in done.stderr
    bare.write("z.nix", HELLO.replace("pkgs.hello", "pkgs.debian.helo"))
    done = build(bare, "z.nix")
    assert "nixdock: z.nix:5:21: Debian has no package 'helo'\n" in done.stderr
    assert re.search(r"\nhint: did you mean .*\bhello\b.*\? --nixpkgs PATH takes", done.stderr)


UTILS = """{
  inputs = {
    unstable.url = "github:NixOS/nixpkgs/nixos-unstable";
    utils = {
      url = "github:numtide/flake-utils";
      inputs.systems.follows = "machines";
    };
    machines.url = "github:nix-systems/default-linux";
    flake-compat = {
      url = "https://flakehub.com/f/edolstra/flake-compat/1.tar.gz";
      flake = false;
    };
  };
  outputs = { self, unstable, utils, machines, ... }:
    utils.lib.eachSystem (import machines) (system:
      let
        # An overlay may give a name what another name of the same is.
        overlay = _: prev: { git = prev.gitMinimal; python3 = prev.python3Full; stdenv = prev.gccStdenv; };
        pkgs = import unstable { inherit system; overlays = [ overlay ]; };
        files = pkgs.lib.fileset.toSource { root = ./.; fileset = ./flake.nix; };
        module = pkgs.buildGoModule {
          name = "module";
          vendorSha256 = "FdDIvZrvGFHk7aqjLtJsiqsIHM6lob9iNPLd7ITau7o=";
        };
      in
      {
        packages =
          assert builtins.attrNames (builtins.readDir "${files}") == [ "flake.nix" ];
          assert pkgs.git.name == pkgs.gitMinimal.name && pkgs.python3.propagatedBuildInputs == [ ];
          assert module.goModules.outputHashAlgo == "sha256";
          utils.lib.flattenTree { default = pkgs.hello; };
        apps.default = utils.lib.mkApp { drv = pkgs.hello; };
      });
}
"""


PARTS = """{
  inputs.nixpkgs.url = "nixpkgs";
  inputs.flake-parts = {
    url = "github:hercules-ci/flake-parts";
    inputs.nixpkgs-lib.follows = "nixpkgs";
  };
  outputs = inputs: inputs.flake-parts.lib.mkFlake { inherit inputs; } ({ withSystem, ... }: {
    systems = [ "x86_64-linux" "aarch64-linux" ];
    imports = [ ./module.nix ];
    perSystem = { config, self', inputs', pkgs, system, lib, ... }: {
      packages.default =
        assert lib.getExe config.packages.other == self'.apps.default.program;
        assert inputs.self.name == "hello-2.10${system}";
        pkgs.hello;
      apps.default.program = inputs'.nixpkgs.legacyPackages.hello;
      devShells.default = throw "not looked at";
      formatter = throw "not looked at";
    };
    flake.name = withSystem "x86_64-linux" ({ config, pkgs, ... }: config.packages.other.name + pkgs.system);
  });
}
"""
MODULE = """
{ self, ... }: {
  perSystem = { pkgs, ... }: { packages.other = pkgs.hello; };
  flake.overlays.default = final: prev: { };
}
"""


@pytest.mark.parametrize(
    ("files", "replaced"),
    [
        ({"flake.nix": UTILS}, "flake-compat, machines and utils"),
        ({"flake.nix": PARTS, "module.nix": MODULE}, "flake-parts"),
    ],
    ids=["flake-utils", "flake-parts"],
)
def test_what_most_flakes_have_for_inputs_is_there(
    bare: NixMachine, files: dict[str, str], replaced: str
) -> None:
    for name, text in files.items():
        bare.write(f"flake/{name}", text)
    bare.write("same.nix", "(import <nixpkgs> { }).hello")
    same = build(bare, "same.nix", "--no-out-link")
    done = build(bare, "./flake", "--no-out-link")
    assert done.status == same.status == 120
    assert f"flake's own input; nixdock's own in place of {replaced}\n" in done.stderr
    assert "warning" not in done.stderr
    # hello is no image: what is built and looked at is the very same in both ways.
    assert done.stderr.splitlines()[-1].replace("./flake", "same.nix") == same.stderr.splitlines()[-1]


def test_an_input_that_cannot_be_fetched_is_named(bare: NixMachine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:
        url = f"http://127.0.0.1:{closing.getsockname()[1]}/mine.tar.gz"
    inputs = f'{{\n  inputs.mine = {{\n    url = "{url}";\n  }};\n'
    bare.write("toy/flake.nix", '{ outputs = { self }: { name = "mine"; }; }')
    image = "(import ./toy.nix).archive mine.name"
    toy = (bare.work / "toy.nix").read_text().replace("builtins.currentSystem", '"x86_64-linux"')
    bare.write("flake/toy.nix", toy)
    bare.write("flake/flake.nix", f"{inputs}  outputs = {{ self, mine }}: {{ x = {image}; }};\n}}\n")
    done = build(bare, "./flake#x", "--option", "download-attempts", "1")
    assert done.status == 120
    assert "nixdock: flake/flake.nix:2:10: the input 'mine' cannot be fetched: " in done.stderr
    assert "hint: --override-input mine PATH takes a copy of yours; or check the network" in done.stderr
    assert url not in done.stderr.partition("nixdock: flake")[2]
    done = build(bare, "./flake#x", "--override-input", "mine", "toy")
    assert done.status == 0, done.stderr
    done = build(bare, "./flake#x", "--override-input", "mine", "./toys")
    assert done.status == 2
    assert "nixdock: --override-input mine ./toys: there is no directory './toys'\n" in done.stderr


LACKING = (
    ("[ pkgs.xcowsya-x ]", "2:3: the offline package set has no 'xcowsya-x'"),
    (
        "let inherit (pkgs)\n    hello xcowsya-x; in xcowsya-x",
        "3:11: the offline package set has no 'xcowsya-x'",
    ),
    ("with pkgs; # xcowsya-x\n[ hello xcowsya-x ]", "3:9: undefined variable 'xcowsya-x'"),
    ("pkgs.buildNothing { }", "2:1: the offline package set has no function 'buildNothing'"),
    ("[ pkgs.python3Packages.reqests ]", "2:3: the offline package set's 'python3Packages' has no 'reqests'"),
    (
        "pkgs.python3.withPackages (ps: with ps; [ reqests ])",
        "2:43: the offline package set's python3 has no module 'reqests'",
    ),
    ("let inherit (pkgs) hello xcowsya-x; in xcowsya-x", "2:26: the offline package set has no 'xcowsya-x'"),
    # What the set itself throws is told where the user asks for it, in a list or anywhere else.
    (
        'pkgs.buildEnv { name = "x"; paths = [\n  pkgs.su-exec\n]; }',
        "3:8: su-exec: Debian has none: pkgs.gosu does the same; ",
    ),
)


@pytest.mark.parametrize(("expression", "told"), LACKING)
def test_what_the_set_lacks_is_told_where_it_is_asked_for(
    bare: NixMachine, expression: str, told: str
) -> None:
    bare.write("x.nix", f"{{ pkgs ? import <nixpkgs> {{ }} }}:\n{expression}\n")
    done = build(bare, "x.nix")
    assert done.status == 120
    assert f"nixdock: x.nix:{told}" in done.stderr


def test_what_a_called_file_lacks_is_told_in_that_file(bare: NixMachine) -> None:
    bare.write("app/default.nix", "# xcowsay\n{ hello\n, xcowsay\n}:\nhello\n")
    bare.write("x.nix", "with import <nixpkgs> { };\ncallPackage ./app { }\n")
    done = build(bare, "x.nix")
    assert done.status == 120
    said = "app/default.nix:3:3: the offline package set has no 'xcowsay', which this function asks for"
    assert f"nixdock: {said}\n" in done.stderr
    assert "pkgs.debian.xcowsay is Debian's package of that name" in done.stderr


def test_images_that_need_each_other_are_told_where_they_are(bare: NixMachine) -> None:
    image = 'pkgs.dockerTools.buildImage { name = "x"; fromImage = '
    bare.write(
        "x.nix",
        f"let pkgs = import <nixpkgs> {{ }}; in\nrec {{\n  a = {image}b; }};\n  b = {image}a; }};\n}}\n",
    )
    done = build(bare, "x.nix")
    assert done.status == 120
    # At the argument that is needed in vain, of the image that the other one needs.
    assert "nixdock: x.nix:4:49: infinite recursion encountered\n" in done.stderr
    assert "hint: what stands there needs itself" in done.stderr


def test_all_that_a_user_throws_is_told(bare: NixMachine) -> None:
    bare.write("x.nix", '{ }:\nthrow "first\\n\\nsecond,\\nof two lines\\n\\nthird"\n')
    done = build(bare, "x.nix")
    assert done.status == 120
    assert ": first\n  \n  second,\n  of two lines\n  \n  third\n" in done.stderr


@pytest.mark.parametrize(
    ("before", "way"),
    [
        (
            "{ pkgs ? import (fetchTarball URL) { } }:\n",
            "--arg pkgs 'import <nixpkgs> { }' takes this machine's",
        ),
        ("{ nixpkgs ? fetchTarball URL, pkgs ? import nixpkgs { } }:\n", "--arg nixpkgs '<nixpkgs>' takes"),
        ("let pkgs =\n  import (fetchTarball URL) { }; in\n", "write <nixpkgs> in its place"),
    ],
)
def test_a_pinned_package_set_that_cannot_be_fetched(bare: NixMachine, before: str, way: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:
        url = f'"http://127.0.0.1:{closing.getsockname()[1]}/nixpkgs.tar.gz"'
    bare.write("x.nix", before.replace("URL", url) + "pkgs.hello\n")
    done = build(bare, "x.nix", "--option", "download-attempts", "1")
    assert done.status == 120
    assert re.search(r"nixdock: x\.nix:[12]:\d+: http://127\S+ cannot be downloaded", done.stderr), (
        done.stderr
    )
    assert f"hint: {way}" in done.stderr


def test_the_users_search_path_comes_before_the_offline_set(bare: NixMachine) -> None:
    bare.write("set/default.nix", "{ ... }: import ../toy.nix")
    bare.write("x.nix", 'with import <nixpkgs> { }; archive "mine"')
    done = build(bare, "x.nix", "-I", "nixpkgs=set")
    assert done.status == 0, done.stderr
    assert "offline" not in done.stderr
    assert build(bare, "x.nix", "-I", "nixpkgs=set", "--nixpkgs", "offline").status == 120


@pytest.mark.parametrize("version", nix.VERSIONS)
def test_an_ordinary_user_gets_it_through_a_daemon_and_waits_for_no_cache(version: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:
        unreachable = f"http://127.0.0.1:{closing.getsockname()[1]}/"
    with nix.machine(version, users=True) as machine, nix.daemon(machine, substituters=unreachable) as user:
        machine.write("hello.nix", HELLO)
        done = machine.nixdock("build", "hello.nix", user=user, env={"NIX_PATH": None})
        assert done.status == 0, done.stderr
        assert "nixpkgs: the offline package set" in done.stderr
        assert "unable to download" not in done.stderr
        assert "warning" not in done.stderr
        assert done.stdout.strip() == str((machine.work / "result").readlink())
