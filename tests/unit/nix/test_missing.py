"""A name that the offline package set lacks: where the user asks for it, and what else there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nixdock.nix.build_log import Level, Message, Position
from nixdock.nix.missing import REAL_PACKAGES, PackageNames, explain_lacking, find_asked, find_lacking
from nixdock.nix.sources import Sources

if TYPE_CHECKING:
    from pathlib import Path

NAMES = PackageNames(["openssl", "rust", "freetds"], {"xcowsay"}, ["requests", "flask"])
ANY = "pkgs.debian.NAME is any other Debian package"


def told(sources: Sources, sentence: str, place: Position) -> tuple[str, str | None, Position | None]:
    lacking = find_lacking(sentence, place, sources)
    assert lacking is not None
    return *explain_lacking(lacking, sentence, None, sources, lambda: NAMES), lacking.place


def place_of(sources: Sources, before: str) -> Position:
    """The place right behind a text of the user's expression."""
    assert sources.expression is not None
    text = sources.expression[: sources.expression.index(before) + len(before)]
    return Position("«expression»", text.count("\n") + 1, len(text.rpartition("\n")[2]) + 1)


@pytest.mark.parametrize(
    ("text", "before", "sentence", "hint"),
    [
        (
            "with pkgs; python3.withPackages (ps: with ps; [ flask reqeusts ])",
            "flask ",
            "the offline package set's python3 has no module 'reqeusts'",
            f"did you mean requests? {REAL_PACKAGES}",
        ),
        (
            "pkgs.python311.withPackages(ps: [ ps.reqeusts ])",
            "[ ",
            "the offline package set's python311 has no module 'reqeusts'",
            f"did you mean requests? {REAL_PACKAGES}",
        ),
        (
            "pkgs.python3.withPackages (ps: [ ps.reqeusts ])",
            "[ ps.",
            "the offline package set's python3 has no module 'reqeusts'",
            f"did you mean requests? {REAL_PACKAGES}",
        ),
        (
            "pkgs.php.withExtensions (p: with p; [ reqeusts ])",
            "[ ",
            "the offline package set's php has no module 'reqeusts'",
            REAL_PACKAGES,
        ),
        (
            "{ build-system = with pkgs.python3Packages; [ reqeusts ]; }",
            "[ ",
            "the offline package set's python3 has no module 'reqeusts'",
            f"did you mean requests? {REAL_PACKAGES}",
        ),
        (
            "with pkgs.python311.pkgs; reqeusts",
            "; ",
            "the offline package set's python311 has no module 'reqeusts'",
            f"did you mean requests? {REAL_PACKAGES}",
        ),
        # What stands outside of the modules is a package again.
        (
            "pkgs.python3.withPackages (ps: [ ]) ++ (with pkgs; [ reqeusts ])",
            "pkgs; [ ",
            "undefined variable 'reqeusts'",
            f"{ANY}, {REAL_PACKAGES}",
        ),
    ],
)
def test_a_module_of_a_language(tmp_path: Path, text: str, before: str, sentence: str, hint: str) -> None:
    sources = Sources(tmp_path, expression=text)
    kind = "attribute 'reqeusts' missing" if "ps.reqeusts" in text else "undefined variable 'reqeusts'"
    assert told(sources, kind, place_of(sources, before))[:2] == (sentence, hint)


@pytest.mark.parametrize(
    ("text", "before", "name", "sentence", "hint"),
    [
        ("pkgs.opnessl", "", "opnessl", "has no 'opnessl'", f"did you mean openssl? {ANY}, "),
        ("pkgs.xcowsay", "", "xcowsay", "has no 'xcowsay'", "pkgs.debian.xcowsay is Debian's package of tha"),
        ("pkgs.buildCrate {}", "", "buildCrate", "has no function 'buildCrate'", REAL_PACKAGES),
        ("pkgs.lib.opnessl", "", "opnessl", "set's 'lib' has no 'opnessl'", REAL_PACKAGES),
        ("pkgs.debian.opnessl", "", "opnessl", "Debian has no package 'opnessl'", REAL_PACKAGES),
        (
            "let inherit (pkgs) a opnessl; in a",
            "pkgs) a ",
            "opnessl",
            "has no 'opnessl'",
            "did you mean openssl? ",
        ),
        (
            "let inherit (pkgs) a opnessl; in a",
            "let",
            "opnessl",
            "has no 'opnessl'",
            "did you mean openssl? ",
        ),
    ],
)
def test_an_attribute_of_the_set(  # noqa: PLR0917
    tmp_path: Path, text: str, before: str, name: str, sentence: str, hint: str
) -> None:
    sources = Sources(tmp_path, expression=text)
    found = told(sources, f"attribute '{name}' missing", place_of(sources, before))
    assert found[0].endswith(sentence)
    assert found[1] is not None
    assert found[1].startswith(hint)


def test_what_is_no_name_of_the_set_is_told_as_nix_does(tmp_path: Path) -> None:
    sources = Sources(tmp_path, expression="let x = { }; in x.a + b")
    assert told(sources, "attribute 'a' missing", place_of(sources, "in "))[:2] == (
        "attribute 'a' missing",
        None,
    )
    # Without a `with` no set could have it.
    assert told(sources, "undefined variable 'b'", place_of(sources, "+ "))[:2] == (
        "undefined variable 'b'",
        None,
    )
    assert find_lacking("cannot coerce a set to a string", None, sources) is None


def test_an_argument_of_a_file_is_placed_in_that_file(tmp_path: Path) -> None:
    file = tmp_path / "app.nix"
    file.write_text("# opnessl\n{ lib, opnessl }: opnessl\n")
    sentence = (
        f'error: Function called without required argument "opnessl" at {file}:2, did you mean "openssl"?'
    )
    found = told(Sources(tmp_path), sentence, Position("/elsewhere.nix", 1, 1))
    assert found == (
        "the offline package set has no 'opnessl', which this function asks for",
        f"did you mean openssl? {ANY}, {REAL_PACKAGES}",
        Position(str(file), 2, 8),
    )


def test_a_package_that_throws_is_placed_where_the_user_asks_for_it(tmp_path: Path) -> None:
    file = tmp_path / "x.nix"
    file.write_text("{ pkgs }:\npkgs.buildGoModule { src = ./.; inner = pkgs.mongodb; }\n")
    # What stands beside the file is its source, not a file of the expression.
    (tmp_path / "default.nix").write_text("{ vendorHash = null; }")
    sources = Sources(tmp_path, file=file)

    def asked(sentence: str, *attributes: tuple[str, Position | None]) -> Position | None:
        error = Message(Level.ERROR, sentence, sentence, attributes=attributes)
        return find_asked(error, sources)

    inside = Position("/set/languages/go.nix", 75, 16)
    assert asked("buildGoModule of hi: `vendorHash` is missing", ("vendorHash", inside)) == Position(
        str(file), 2, 6
    )
    assert asked("pkgs.mongodb: Debian has none") == Position(str(file), 2, 46)
    assert asked("Debian has none", ("mongodb", inside)) == Position(str(file), 2, 46)
    assert asked("Debian has none", ("mongodb", Position("/mine/x.nix", 1, 1)), ("src", None)) is None
    assert asked("vendorHash: no", ("vendorHash", inside)) is None


def test_of_the_names_that_nix_suggests_those_that_are_like_it_are_told(tmp_path: Path) -> None:
    sources = Sources(tmp_path, expression="pkgs.opnessl")
    place = Position("«expression»", 1, 1)
    lacking = find_lacking("attribute 'opnessl' missing", place, sources)
    assert lacking is not None
    nix = "did you mean one of openal, openblas or openssl?"
    for names, near in (
        (NAMES, "did you mean openssl?"),
        (PackageNames(()), nix),
    ):
        told = explain_lacking(lacking, "", nix, sources, lambda names=names: names)  # type: ignore[misc]
        assert told[1] == f"{near} {ANY}, {REAL_PACKAGES}"


def test_what_stands_behind_a_name_says_nothing_of_it(tmp_path: Path) -> None:
    file = tmp_path / "x.nix"
    file.write_text("{\n  a = with python3.pkgs; [ reqeusts ];\n  b = with perlPackages; [ JSON ];\n}\n")
    sources = Sources(tmp_path, file=file)
    place = sources.find_name("reqeusts")
    assert place == Position(str(file), 2, 28)
    lacking = find_lacking("undefined variable 'reqeusts'", place, sources)
    assert lacking is not None
    message, _ = explain_lacking(lacking, "undefined", None, sources, lambda: PackageNames(()))
    assert message == "the offline package set's python3 has no module 'reqeusts'"
