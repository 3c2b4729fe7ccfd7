"""Building from local sources, and the small builders, in the offline package set."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from integration.offline.conftest import Images

MAKEFILE = """\
greet: main.c
\t$(CC) -g -O2 -o $@ $<
check: greet
\t./greet | grep greetings
install: greet
\tmkdir -p $(PREFIX)/bin && cp greet $(PREFIX)/bin
"""


def output(*words: str | Path) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def closure(path: Path) -> list[str]:
    return output("nix-store", "-qR", path).split()


@pytest.fixture
def project(images: Images) -> Path:
    """A C program whose greeting a patch changes."""
    folder = images.folder / "project"
    folder.mkdir()
    (folder / "main.c").write_text('#include <stdio.h>\nint main(void) { puts("greetings"); return 0; }\n')
    (folder / "Makefile").write_text(MAKEFILE)
    return folder


def test_a_c_program_is_built_checked_and_refers_to_the_c_library_alone(
    images: Images, project: Path
) -> None:
    file = images.write(
        """
        pkgs.stdenv.mkDerivation (finalAttrs: {
          pname = "greet";
          version = "1.0";
          src = ./project;
          postPatch = "substituteInPlace main.c --replace-fail greetings 'greetings of @version@'; "
            + "substituteAllInPlace main.c";
          makeFlags = [ "PREFIX=$(out)" ];
          doCheck = true;
          meta.mainProgram = finalAttrs.pname;
        })
        """,
    )
    path = images.build(file)

    assert output(path / "bin" / "greet") == "greetings of 1.0\n"
    assert [name.partition("-")[2].partition("-")[0] for name in closure(path)] == ["libc6", "greet"]
    images.check(file)


def test_attributes_can_be_overridden(images: Images, project: Path) -> None:
    file = images.write(
        """
        (pkgs.stdenv.mkDerivation {
          pname = "greet"; version = "1.0"; src = ./project; makeFlags = [ "PREFIX=$(out)" ];
        }).overrideAttrs (old: { version = "2.0"; postInstall = "ln -s greet $out/bin/hail"; })
        """,
    )
    path = images.build(file)

    assert path.name.endswith("-greet-2.0")
    assert output(path / "bin" / "hail") == "greetings\n"


def test_a_library_is_found_when_building_and_when_running(images: Images) -> None:
    (images.folder / "z.cc").write_text(
        "#include <zlib.h>\n#include <iostream>\nint main() { std::cout << zlibVersion() << std::endl; }\n",
    )
    path = images.build(
        images.write(
            """
            pkgs.stdenv.mkDerivation {
              name = "zversion";
              dontUnpack = true;
              buildInputs = [ pkgs.zlib pkgs.debian.zlib1g-dev ];
              buildPhase = "$CXX ${./z.cc} -lz -o zversion; ./zversion";
              installPhase = "install -Dm755 zversion $out/bin/zversion";
            }
            """,
        ),
    )

    assert output(path / "bin" / "zversion").startswith("1.")
    assert not [name for name in closure(path) if "-dev" in name or "g++" in name]


def test_a_python_program_runs_by_the_python_of_the_set(images: Images) -> None:
    (images.folder / "prog.py").write_text(
        '#!/usr/bin/env python3\nimport os\nprint(os.environ["GREETING"])\n'
    )
    path = images.build(
        images.write(
            """
            pkgs.stdenv.mkDerivation {
              name = "prog";
              dontUnpack = true;
              buildInputs = [ pkgs.python3 ];
              nativeBuildInputs = [ pkgs.makeWrapper ];
              installPhase = ''
                install -Dm755 ${./prog.py} $out/bin/prog
                wrapProgram $out/bin/prog --set GREETING "it's me"
              '';
            }
            """,
        ),
    )

    assert output(path / "bin" / "prog") == "it's me\n"
    assert (path / "bin" / ".prog-wrapped").read_text().startswith("#!/nix/store/")


def test_the_small_builders(images: Images) -> None:
    path = images.build(
        images.write(
            """
            let hi = pkgs.writeShellScriptBin "hi" "echo hi"; in
            pkgs.linkFarm "all" {
              text = pkgs.writeText "text" "some text";
              joined = pkgs.symlinkJoin {
                name = "j";
                paths = [ pkgs.hello hi ];
                postBuild = "touch $out/built";
              };
              env = pkgs.buildEnv { name = "e"; paths = [ pkgs.hello hi ]; pathsToLink = [ "/bin" ]; };
              info = pkgs.closureInfo { rootPaths = [ pkgs.hello ]; };
              app = pkgs.writeShellApplication {
                name = "app";
                runtimeInputs = [ pkgs.hello ];
                text = "hello";
              };
              command = pkgs.runCommand "c" { x = "42"; } "echo $x > $out";
              own = pkgs.stdenv.mkDerivation {
                name = "own";
                unpackPhase = "echo unpacked > file";
                installPhase = "cp file $out";
              };
            }
            """,
        ),
    )

    assert (path / "text").read_text() == "some text"
    assert sorted(entry.name for entry in (path / "joined").iterdir()) >= ["bin", "built"]
    assert output(path / "joined/bin/hi") == "hi\n"
    assert sorted(entry.name for entry in (path / "env/bin").iterdir()) == ["hello", "hi"]
    assert "-libc6-" in (path / "info/store-paths").read_text()
    assert output(path / "app/bin/app") == "Hello, world!\n"
    assert (path / "command").read_text() == "42\n"
    assert (path / "own").read_text() == "unpacked\n"


def test_sources_without_what_git_ignores(images: Images) -> None:
    folder = images.folder / "tree"
    ignored = "*.log\n!keep.log\n/build\nmodules/\ndoc/**/x\n"
    texts = {".gitignore": ignored, "a/.gitignore": "own\n"}
    kept = ["keep.log", "a/build/f", "doc/p/y"]
    for name in (
        *texts,
        *kept,
        "a/x.log",
        "build/f",
        "modules/f",
        "doc/p/q/x",
        "a/own",
        "given",
        ".git/HEAD",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(texts.get(name, ""))
    path = images.build(
        images.write(
            """
            let inherit (pkgs.nix-gitignore) gitignoreRecursiveSource gitignoreSource; in
            pkgs.linkFarm "sources" {
              top = gitignoreSource [ "given" ] ./tree;
              all = gitignoreRecursiveSource "given" ./tree;
            }
            """,
        ),
    )

    def found(root: Path) -> list[str]:
        return sorted(str(file.relative_to(root)) for file in root.rglob("*") if file.is_file())

    assert found((path / "all").resolve()) == sorted([*texts, *kept])
    assert found((path / "top").resolve()) == sorted([*texts, *kept, "a/own"])


def test_overlays_and_call_package_see_the_finished_set(images: Images) -> None:
    file = images.folder / "overlay.nix"
    file.write_text(
        """
        let
          overlay = final: prev: { greeting = "over " + final.hello.pname; };
          pkgs = import <nixpkgs> { overlays = [ overlay ]; };
        in
        {
          text = pkgs.greeting;
          called = (pkgs.callPackage ({ greeting, n ? 1 }: { inherit greeting n; }) { n = 2; }).n;
        }
        """,
    )

    assert images.evaluate(file, "text") == "over hello"
    assert images.evaluate(file, "called") == 2


def test_a_static_program_runs_from_an_image_that_has_nothing_else(images: Images) -> None:
    file = images.write(
        """
        pkgs.pkgsStatic.dockerTools.buildImage {
          name = "static";
          tag = "1";
          config.Cmd = [ "${pkgs.pkgsStatic.hello}/bin/hello" ];
        }
        """,
    )
    [reference] = images.load(file)

    assert images.run(reference) == "Hello, world!\n"
    hello = images.build(images.write("pkgs.pkgsStatic.hello", "hello.nix"))
    assert closure(hello) == [str(hello)]


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("pkgs.pkgsStatic.jq", "Debian has no jq for musl"),
        (
            'pkgs.fetchFromGitHub { owner = "o"; repo = "r"; hash = ""; }',
            "fetchFromGitHub: give one of `tag` and `rev`",
        ),
        ('pkgs.stdenv.mkDerivation { name = "x"; meta.broken = true; }', "x is marked as broken"),
        ("pkgs.stdenvNoCC.cc", "stdenvNoCC has no C compiler; use stdenv"),
    ],
)
def test_what_the_set_does_not_have_is_said(expression: str, sentence: str, images: Images) -> None:
    assert sentence in images.refuse(expression)
