"""What programs are told of where their files are."""

from __future__ import annotations

from pathlib import Path

from nixdock.nixpkgs.debian.builders.guide import Guide

OUT = Path("/nix/store/x-git")


def test_the_tables_that_the_library_reads() -> None:
    guide = Guide.parse(
        {
            "places": {"/usr": ["$out", "/nix/store/y-more"]},
            "last": {"/etc/git": ["$out/etc/git"]},
            "moves": {"/var/a": "/tmp/b"},
            "env": {"GIT_EXEC_PATH": "$out/lib/git-core"},
            "prefix": {"PERL5LIB": ["$out/share/perl5", "/nix/store/z/share"]},
            "suffix": {"PATH": ["/nix/store/sed/bin"]},
        },
        OUT,
    )
    assert guide.tables() == (
        "struct place { const char *from; const char *to; int mode; };\n"
        "static const struct place places[] = {\n"
        '  {"/var/a", "/tmp/b", 2},\n'
        '  {"/usr", "/nix/store/x-git", 0},\n'
        '  {"/usr", "/nix/store/y-more", 0},\n'
        '  {"/etc/git", "/nix/store/x-git/etc/git", 1},\n'
        "  {0, 0, 0}\n};\n"
        "struct variable { const char *name; const char *value; int mode; };\n"
        "static const struct variable variables[] = {\n"
        '  {"GIT_EXEC_PATH", "/nix/store/x-git/lib/git-core", 0},\n'
        '  {"PERL5LIB", "/nix/store/x-git/share/perl5:/nix/store/z/share", 1},\n'
        '  {"PATH", "/nix/store/sed/bin", 2},\n'
        "  {0, 0, 0}\n};\n"
    )


def test_nothing_to_tell() -> None:
    guide = Guide.parse({"libraries": True}, OUT)
    assert guide.libraries
    assert guide.tables().count("{0, 0, 0}") == 2
