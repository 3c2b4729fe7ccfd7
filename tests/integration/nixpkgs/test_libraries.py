"""Programs are built with the libraries of the offline set as with nixpkgs', and run by themselves."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import nixdock.nixpkgs

if TYPE_CHECKING:
    from support.program import Nixdock


@dataclass(frozen=True)
class Built:
    """A C program that is built with a library.

    Args:
        name: Of its attribute.
        inputs: Its `buildInputs`.
        flags: What it is linked by.
        header: What it includes.
        version: What it prints, as an expression of C that is a string.
        libraries: The Debian packages that it refers to, besides the C library, without their versions.
    """

    name: str
    inputs: str
    flags: str
    header: str
    version: str
    libraries: tuple[str, ...]

    def __str__(self) -> str:
        return self.name

    def expression(self) -> str:
        text = (
            f"#include <{self.header}>\n#include <stdio.h>\n"
            f'int main(void) {{ printf("%s\\n", {self.version}); return 0; }}\n'
        )
        words = [json.dumps(self.name), f"[ {self.inputs} ]", json.dumps(self.flags), json.dumps(text)]
        return f"  {self.name} = build {' '.join(words)};"


PROGRAMS = [
    Built("zlib", "zlib", "-lz", "zlib.h", "zlibVersion()", ("zlib1g",)),
    Built("static", "zlib", "-static -lz", "zlib.h", "zlibVersion()", ()),
    Built(
        "openssl",
        "openssl",
        "$(pkg-config --cflags --libs openssl)",
        "openssl/ssl.h",
        'SSL_CTX_new(TLS_method()) ? "OpenSSL" : "none"',
        ("libssl3",),
    ),
    Built("ncurses", "ncurses", "-lncurses", "curses.h", "curses_version()", ("libtinfo6",)),
    Built("libpq", "libpq", "-lpq", "libpq-fe.h", 'PQlibVersion() > 0 ? "libpq" : ""', ("libpq5",)),
    Built("server", "postgresql", "-lpq", "libpq-fe.h", 'PQlibVersion() > 0 ? "libpq" : ""', ("libpq5",)),
    Built(
        "libxml2",
        "libxml2",
        "$(pkg-config --cflags --libs libxml-2.0)",
        "libxml/parser.h",
        'xmlReadMemory("<a/>", 4, 0, 0, 0) ? "a" : "none"',
        ("libxml2",),
    ),
    Built(
        "curl",
        "curl",
        "$(pkg-config --cflags --libs libcurl)",
        "curl/curl.h",
        "curl_version()",
        ("libcurl4",),
    ),
]

EXPECTED = {
    "zlib": "1.",
    "static": "1.",
    "openssl": "OpenSSL",
    "ncurses": "ncurses 6",
    "libpq": "libpq",
    "server": "libpq",
    "libxml2": "a",
    "curl": "libcurl/",
}

EXPRESSION = """
with import <nixpkgs> {{ }};
let
  build = name: buildInputs: flags: text: stdenv.mkDerivation {{
    inherit name buildInputs text;
    nativeBuildInputs = [ pkg-config ];
    passAsFile = [ "text" ];
    dontUnpack = true;
    # What is linked runs where it is built, too.
    buildPhase = "cp $textPath main.c; $CC -o program main.c ${{flags}}; ./program";
    installPhase = "install -D program $out/bin/program";
  }};
in
{{
{rows}
  copy = hello.overrideAttrs (old: {{
    pname = "greeter";
    nativeBuildInputs = old.nativeBuildInputs ++ [ makeWrapper ];
    postInstall = old.postInstall + ''
      mv $out/bin/hello $out/bin/greet
      makeWrapper $out/bin/greet $out/bin/program --add-flags "-g copied"
    '';
  }});
  tools = runCommand "tools" {{ nativeBuildInputs = [ curl openssl libxml2 ]; }} ''
    curl --version > $out; openssl version >> $out; xmllint --version 2>> $out
  '';
}}
"""

CHECK = """
with import <nixpkgs> {{ }};
stdenv.mkDerivation {{
  name = "check-libraries";
  nativeBuildInputs = [ pkg-config ];
  table = lib.concatMapStrings
    (name: "${{name}} ${{(lib.getAttrFromPath (lib.splitString "." name) pkgs).dev}}\\n")
    (lib.splitString " " "{names}");
  passAsFile = [ "table" ];
  dontUnpack = true;
  dontFixup = true;
  buildPhase = ''
    echo 'int main(void) {{ return 0; }}' > main.c
    check() (
      PKG_CONFIG_PATH= CMAKE_PREFIX_PATH= NIX_CFLAGS_COMPILE= NIX_LDFLAGS= pkgsHostTarget=() _seenInputs=()
      addInput $2 pkgsHostTarget
      for input in ''${{pkgsHostTarget[@]}}; do useInput $input 0 1; useLibraries $input; useData $input; done
      shopt -s nullglob
      cflags=
      for file in $2/lib/pkgconfig/*.pc $2/share/pkgconfig/*.pc; do
        name=$(basename $file .pc)
        if ! pkg-config --print-errors --exists $name > log 2>&1; then
          echo "$1: $name is not described: $(head -n 1 log)"
        elif ! gcc -o program main.c $(pkg-config --cflags --libs $name) > log 2>&1; then
          echo "$1: $name is not linked: $(grep -m 1 . log)"
        else
          cflags+=" $(pkg-config --cflags $name)"
        fi
      done
      for file in $2/include/*.h; do
        gcc -E -include stdio.h -include stdlib.h $cflags $file > log 2>&1 \\
          || gcc -E $cflags -x c++ $file > log 2>&1 \\
          || grep -q '#error' log || echo "$1: $(basename $file) is not read: $(grep -m 1 error: log)"
      done
    )
    while read -r name dev; do check $name $dev; done < $tablePath > $TMPDIR/found
    cp $TMPDIR/found $out
  '';
  installPhase = ":";
}}
"""

KNOWN = {
    # Headers and descriptions that Debian has without what they name.
    "gdal: cpl_minizip_unzip.h",
    "gdal: cpl_minizip_zip.h",
    "ncurses: nc_tparm.h",
    "ncurses: tic.h",
    "netcdf: netcdf_filter_build.h",
    "openjpeg: libopenjpip",
}


def build(nixdock: Nixdock, text: str) -> list[Path]:
    """Build an expression by hand, as a user of `nixdock env` does."""
    (nixdock.folder / "libraries.nix").write_text(text)
    environment = json.loads(nixdock("env", "--json", "--nixpkgs", "offline").stdout)
    done = subprocess.run(
        ["nix-build", "-o", "libraries", "libraries.nix"],
        cwd=nixdock.folder,
        env={**nixdock.environment, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [Path(line) for line in done.stdout.split()]


@pytest.fixture(scope="module")
def built(module_nixdock: Nixdock) -> dict[str, Path]:
    """All that one expression builds."""
    rows = "\n".join(one.expression() for one in PROGRAMS)
    paths = build(module_nixdock, EXPRESSION.format(rows=rows))
    return dict(zip(sorted([*(one.name for one in PROGRAMS), "copy", "tools"]), paths, strict=True))


def run(path: Path) -> str:
    return subprocess.run([path / "bin/program"], env={}, capture_output=True, text=True, check=True).stdout


def references(path: Path) -> set[str]:
    """The names of what a store path refers to, without their versions."""
    done = subprocess.run(
        ["nix-store", "-q", "--references", path], capture_output=True, text=True, check=True
    )
    names = (line.split("-", 1)[1] for line in done.stdout.split() if line != str(path))
    return {name.rpartition("-")[0] for name in names}


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_a_program_runs_with_the_libraries_that_it_was_built_with(
    built: dict[str, Path], program: Built
) -> None:
    path = built[program.name]
    assert run(path).startswith(EXPECTED[program.name])
    # Nothing of headers and descriptions stays behind.
    assert references(path) == {*program.libraries, *(["libc6"] if program.libraries else [])}


def test_a_package_that_is_to_have_more_steps_is_a_copy(built: dict[str, Path]) -> None:
    path = built["copy"]
    assert run(path) == "copied\n"
    assert "hello" not in {name for name in references(path) if not str(path).endswith(name)}


def test_programs_of_a_library_are_found_by_builds(built: dict[str, Path]) -> None:
    text = built["tools"].read_text()
    assert text.startswith("curl ")
    assert "OpenSSL 3" in text
    assert "xmllint" in text


SHELL = """
with import <nixpkgs> { };
derivation {
  name = "shell";
  inherit system;
  builder = "/bin/sh";
  # Without a PATH there are the tools of busybox, with one there is what it names.
  args = [ "-c" "mkdir $out; PATH=${xz}/bin; type xz tar > $out/found || true" ];
}
"""


def test_the_sandboxs_shell_takes_programs_from_path(module_nixdock: Nixdock) -> None:
    environment = json.loads(module_nixdock("env", "--json", "--nixpkgs", "offline").stdout)
    if "/path-not-set=" not in environment.get("NIX_CONFIG", ""):
        pytest.skip("the sandbox of this machine's Nix is configured")
    (path,) = build(module_nixdock, SHELL)
    assert re.fullmatch(r"xz is /nix/store/\S+/bin/xz\n", (path / "found").read_text())


def library_names() -> list[str]:
    """All names of the table of libraries."""
    text = (Path(nixdock.nixpkgs.__file__).parent / "packages/libraries.nix").read_text()
    xorg, table = text.partition("xorg = builtins")[2].split("  table = {")
    pattern = re.compile(r"^    ([\w-]+) = ", re.MULTILINE)
    return [
        *pattern.findall(table.partition("\nin\n")[0]),
        *(f"xorg.{name}" for name in pattern.findall(xorg)),
    ]


SOME = ["zlib", "openssl", "curl", "libpng", "freetype", "libyaml", "gmp", "lua5_4", "krb5", "xorg.libXext"]


# All three hundred are some six hundred units and two thousand descriptions.
@pytest.mark.timeout(2400)
@pytest.mark.sampled(2)
@pytest.mark.parametrize("names", [SOME, library_names()], ids=["some", "all"])
def test_what_libraries_describe_is_found_and_linked(nixdock: Nixdock, names: list[str]) -> None:
    (path,) = build(nixdock, CHECK.format(names=" ".join(names)))
    found = path.read_text().splitlines()
    assert [line for line in found if " ".join(line.split()[:2]) not in KNOWN] == []


def test_there_are_many_libraries() -> None:
    names = library_names()
    assert len(names) == len(set(names))
    assert len(names) > 300
