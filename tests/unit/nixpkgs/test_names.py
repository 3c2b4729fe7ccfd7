"""What the page of names that are not there says is what the package set says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import nixdock.nixpkgs
from nixdock import process

PACKAGES = Path(nixdock.nixpkgs.__file__).parent / "packages"

pytestmark = pytest.mark.nix


def test_the_page_of_absent_names_is_their_table() -> None:
    words = ["nix-instantiate", "--eval", "--strict", "--json", "--readonly-mode", "-E"]
    table = json.loads(process.run([*words, f"import {PACKAGES}/absent.nix"]).stdout)
    page = (PACKAGES / "README.md").read_text()

    never = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|$", page, re.MULTILINE)
    later = re.findall(r"^\| `([^`]+)` \| (\d+) \| ([^|]+) \|$", page, re.MULTILINE)
    assert never == sorted(table["never"].items())
    assert later == [
        (name, str(row["since"]), row["instead"]) for name, row in sorted(table["later"].items())
    ]


def test_every_name_stands_in_one_table_and_in_order() -> None:
    same = re.findall(r'^  "(\S+)"$', (PACKAGES / "programs.nix").read_text(), re.MULTILINE)
    other = re.findall(r"^  (\S+) = (?:from|deb) ", (PACKAGES / "renamed.nix").read_text(), re.MULTILINE)

    assert len(same) > 250
    assert same == sorted(same)
    assert other == sorted(other, key=str.lower)
    assert not set(same) & set(other)


def test_no_unit_is_adjusted_in_two_files() -> None:
    words = ["nix-instantiate", "--eval", "--strict", "--json", "--readonly-mode", "-E"]
    folder = PACKAGES.parent / "debian"
    arguments = (
        f'lib = import {PACKAGES.parent}/lib; unit = n: {{ outPath = n; version = "1"; }}; either = _: "x";'
    )
    programs = f"builtins.attrNames (import {folder}/program-adjustments.nix {{ {arguments} }})"
    found = json.loads(process.run([*words, programs]).stdout)
    text = (folder / "adjustments.nix").read_text()

    assert len(found) > 40
    assert [
        name for name in found if re.search(rf'^  "?{re.escape(name)}"?(\.\w+.*)? = ', text, re.MULTILINE)
    ] == []


def test_a_version_is_what_its_authors_call_it() -> None:
    said = {
        "2:1.30.1-6": "1.30.1",
        "3.03+dfsg2-8": "3.03",
        "1.2+really1.1-3": "1.1",
        "0.80.really.0.7.6-1+deb12u1": "0.7.6",
    }
    texts = " ".join(map(json.dumps, said))
    expression = f"map (import {PACKAGES.parent}/debian/version.nix).plain [ {texts} ]"
    words = ["nix-instantiate", "--eval", "--strict", "--json", "-E", expression]
    assert json.loads(process.run(words).stdout) == [*said.values()]
