"""Debian's packages as store paths: what they refer to, how they are fetched, and what can go wrong."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from support import nix

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.nix import Ended, NixMachine


@pytest.fixture(scope="module")
def machine(shared_cache: Path) -> Iterator[NixMachine]:
    """A machine with the installed Nix, an empty store and the offline set."""
    with nix.machine("debian-12") as made:
        made.environment["NIXDOCK_CACHE_DIR"] = str(shared_cache)
        made.environment["NIX_PATH"] = ""
        done = made.nixdock("env", "--json", "--nixpkgs", "offline")
        assert done.status == 0, done.stderr
        made.environment.update(json.loads(done.stdout))
        yield made


def build(machine: NixMachine, *attributes: str, more: tuple[str, ...] = ()) -> list[str]:
    words = [word for attribute in attributes for word in ("-A", attribute)]
    done = machine.run("nix-build", "<nixpkgs>", "--no-out-link", *words, *more)
    assert done.status == 0, done.stderr
    return done.stdout.split()


def ask(machine: NixMachine, expression: str) -> Ended:
    text = f"with import <nixpkgs> {{ }}; {expression}"
    return machine.run("nix-instantiate", "--eval", "--json", "--strict", "-E", text)


def requisites(machine: NixMachine, path: str) -> list[str]:
    done = machine.run("nix-store", "--query", "--requisites", path)
    return [line.split("-", 1)[1] for line in done.stdout.split()]


def test_hello_is_hello_and_the_c_library(machine: NixMachine) -> None:
    (hello,) = build(machine, "hello")
    names = requisites(machine, hello)
    assert len(names) == 2
    assert names[0].startswith("libc6-")
    assert names[1].startswith("hello-")
    assert machine.run(f"{hello}/bin/hello").stdout == "Hello, world!\n"


def test_only_what_it_depends_on_is_fetched(machine: NixMachine) -> None:
    drv = machine.run("nix-instantiate", "<nixpkgs>", "-A", "hello").stdout.strip()
    wanted = {name for name in requisites(machine, drv) if name.endswith(".deb.drv")}
    builder = json.loads(ask(machine, 'builtins.readFile (<nixpkgs> + "/lock/amd64/index.json")').stdout)
    made_of = set(json.loads(builder)["bootstrap"]["python"])
    others = {name for name in wanted if not any(name.startswith(f"{one}-") for one in made_of)}
    # Its own dependencies, and the essential shell with the library that it needs.
    assert {name.split("-")[0] for name in others} == {"hello", "bash", "libtinfo6", "ncurses"}


@pytest.mark.slow
def test_building_again_gives_the_same(machine: NixMachine) -> None:
    attributes = (
        "hello",
        "bash",
        "coreutils",
        "python3",
        "perl",
        "git",
        "openssl",
        "busybox",
        "cacert",
        "gcc",
    )
    build(machine, *attributes)
    build(machine, *attributes, more=("--check",))


def test_the_first_builder_is_the_same_twice(machine: NixMachine) -> None:
    drv = machine.run("nix-instantiate", "<nixpkgs>", "-A", "hello").stdout.strip()
    every = machine.run("nix-store", "--query", "--requisites", drv).stdout.split()
    (python,) = [one for one in every if one.endswith("-builder-python.drv")]
    build(machine, "hello")
    done = machine.run("nix-store", "--realise", "--check", python)
    assert done.status == 0, done.stderr


def test_packages_in_a_circle_are_one_store_path(machine: NixMachine) -> None:
    done = ask(machine, 'map (name: debian.${name}.outPath) [ "nodejs" "node-acorn" "libc6" "libgcc-s1" ]')
    nodejs, acorn, libc, libgcc = json.loads(done.stdout)
    assert nodejs == acorn
    assert libc == libgcc


def test_every_program_has_a_package(machine: NixMachine) -> None:
    expression = (
        "let names = file: arguments: builtins.attrNames (import (<nixpkgs/packages> + file) arguments);"
        ' all = names "/programs.nix" { inherit lib; debian.package = name: name; }'
        ' ++ names "/renamed.nix" { final = pkgs; debian.package = name: name; from = name: _: name; };'
        " in builtins.length (builtins.filter (name: pkgs.${name}.drvPath != null) all)"
    )
    done = ask(machine, expression)
    assert done.status == 0, done.stderr
    assert int(done.stdout) > 480


def test_what_expressions_ask_of_a_package(machine: NixMachine) -> None:
    expression = (
        "{ inherit (hello) pname name version type; inherit (hello.meta) description mainProgram;"
        ' exe = lib.getExe gnugrep == "${gnugrep}/bin/grep"; same = "${hello.out}" == "${hello}";'
        ' named = hello.name == "hello-${hello.version}"; derivation = lib.isDerivation hello; }'
    )
    found = json.loads(ask(machine, expression).stdout)
    assert found == {
        "pname": "hello",
        "name": "hello-2.10",
        "version": "2.10",
        "type": "derivation",
        "description": "example package based on GNU hello",
        "mainProgram": "hello",
        "exe": True,
        "same": True,
        "named": True,
        "derivation": True,
    }


def test_licences_are_as_debian_records_them(machine: NixMachine) -> None:
    text = ask(machine, "map (one: one.meta.license.spdxId) [ jq curl hello ]").stdout
    # What is not plain has no identifier, which is no error.
    assert json.loads(text) == ["MIT", "curl", None]
    done = ask(
        machine, "[ jq.meta.license.free (lib.meta.availableOn stdenv.hostPlatform jq) jq.meta.unfree ]"
    )
    assert json.loads(done.stdout) == [True, True, False]


def test_nix_itself_says_names_like_one_that_is_not_there(machine: NixMachine) -> None:
    set_lacks = ask(machine, "pkgs.helo.outPath")
    assert set_lacks.status != 0
    assert "attribute 'helo' missing" in set_lacks.stderr
    # Of so many names a handful is like it.
    assert re.search(r"Did you mean one of hello, .*\?", set_lacks.stderr)
    debian_lacks = ask(machine, "debian.cowsayy.outPath")
    assert debian_lacks.status != 0
    assert "attribute 'cowsayy' missing" in debian_lacks.stderr
    assert re.search(r"Did you mean .*\bcowsay\b", debian_lacks.stderr)


@pytest.mark.parametrize(
    ("attribute", "warning"),
    [
        ("override { withFoo = true; }", "override { withFoo } changes nothing of it"),
        ("override (old: { withFoo = true; })", "override { withFoo } changes nothing of it"),
        ("override { }", None),
        ("overrideAttrs (old: { patches = old.patches ++ [ ./fix.patch ]; })", "overrideAttrs { patches }"),
        ('overrideAttrs (old: { version = "9"; src = ./.; })', "overrideAttrs { src } changes nothing of it"),
        (
            'overrideAttrs { configureFlags = [ "--x" ]; doCheck = false; }',
            "overrideAttrs { configureFlags }",
        ),
        ("overrideAttrs (old: { doCheck = false; meta = old.meta; })", None),
    ],
)
def test_other_options_change_nothing_and_that_is_said(
    machine: NixMachine, attribute: str, warning: str | None
) -> None:
    done = ask(machine, f"let it = hello.{attribute}; in [ (it.outPath == hello.outPath) it.version ]")
    assert json.loads(done.stdout) == [True, "2.10"]
    if warning is None:
        assert "warning" not in done.stderr
    else:
        assert f"hello: Debian's program as it is (hello-2.10); {warning}" in done.stderr
        assert "--nixpkgs PATH" in done.stderr


def test_another_architecture_is_refused_in_a_sentence(machine: NixMachine) -> None:
    done = ask(machine, '(import <nixpkgs> { system = "riscv64-linux"; }).hello.outPath')
    assert "builds with this machine's own programs, of Debian for amd64, not on riscv64-linux" in done.stderr


@pytest.fixture
def copy(machine: NixMachine) -> Iterator[Path]:
    """A copy of the offline set, to be changed."""
    target = machine.work / "copy"
    source = machine.environment["NIX_PATH"].split(":")[0].removeprefix("nixpkgs=")
    subprocess.run(["cp", "-rL", source, target], check=True)
    yield target
    subprocess.run(["rm", "-rf", target], check=True)


def change(copy: Path, name: str, key: str, value: str) -> None:
    """Change what the lock says of a package."""
    for shard in sorted((copy / "lock/amd64").glob("???.json")):
        data = json.loads(shard.read_text())
        if name in data:
            data[name][key] = value
            shard.write_text(json.dumps(data))
            return
    raise AssertionError(name)


def test_another_mirror_gives_the_same_store_path(machine: NixMachine, copy: Path) -> None:
    (hello,) = build(machine, "hello")
    change(copy, "hello", "uri", "http://mirror.invalid/hello.deb")
    done = machine.run("nix-build", copy, "-A", "hello", "--no-out-link")
    assert done.stdout.strip() == hello
    assert "building" not in done.stderr


def test_a_deb_with_another_hash_is_refused(machine: NixMachine, copy: Path) -> None:
    name = json.loads(ask(machine, "debian.sl.name").stdout)
    change(copy, "sl", "sha256", "0" * 64)
    done = machine.run("nix-build", copy, "-A", "debian.sl", "--no-out-link")
    assert done.status != 0
    assert "hash mismatch in fixed-output derivation" in done.stderr
    # Nix keeps the file under the hash that it has; nothing is made of it.
    assert not [path for path in (machine.root / "nix/store").iterdir() if path.name.endswith(f"-{name}")]


def test_a_version_that_the_mirror_has_no_longer(machine: NixMachine, copy: Path) -> None:
    change(copy, "figlet", "uri", f"file://{copy}/gone/figlet.deb")
    done = machine.run("nix-build", copy, "-A", "debian.figlet", "--no-out-link")
    assert done.status != 0
    assert "unable to download" in done.stderr


def test_missing_lists_of_apt_are_one_sentence(machine: NixMachine, tmp_path: Path) -> None:
    for name in ("etc/apt.conf.d", "state/lists/partial"):
        (tmp_path / name).mkdir(parents=True)
    configuration = tmp_path / "apt.conf"
    configuration.write_text(f'Dir::Etc "{tmp_path}/etc";\nDir::State "{tmp_path}/state";\n')
    machine.write("hello.nix", "(import <nixpkgs> { }).hello")
    env = {"APT_CONFIG": str(configuration), "NIX_PATH": None, "NIXDOCK_CACHE_DIR": str(tmp_path / "cache")}
    done = machine.nixdock("build", "hello.nix", env=env)
    assert done.status == 120
    assert "nixdock: apt has no package lists on this machine\n" in done.stderr
    assert "hint: run `apt-get update` as root" in done.stderr
    assert not (tmp_path / "cache/nixpkgs/sets").exists()


def test_programs_find_their_files_whatever_their_environment(machine: NixMachine) -> None:
    (git,) = build(machine, "git")
    program = f"{git}/bin/git"
    assert machine.run("env", "-i", program, "--exec-path").stdout.strip() == f"{git}/lib/git-core"
    given = machine.run(program, "--exec-path", env={"GIT_EXEC_PATH": "/mine"})
    assert given.stdout.strip() == "/mine"


def test_terminals_are_found_in_the_store(machine: NixMachine) -> None:
    (programs,) = build(machine, "ncurses")
    done = machine.run("env", "-i", "TERM=xterm-256color", f"{programs}/bin/infocmp")
    assert "-t/x/xterm-256color" in done.stdout.splitlines()[0]
