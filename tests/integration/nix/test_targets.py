"""`nixdock build` takes every kind of target, and names and links its results as nix-build does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from support.nix import NixMachine

# What nix-build needs on a bare machine, typed by hand.
BY_HAND = {"NIX_CONFIG": "build-users-group =\nsandbox-paths = /bin/sh=/bin/busybox\nsubstituters =\n"}

SEVERAL = """
with import ./toy.nix;
{
  web = archive "web";
  db = archive "db";
  "dotted.name" = archive "dotted";
  nested = { recurseForDerivations = true; inner = archive "inner"; };
  closed = { hidden = archive "hidden"; };
  list = [ (archive "first") { second = archive "second"; } [ (archive "third") ] ];
  number = 7;
}
"""


def links_of(machine: NixMachine) -> dict[str, str]:
    return {
        str(link.relative_to(machine.work)): str(link.readlink())
        for link in machine.work.rglob("*")
        if link.is_symlink()
    }


def build(machine: NixMachine, *words: str | Path) -> list[str]:
    """Build by nixdock and by nix-build; return the store paths: they are the same, and so are the links."""
    ours = machine.nixdock("build", *words)
    assert ours.status == 0, ours.stderr
    our_links = links_of(machine)
    for name in our_links:
        (machine.work / name).unlink()
    theirs = machine.run("nix-build", *words, env=BY_HAND)
    assert theirs.status == 0, theirs.stderr
    assert ours.stdout == theirs.stdout
    assert our_links == links_of(machine)
    for name in our_links:
        (machine.work / name).unlink()
    return ours.stdout.splitlines()


def describe(machine: NixMachine, *words: str | Path) -> list[dict[str, Any]]:
    """Build by nixdock, and return what it says of each artefact."""
    done = machine.nixdock("build", "--json", "--no-out-link", *words)
    assert done.status == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_a_file_and_a_folder(machine: NixMachine) -> None:
    machine.write("folder/default.nix", 'with import ../toy.nix; archive "image"')
    (path,) = build(machine, "folder/default.nix")
    assert build(machine, "folder") == build(machine, "./folder") == [path]
    assert path.endswith("-image")


def test_no_target_is_default_nix(machine: NixMachine) -> None:
    machine.write("default.nix", 'with import ./toy.nix; archive "image"')
    (path,) = build(machine)
    assert path.endswith("-image")


def test_a_path_with_spaces_and_signs(machine: NixMachine) -> None:
    machine.write("my images/the 'best' $one & #2.nix", 'with import ../toy.nix; archive "image"')
    assert len(build(machine, "my images/the 'best' $one & #2.nix")) == 1


def test_an_expression_starts_in_the_current_folder(machine: NixMachine) -> None:
    assert len(build(machine, "-E", 'with import ./toy.nix; archive "image"')) == 1


def test_all_of_a_set_are_built_in_its_order(machine: NixMachine) -> None:
    machine.write("set.nix", SEVERAL)
    paths = build(machine, "set.nix")
    assert [path.partition("-")[2] for path in paths] == ["db", "inner", "web"]
    assert [entry["attribute"] for entry in describe(machine, "set.nix")] == ["db", "nested.inner", "web"]


@pytest.mark.parametrize(
    ("attribute", "names"),
    [
        ("web", ["web"]),
        ('"dotted.name"', ["dotted"]),
        ("closed", ["hidden"]),
        ("nested.inner", ["inner"]),
        ("list", ["first", "second", "third"]),
        ("list.0", ["first"]),
        ("list.1.second", ["second"]),
    ],
)
def test_an_attribute_path_chooses(machine: NixMachine, attribute: str, names: list[str]) -> None:
    machine.write("set.nix", SEVERAL)
    paths = build(machine, "set.nix", "-A", attribute)
    assert [path.partition("-")[2] for path in paths] == names


def test_several_attributes_come_in_the_order_they_were_named(machine: NixMachine) -> None:
    machine.write("set.nix", SEVERAL)
    paths = build(machine, "set.nix", "-A", "web", "-A", "db", "-A", "web")
    assert [path.partition("-")[2] for path in paths] == ["web", "db", "web"]


def test_links_are_named_and_left_out_as_the_user_wants(machine: NixMachine) -> None:
    machine.write("set.nix", SEVERAL)
    build(machine, "set.nix", "-o", "out")
    build(machine, "set.nix", "--no-out-link")
    assert links_of(machine) == {}
    build(machine, "set.nix", "-o", "below/of all")
    build(machine, "set.nix", "-A", "web", "-o", machine.work / "absolute")


def test_a_link_is_a_root_of_the_garbage_collector(machine: NixMachine) -> None:
    machine.write("image.nix", 'with import ./toy.nix; archive "rooted"')
    path = machine.nixdock("build", "image.nix").stdout.strip()
    assert machine.run("nix-store", "--delete", path, env=BY_HAND).status != 0
    (machine.work / "result").unlink()
    assert machine.run("nix-store", "--delete", path, env=BY_HAND).status == 0


def test_functions_are_called_with_their_defaults_and_what_the_user_gives(machine: NixMachine) -> None:
    machine.write(
        "f.nix",
        '{ name ? "default", debug ? false }: with import ./toy.nix; archive "${name}-${toString debug}"',
    )
    assert build(machine, "f.nix")[0].endswith("-default-")
    assert build(machine, "f.nix", "--argstr", "name", "given", "--arg", "debug", "1 == 1")[0].endswith(
        "-given-1"
    )
    # An argument that the function does not take is nobody's business.
    assert build(machine, "f.nix", "--argstr", "other", "x")[0].endswith("-default-")


def test_a_function_that_takes_anything_gets_everything(machine: NixMachine) -> None:
    machine.write(
        "f.nix",
        "{ ... }@all: with import ./toy.nix;"
        ' archive (builtins.concatStringsSep "-" ([ "all" ] ++ builtins.attrNames all))',
    )
    assert build(machine, "f.nix", "--argstr", "b", "x", "--argstr", "a", "x")[0].endswith("-all-a-b")


def test_functions_on_the_way_to_an_attribute_are_called(machine: NixMachine) -> None:
    machine.write(
        "f.nix",
        '{ a ? "x" }: { inner = { b ? "y" }: { image = (import ./toy.nix).archive "${a}${b}"; };'
        ' functor = { __functor = self: { a ? "z" }: (import ./toy.nix).archive "f${a}"; }; }',
    )
    assert build(machine, "f.nix", "-A", "inner.image", "--argstr", "b", "w")[0].endswith("-xw")
    assert build(machine, "f.nix", "-A", "functor")[0].endswith("-fz")


def test_the_search_path_is_the_users(machine: NixMachine) -> None:
    machine.write("lib/default.nix", "import ../toy.nix")
    machine.write("x.nix", 'with import <mine>; archive "found"')
    assert len(build(machine, "x.nix", "-I", f"mine={machine.work}/lib")) == 1
    machine.write("pkgs/default.nix", "{ ... }: { toy = import ../toy.nix; }")
    machine.write("y.nix", 'with (import <nixpkgs> { }).toy; archive "set"')
    assert len(build(machine, "y.nix", "-I", f"nixpkgs={machine.work}/pkgs")) == 1
    done = machine.nixdock("build", "y.nix", "--nixpkgs", "pkgs", "--no-out-link")
    assert done.status == 0, done.stderr
    assert "nixpkgs: pkgs (--nixpkgs)" in done.stderr


def test_settings_and_store_are_passed_on(machine: NixMachine) -> None:
    machine.write(
        "x.nix", r"""with import ./toy.nix; run "n" "printf '\\037\\213%s' $NIX_BUILD_CORES > $out" """
    )
    done = machine.nixdock(
        "build", "x.nix", "--option", "cores", "7", "-j", "1", "-k", "--builders", "", "--no-out-link"
    )
    assert done.status == 0, done.stderr
    file = machine.root / done.stdout.strip().removeprefix("/")
    assert file.read_bytes() == b"\x1f\x8b7"
    described = describe(machine, "x.nix", "--store", f"{machine.work}/root")
    assert (machine.work / "root" / described[0]["path"].removeprefix("/")).exists()


def test_an_image_says_its_name_and_its_form(machine: NixMachine) -> None:
    machine.write(
        "x.nix",
        'with import ./toy.nix; [ (archive "web") (program "stream") (run "plan.json" "echo {} > $out") ]',
    )
    entries = describe(machine, "x.nix")
    assert [entry["form"] for entry in entries] == ["archive", "script", "description"]
    assert [entry["image_name"] for entry in entries] == ["web", None, None]
    assert entries[0]["image_tag"] == "1"
    assert entries[0]["link"] is None


FLAKE = """{
  outputs = { self }:
    let toy = import ./toy.nix; system = "x86_64-linux"; in {
      packages.x86_64-linux = {
        default = toy.archive "default";
        web = toy.archive "web";
        several = { recurseForDerivations = true; a = toy.archive "a"; b = toy.archive "b"; };
      };
      other = toy.archive "other";
    };
}
"""


@pytest.fixture
def flake(machine: NixMachine) -> str:
    """A folder with a flake; pure evaluation knows no current system."""
    toy = (machine.work / "toy.nix").read_text().replace("builtins.currentSystem", '"x86_64-linux"')
    machine.write("a flake/toy.nix", toy)
    machine.write("a flake/flake.nix", FLAKE)
    return "a flake"


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["a flake"], ["default"]),
        (["a flake/flake.nix"], ["default"]),
        (["./a flake#web"], ["web"]),
        (["path:./a flake#"], ["default"]),
        (["./a flake#other"], ["other"]),
        (["./a flake#packages.x86_64-linux.web"], ["web"]),
        (["a flake", "-A", "web", "-A", "other"], ["web", "other"]),
        (["./a flake#several"], ["a", "b"]),
        (["./a flake#several", "-A", "b"], ["b"]),
    ],
)
def test_outputs_of_a_flake(machine: NixMachine, flake: str, words: list[str], names: list[str]) -> None:
    done = machine.nixdock("build", *words)
    assert done.status == 0, done.stderr
    paths = done.stdout.splitlines()
    assert [path.partition("-")[2] for path in paths] == names
    assert sorted(links_of(machine).values()) == sorted(paths)
    assert not (machine.work / flake / "flake.lock").exists()


def test_no_target_is_the_flake_of_the_folder(machine: NixMachine, flake: str) -> None:
    done = machine.run("sh", "-c", f"cd '{flake}' && exec nixdock build --no-out-link")
    assert done.status == 0, done.stderr
    assert done.stdout.strip().endswith("-default")
