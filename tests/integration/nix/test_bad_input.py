"""What is wrong with an expression or a build is one sentence and a status, and leaves nothing behind."""

from __future__ import annotations

import functools
import http.server
import re
import threading
from typing import TYPE_CHECKING

import pytest

from support.nix import PROGRAM

if TYPE_CHECKING:
    from pathlib import Path

    from support.nix import NixMachine


def fail(
    machine: NixMachine, *words: str | Path, status: int = 120, env: dict[str, str] | None = None
) -> str:
    """Run a build that must fail; return what it says, from the sentence on."""
    before = sorted(machine.work.rglob("*"))
    done = machine.nixdock("build", *words, env=env)
    assert done.status == status, (done.stdout, done.stderr)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert sorted(machine.work.rglob("*")) == before
    said = done.stderr[done.stderr.rindex("nixdock: ") :]
    assert "nixdock/nix" not in said
    return said


def test_a_missing_file(machine: NixMachine) -> None:
    machine.write("hello-docker.nix", "1")
    assert fail(machine, "helo-docker.nix", status=2) == (
        "nixdock: there is no file 'helo-docker.nix'\nhint: did you mean hello-docker.nix?\n"
    )


def test_a_syntax_error(machine: NixMachine) -> None:
    machine.write("x.nix", "{\n  a = ;\n}\n")
    assert re.fullmatch(
        r"nixdock: x\.nix:2:7: syntax error, unexpected ';'.*\n  1 \| \{\n  2 \|   a = ;\n    \|       \^\n",
        fail(machine, "x.nix"),
    )


def test_an_undefined_variable(machine: NixMachine) -> None:
    machine.write("my dir/x.nix", 'with { };\n"${nothing}"\n')
    assert fail(machine, "my dir/x.nix").startswith(
        "nixdock: my dir/x.nix:2:4: undefined variable 'nothing'\n"
    )


def test_an_error_below_the_file_names_the_place(machine: NixMachine) -> None:
    machine.write("lib.nix", '{ name }:\nthrow "no ${name} today"\n')
    machine.write("x.nix", 'import ./lib.nix { name = "image"; }\n')
    assert re.match(r"nixdock: (lib\.nix:[12]|x\.nix:1):\d+: no image today\n", fail(machine, "x.nix"))


def test_an_error_in_the_package_set_names_the_place_in_the_users_file(machine: NixMachine) -> None:
    machine.write("set/default.nix", '{ ... }: { hello = throw "there is no hello in this set"; }\n')
    env = {"NIX_PATH": f"nixpkgs={machine.work}/set"}
    machine.write(
        "x.nix",
        """let
  pkgs = import <nixpkgs> { };
in
derivation {
  name = "image";
  system = builtins.currentSystem;
  builder = "${pkgs.hello}/bin/hello";
}
""",
    )
    said = fail(machine, "x.nix", env=env)
    # Nix 2.8 knows the derivation, not the attribute.
    assert re.match(r"nixdock: x\.nix:[57]:3: there is no hello in this set\n", said)
    # Where Nix tells no place in the user's file, the file is told.
    machine.write("y.nix", 'let\n  pkgs = import <nixpkgs> { };\nin\n"${pkgs.hello}"\n')
    assert fail(machine, "y.nix", env=env) == "nixdock: y.nix: there is no hello in this set\n"


def test_all_frames_are_there_for_who_asks(machine: NixMachine) -> None:
    machine.write("x.nix", "let f = a: a.b; in f { }\n")
    done = machine.nixdock("build", "x.nix", "--show-trace")
    assert done.status == 120
    assert "x.nix:1:20" in done.stderr


def test_an_attribute_that_is_not_there(machine: NixMachine) -> None:
    machine.write("x.nix", 'with import ./toy.nix; { web = archive "web"; deep.database = archive "db"; }')
    assert fail(machine, "x.nix", "-A", "wbe") == (
        "nixdock: x.nix has no attribute 'wbe'\nhint: did you mean -A web?\n"
    )
    assert fail(machine, "x.nix", "-A", "deep.databse") == (
        "nixdock: deep of x.nix has no attribute 'databse'\nhint: did you mean -A deep.database?\n"
    )
    assert fail(machine, "x.nix", "-A", "web.name.x") == (
        "nixdock: web.name of x.nix is a string, so it has no attribute 'x'\n"
    )
    machine.write("one.nix", 'with import ./toy.nix; archive "web"')
    assert fail(machine, "one.nix", "-A", "web") == (
        "nixdock: one.nix has no attribute 'web'\n"
        "hint: one.nix is one derivation, not a set of them: leave -A out\n"
    )


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("1 + 1", "the expression is not an image: it is a number (2)"),
        ('"text"', 'the expression is not an image: it is a string ("text")'),
        ("x: x", "the expression is not an image: it is a function"),
        ("null", "the expression is not an image: it is null"),
        ("{ a = 1; }", "the expression is not an image: it is a set (a) without a derivation in it"),
        ("[ ]", "the expression is not an image: it is an empty list"),
        ("[ 1 ]", "0 of the expression is not an image: it is a number (1)"),
    ],
)
def test_a_value_that_is_no_image(machine: NixMachine, expression: str, sentence: str) -> None:
    assert fail(machine, "-E", expression).startswith(f"nixdock: {sentence}\n")


def test_a_derivation_that_makes_no_image(machine: NixMachine) -> None:
    machine.write(
        "x.nix", 'with import ./toy.nix; { text = run "text" "echo hello > $out"; web = archive "w"; }'
    )
    said = fail(machine, "x.nix", "-A", "text")
    assert re.match(
        r"nixdock: text of x\.nix is not an image: /nix/store/\w{32}-text is a text file of 6 bytes\n", said
    )
    # Built by now, and still no image.
    assert fail(machine, "x.nix", "-A", "text") == said
    # One that is none spoils the links of all.
    assert "text of x.nix is not an image" in fail(machine, "x.nix")


def test_an_argument_without_default(machine: NixMachine) -> None:
    machine.write("x.nix", '{ name, tag ? "1", other }: (import ./toy.nix).archive name')
    assert fail(machine, "x.nix", "--argstr", "other", "x") == (
        "nixdock: x.nix:1:3: x.nix is a function whose argument 'name' has no default\n"
        "hint: --argstr name TEXT (or --arg NAME NIX for other values)\n"
    )
    assert "arguments 'name' and 'other' have no default" in fail(machine, "x.nix")


def test_a_call_with_other_arguments_than_the_function_takes(machine: NixMachine) -> None:
    machine.write("set/default.nix", "{ ... }: { image = { name, tag ? null }: throw name; }\n")
    machine.write("lacks.nix", "with import <nixpkgs> { };\nimage { }\n")
    machine.write("has.nix", 'with import <nixpkgs> { };\nimage { name = "a"; tga = "b"; }\n')
    env = {"NIX_PATH": f"nixpkgs={machine.work}/set"}
    lacks = fail(machine, "lacks.nix", env=env)
    assert lacks.startswith("nixdock: lacks.nix:2:1: the function 'image' needs an argument 'name'\n")
    assert fail(machine, "has.nix", env=env) == (
        "nixdock: has.nix:2:1: the function 'image' takes no argument 'tga'\n"
        "  1 | with import <nixpkgs> { };\n"
        '  2 | image { name = "a"; tga = "b"; }\n'
        "    | ^\n"
        "hint: did you mean tag?\n"
    )


def test_a_fault_in_the_value_of_an_argument(machine: NixMachine) -> None:
    machine.write("x.nix", "{ name }: name")
    assert fail(machine, "x.nix", "--arg", "name", "web") == (
        "nixdock: --arg: undefined variable 'web'\nhint: --argstr NAME TEXT gives a text as it is\n"
    )
    assert fail(machine, "x.nix", "--arg", "name", "1 +").startswith("nixdock: --arg: syntax error")


def test_arguments_for_a_flake(machine: NixMachine) -> None:
    machine.write("flake/flake.nix", "{ outputs = { self }: { }; }")
    assert "a flake takes none" in fail(machine, "./flake", "--argstr", "a", "b", status=2)


def test_an_output_that_a_flake_does_not_have(machine: NixMachine) -> None:
    machine.write(
        "flake/flake.nix", "{\n  outputs = { self }: {\n    image = 1;\n    bad = self.x;\n  };\n}\n"
    )
    said = fail(machine, "./flake#imaeg")
    assert "does not provide attribute" in said
    assert said.endswith("hint: did you mean image?\n")
    assert fail(machine, "./flake#nope").endswith("hint: there is: ./flake#bad, ./flake#image\n")
    assert fail(machine, "./flake#image").startswith(
        "nixdock: ./flake#image is not an image: it is a number (1)\n"
    )
    assert fail(machine, "./flake#bad").startswith("nixdock: flake/flake.nix:4:11: attribute 'x' missing\n")
    machine.write("flake/flake.nix", "{ outputs = { self }: { packages.riscv64-linux.default = 1; }; }")
    assert fail(machine, "./flake").endswith(
        "hint: its packages are for riscv64-linux; this is x86_64-linux\n"
    )


def test_a_failing_builder(machine: NixMachine) -> None:
    machine.write(
        "x.nix",
        'with import ./toy.nix; run "image" "for i in 1 2 3; do echo line $i; done; exit 7"',
    )
    said = fail(machine, "x.nix")
    assert said.startswith(
        "nixdock: building image failed: the builder failed with exit code 7\n"
        "  image> line 1\n  image> line 2\n  image> line 3\n"
        "hint: the whole log: nix log /nix/store/"
    )
    derivation = re.findall(r"nix-store --read-log (\S+)", said)[0]
    assert machine.run("nix-store", "--read-log", derivation).stdout == "line 1\nline 2\nline 3\n"


def test_a_file_that_the_server_has_no_more(machine: NixMachine, tmp_path: Path) -> None:
    machine.write("x.nix", _FETCH)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        threading.Thread(target=site.serve_forever).start()
        uri = f"http://127.0.0.1:{site.server_port}/hello_1_amd64.deb"
        said = fail(machine, "x.nix", "--argstr", "uri", uri)
        site.shutdown()
    assert said.startswith(f"nixdock: {uri} does not exist (any more): HTTP error 404")
    assert "apt-get update" in said


_FETCH = """
{ uri }:
derivation {
  name = "hello.deb";
  system = "builtin";
  builder = "builtin:fetchurl";
  url = uri;
  outputHashMode = "flat";
  outputHashAlgo = "sha256";
  outputHash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
}
"""


def test_something_else_in_the_links_place(machine: NixMachine) -> None:
    machine.write("x.nix", 'with import ./toy.nix; archive "image"')
    machine.write("result", "mine")
    said = fail(machine, "x.nix")
    assert "'" + str(machine.work / "result") + "' is in the way" in said
    assert (machine.work / "result").read_text() == "mine"


def test_a_folder_that_takes_no_link(machine: NixMachine) -> None:
    machine.write("x.nix", 'with import ./toy.nix; archive "image"')
    folder = machine.work / "read-only"
    script = f"mkdir {folder} && mount -t tmpfs -o ro tmpfs {folder} && cd {folder} && exec nixdock build"
    done = machine.run("unshare", "--mount", "sh", "-ec", f"{script} ../x.nix")
    assert (done.status, done.stdout) == (120, "")
    assert done.stderr.endswith(
        f"nixdock: the link '{folder}/result' cannot be made: Read-only file system\n"
        "hint: name another place for it: -o NAME, or make none: --no-out-link\n"
    )


def test_an_image_name_in_the_place_of_a_file(machine: NixMachine) -> None:
    assert fail(machine, "hello-docker:latest", status=2).startswith(
        "nixdock: there is no file 'hello-docker:latest', so it is an image's name, and those are not built\n"
    )


def test_what_is_built_already(machine: NixMachine) -> None:
    machine.write("image.tar.gz", "")
    assert "is built already" in fail(machine, "image.tar.gz", status=2)


def test_two_targets_at_once(machine: NixMachine) -> None:
    machine.write("x.nix", "1")
    assert "exclude each other" in fail(machine, "x.nix", "-E", "1", status=2)


def test_no_nix(machine: NixMachine) -> None:
    machine.write("x.nix", "1")
    done = machine.run("env", f"PATH={machine.work}", PROGRAM, "build", "x.nix")
    assert done.status == 120
    assert done.stderr.endswith("nixdock: Nix is not installed here\nhint: apt-get install nix-bin\n")


def test_a_store_that_is_read_only(machine: NixMachine) -> None:
    machine.write("x.nix", 'with import ./toy.nix; archive "image"')
    script = "mount -o remount,ro,bind /nix && exec nixdock build x.nix"
    done = machine.run("unshare", "--mount", "sh", "-c", script)
    assert done.status == 120
    assert "nixdock: the Nix store /nix/store is not writable" in done.stderr


def test_a_full_disk(machine: NixMachine) -> None:
    machine.write("x.nix", 'with import ./toy.nix; run "big" "head -c 200000000 /dev/zero > $out"')
    script = "mount -t tmpfs -o size=60m tmpfs /nix && exec nixdock build x.nix"
    done = machine.run("unshare", "--mount", "sh", "-c", script)
    assert done.status == 120
    assert "nixdock: the disk is full" in done.stderr
    assert "nix-collect-garbage" in done.stderr
