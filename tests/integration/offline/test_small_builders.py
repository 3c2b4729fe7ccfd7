"""The small builders as nixpkgs has them: what they make, and what an expression may ask of it."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from integration.offline.conftest import Images

ROWS = """
let
  text = pkgs.writeText "text" "one";
  web = pkgs.writeTextDir "web/index.html" "<p>page</p>";
in
{
  # Other attributes.
  changed = text.overrideAttrs (old: { text = old.text + " two"; meta.description = "described"; });
  checked = (pkgs.writeShellScriptBin "hi" "echo hi").overrideAttrs (final: old: {
    checkPhase = "grep -q hi $target && printf ' # checked' >> $target";
  });
  joinedAgain = (pkgs.symlinkJoin {
    name = "again";
    paths = [ pkgs.hello ];
    nativeBuildInputs = [ pkgs.makeWrapper ];
    postBuild = "wrapProgram $out/bin/hello --add-flags '-g wrapped'";
  }).overrideAttrs (old: { postBuild = old.postBuild + "; touch $out/more"; });
  # An entry goes to its end of a list and is in it once; what was there stays.
  listed = pkgs.runCommandLocal "listed" { nativeBuildInputs = [ pkgs.makeWrapper ]; } ''
    makeWrapper ${pkgs.coreutils}/bin/printenv $out --prefix PATH : /one/bin --prefix PATH : /two/bin \
      --suffix PATH : /usr/bin --prefix OTHER , "a b" --suffix OTHER , "it's"
  '';
  farm = (pkgs.linkFarm "farm" { a = text; "b/c" = ./root; }).overrideAttrs { postBuild = "ls $out > list"; };
  image = (dockerTools.buildImage { name = "changed"; }).overrideAttrs (old: {
    passthru = old.passthru // { mine = "1"; };
  });

  # What is beside the expression, strings, what is null.
  joined = pkgs.symlinkJoin { pname = "joined"; version = "1"; paths = [ ./root "${text.overrideAttrs
    { destination = "/share/text"; }}" null ]; };
  stripped = pkgs.symlinkJoin { name = "stripped"; paths = [ web ]; stripPrefix = "/web"; };
  env = pkgs.buildEnv { name = "env"; paths = [ ./root pkgs.hello "${web}" ]; manifest = text; };
  envBin = (pkgs.buildEnv { name = "env"; paths = [ ./root pkgs.hello ]; }).override {
    pathsToLink = [ "/bin" ];
  };
  closure = pkgs.buildEnv { name = "closure"; paths = [ pkgs.hello ]; includeClosures = true; };
  copied = pkgs.copyPathToStore ./root;
  onlyBin = pkgs.onlyBin pkgs.hello;

  named = pkgs.writeTextFile { pname = "named"; version = "2"; text = "x"; derivationArgs.more = "1"; };
  application = pkgs.writeShellApplication { name = "app"; text = ''echo "$PATH"''; inheritPath = false; };
  compressed = pkgs.compressDrvWeb web { };
  references = pkgs.writeDirectReferencesToFile (pkgs.writeText "refers" "${text} ${web}");
  replaced = pkgs.substitute {
    src = ./root/etc/motd;
    substitutions = [ "--replace-fail" "welcome" "farewell" ];
  };
}
"""


@pytest.fixture
def rows(images: Images) -> Path:
    (images.folder / "root/etc").mkdir(parents=True)
    (images.folder / "root/etc/motd").write_text("welcome\n")
    return images.write(ROWS, "rows.nix")


def run(*words: str | Path) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_what_they_make(images: Images, rows: Path) -> None:
    paths = "builtins.mapAttrs (_: row: row) (import ./rows.nix { })"
    built = images.build(
        images.write(f'pkgs.linkFarm "rows" ({paths})', "all.nix"),
    )

    def names(row: str) -> list[str]:
        return sorted(run("find", "-L", built / row, "-type", "f", "-printf", "%P\\n").split())

    assert (built / "changed").read_text() == "one two"
    assert (built / "checked/bin/hi").read_text().endswith("echo hi\n # checked")
    assert run(built / "joinedAgain/bin/hello") == "wrapped\n"
    assert (built / "joinedAgain/more").exists()
    listed = subprocess.run(
        [built / "listed", "PATH", "OTHER"],
        env={"PATH": "/one/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert listed.stdout == "/two/bin:/one/bin:/bin:/usr/bin\na b,it's\n"
    assert (built / "farm/b/c/etc/motd").read_text() == "welcome\n"
    assert names("joined") == ["etc/motd", "share/text"]
    assert names("stripped") == ["index.html"]
    assert {"manifest", "etc/motd", "bin/hello", "web/index.html"} <= set(names("env"))
    assert [path.name for path in (built / "envBin").iterdir()] == ["bin"]
    assert [name for name in names("closure") if name.endswith("/libc.so.6")]
    assert names("copied") == ["etc/motd"]
    assert [path.name for path in (built / "onlyBin").iterdir()] == ["bin"]
    assert run("/bin/sh", "-c", f"unset PATH; {built}/application/bin/app") == "\n"
    assert sorted(path.name for path in (built / "compressed/web").iterdir()) == [
        "index.html",
        "index.html.br",
        "index.html.gz",
    ]
    assert [line.partition("-")[2] for line in (built / "references").read_text().split()] in (
        ["text", "index.html"],
        ["index.html", "text"],
    )
    assert (built / "replaced").read_text() == "farewell\n"


def test_what_an_expression_asks_of_them(images: Images, rows: Path) -> None:
    asked = """
    let
      rows = import ./rows.nix { };
      changed = import <nixpkgs> {
        config = { pkgs }: {
          allowUnfree = true;
          packageOverrides = super: { mine = super.hello.pname; };
        };
        overlays = [ (final: prev: { two = prev.mine + "!"; }) ];
      };
    in
    {
      described = rows.changed.meta.description;
      name = rows.named.name;
      inherit (rows.named) pname;
      version = rows.joined.version;
      mine = rows.image.mine;
      tag = rows.image.imageTag == (dockerTools.buildImage { name = "changed"; }).imageTag;
      passthru = rows.image.passthru.imageName;
      outputs = rows.env.meta.outputsToInstall;
      inherit (changed) two;
      free = [ changed.config.allowUnfree changed.config.allowBroken pkgs.config.allowUnfree ];
      top = (import <nixpkgs/pkgs/top-level> { }).hello.pname;
      shell = (dockerTools.override { bashInteractive = pkgs.busybox; }).binSh.bash
        == "${pkgs.busybox}/bin/bash";
      set = (pkgs.recurseIntoAttrs { a = 1; }).recurseForDerivations;
    }
    """
    file = images.write(asked, "asked.nix")
    answer = images.by_hand(
        f"nix-instantiate --eval --strict --json {file} --arg pkgs 'import <nixpkgs> {{ }}'"
    )
    assert answer.returncode == 0, answer.stderr
    told: dict[str, Any] = json.loads(answer.stdout)
    assert told == {
        "described": "described",
        "name": "named-2",
        "pname": "named",
        "version": "1",
        "mine": "1",
        "tag": True,
        "passthru": "changed",
        "outputs": ["out"],
        "two": "hello!",
        "free": [True, False, False],
        "top": "hello",
        "shell": True,
        "set": True,
    }


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("pkgs.nixosTest { }", "nixosTest: there are no NixOS modules in the offline package set"),
        ("dockerTools.tests.docker-tools", "nixosTests: there are no NixOS modules"),
        (
            "import <nixpkgs/nixos/lib/eval-config.nix> { }",
            "the offline package set has no NixOS: its packages",
        ),
        (
            "import <nixpkgs/nixos/modules/profiles/minimal.nix>",
            "the offline package set has no file nixos/modules/profiles/minimal.nix",
        ),
        ("pkgs.vmTools.runInLinuxVM pkgs.hello", "vmTools: it starts a virtual machine"),
        ("pkgs.pkgsi686Linux.hello", "pkgsi686Linux: it is made of packages for 32 bits"),
        ('pkgs.writeText "a" { }', "writeTextFile of a: the text must be a string, but it is a set"),
    ],
)
def test_what_is_not_there_says_why(expression: str, sentence: str, images: Images) -> None:
    assert sentence in " ".join(images.refuse(expression).split())
