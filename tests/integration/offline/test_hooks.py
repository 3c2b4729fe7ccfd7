"""Tools that set themselves up in a build: what they make runs, and refers to what it needs alone."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from integration.offline.conftest import Images

MAIN = """\
#include <stdio.h>
#include <zlib.h>
int seven(void);
int main(void) { printf("built by %s %c %d\\n", TOOL, zlibVersion()[0], seven()); return 0; }
"""
LIBRARY = "int seven(void) { return 7; }\n"


@dataclass(frozen=True)
class Project:
    """A source tree, and what of a derivation builds it."""

    name: str
    files: dict[str, str]
    attributes: str

    def __str__(self) -> str:
        return self.name


CMAKE = Project(
    "cmake",
    {
        "CMakeLists.txt": """
cmake_minimum_required(VERSION 3.10)
project(demo LANGUAGES C)
include(GNUInstallDirs)
find_package(ZLIB REQUIRED)
find_package(Threads REQUIRED)
add_library(seven SHARED seven.c)
add_executable(demo main.c)
target_compile_definitions(demo PRIVATE TOOL="${TOOL}")
target_link_libraries(demo seven ZLIB::ZLIB Threads::Threads)
install(TARGETS demo seven)
install(FILES seven.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
enable_testing()
add_test(NAME runs COMMAND demo)
""",
        "main.c": MAIN,
        "seven.c": LIBRARY,
        "seven.h": "int seven(void);\n",
    },
    """
    nativeBuildInputs = [ pkgs.cmake pkgs.ninja ];
    buildInputs = [ pkgs.zlib ];
    cmakeFlags = [ (lib.cmakeFeature "TOOL" "cmake") ];
    outputs = [ "out" "dev" ];
    doCheck = true;
    postFixup = "test -e $dev/include/seven.h";
    """,
)
MESON = Project(
    "meson",
    {
        "meson.build": """
project('demo', 'c')
seven = shared_library('seven', 'seven.c', install: true)
tool = '-DTOOL="' + get_option('tool') + '"'
z = dependency('zlib')
demo = executable('demo', 'main.c', dependencies: z, link_with: seven, c_args: tool, install: true)
test('runs', demo)
""",
        "meson_options.txt": "option('tool', type: 'string')\n",
        "main.c": MAIN,
        "seven.c": LIBRARY,
    },
    """
    nativeBuildInputs = with pkgs; [ meson ninja pkg-config ];
    buildInputs = [ pkgs.zlib ];
    mesonFlags = [ "-Dtool=meson" ];
    doCheck = true;
    """,
)
AUTOTOOLS = Project(
    "autoreconfHook",
    {
        "configure.ac": """
AC_INIT([demo], [1])
AM_INIT_AUTOMAKE([foreign])
LT_INIT
AC_PROG_CC
PKG_CHECK_MODULES([Z], [zlib])
AC_CONFIG_FILES([Makefile])
AC_OUTPUT
""",
        "Makefile.am": """
lib_LTLIBRARIES = libseven.la
libseven_la_SOURCES = seven.c
bin_PROGRAMS = demo
demo_SOURCES = main.c
demo_CFLAGS = $(Z_CFLAGS) -DTOOL='"autoreconfHook"'
demo_LDADD = libseven.la $(Z_LIBS)
""",
        "main.c": MAIN,
        "seven.c": LIBRARY,
    },
    "nativeBuildInputs = with pkgs; [ autoreconfHook pkg-config ]; buildInputs = [ pkgs.zlib ];",
)
PARSER = Project(
    "bison",
    {
        "sum.y": """
%{
#include <stdio.h>
int yylex(void);
void yyerror(const char *said) { puts(said); }
%}
%token NUMBER
%%
line: sum '\\n' { printf("built by bison 1 %d\\n", $1); };
sum: NUMBER | sum '+' NUMBER { $$ = $1 + $3; };
%%
int yywrap(void) { return 1; }
int yy_scan_string(const char *);
int main(void) { yy_scan_string("3+4\\n"); return yyparse(); }
""",
        "sum.l": """
%{
#include <stdlib.h>
#include "sum.tab.h"
%}
%option noinput nounput
%%
[0-9]+ { yylval = atoi(yytext); return NUMBER; }
[+\\n] return yytext[0];
""",
        "Makefile": """
demo:
\tbison -d sum.y
\tflex sum.l
\t$(CC) -w -o demo sum.tab.c lex.yy.c
install:
\tinstall -D demo $(PREFIX)/bin/demo
""",
    },
    'nativeBuildInputs = [ pkgs.bison pkgs.flex ]; makeFlags = [ "PREFIX=$(out)" ];',
)
SCONS = Project(
    "scons",
    {
        "SConstruct": """
import os
env = Environment(ENV=os.environ, CPPDEFINES={'TOOL': '\\\\"scons\\\\"'})
env.Append(CCFLAGS=os.environ['NIX_CFLAGS_COMPILE'].split())
demo = env.Program('demo', ['main.c', 'seven.c'], LIBS=['z'])
env.Alias('install', env.Install(os.path.join(ARGUMENTS['prefix'], 'bin'), demo))
""",
        "main.c": MAIN,
        "seven.c": LIBRARY,
    },
    "nativeBuildInputs = [ pkgs.scons ]; buildInputs = [ pkgs.zlib ];",
)


def output(*words: str | Path) -> str:
    """Run something without any environment."""
    return subprocess.run(words, env={}, capture_output=True, text=True, check=True).stdout


@pytest.mark.sampled(5)
@pytest.mark.parametrize("project", [CMAKE, MESON, AUTOTOOLS, PARSER, SCONS], ids=str)
def test_a_tool_configures_builds_and_installs_by_itself(images: Images, project: Project) -> None:
    folder = images.folder / "project"
    folder.mkdir()
    for name, text in project.files.items():
        (folder / name).write_text(text)
    path = images.build(
        images.write(f'pkgs.stdenv.mkDerivation {{ name = "demo"; src = ./project; {project.attributes} }}'),
    )

    assert output(path / "bin/demo") == f"built by {project.name} 1 7\n"
    references = output(
        "/bin/sh", "-c", f"PATH={images.nixdock.environment['PATH']} nix-store -qR {path}"
    ).split()
    assert not [one for one in references if "-dev" in one or "g++" in one or project.name in one]


PREBUILT = """
let
  # A program of another system, with a library of its own.
  archive = pkgs.runCommandCC "prebuilt.tar.gz" { buildInputs = [ pkgs.zlib ]; } ''
    mkdir app
    echo 'int seven(void) { return 7; }' > seven.c
    gcc -shared -fPIC -o app/libseven.so.1 seven.c -Wl,-soname,libseven.so.1
    gcc -DTOOL='"others"' -o app/demo ${./main.c} app/libseven.so.1 -lz
    ${pkgs.patchelf}/bin/patchelf --remove-rpath --set-interpreter /lib64/ld-linux-x86-64.so.2 app/demo
    tar czf $out app
  '';
  prebuilt = inputs: pkgs.stdenvNoCC.mkDerivation {
    name = "prebuilt";
    src = archive;
    nativeBuildInputs = [ pkgs.autoPatchelfHook ];
    buildInputs = inputs;
    installPhase = "install -D demo $out/bin/demo; install -D libseven.so.1 $out/lib/libseven.so.1";
  };
in
"""


def test_a_program_that_was_built_elsewhere_is_made_to_run(images: Images) -> None:
    (images.folder / "main.c").write_text(MAIN)
    path = images.build(images.write(f"{PREBUILT} prebuilt [ pkgs.zlib ]"))

    assert output(path / "bin/demo") == "built by others 1 7\n"
    done = images.by_hand(
        f"nix-build --no-out-link {images.write(f'{PREBUILT} prebuilt [ ]', 'lacking.nix')}"
    )
    assert done.returncode != 0
    assert "auto-patchelf could not satisfy dependency libz.so.1 wanted by" in done.stderr


def test_structured_attributes_are_lists_and_sets_in_the_shell(images: Images) -> None:
    path = images.build(
        images.write(
            """
            pkgs.stdenv.mkDerivation {
              name = "structured";
              __structuredAttrs = true;
              outputs = [ "out" "dev" ];
              dontUnpack = true;
              # Names that the phases' own functions must not hide.
              list = [ "two words" "three" ];
              phase = { key = "a value"; };
              env.EXPORTED = "with blanks";
              exportReferencesGraph.graph = [ pkgs.hello ];
              installPhase = ''
                mkdir $dev
                {
                  echo "${toString (lib.range 1 3)} ''${#list[@]} ''${list[0]} ''${phase[key]} $name"
                  printenv EXPORTED
                  ${pkgs.jq}/bin/jq -r '.graph[].path' $NIX_ATTRS_JSON_FILE
                } > $out
              '';
            }
            """,
        ),
    )
    first, exported, *graph = path.read_text().splitlines()

    assert first == "1 2 3 2 two words a value structured"
    assert exported == "with blanks"
    assert sorted(one.split("-")[1] for one in graph) == ["hello", "libc6"]
