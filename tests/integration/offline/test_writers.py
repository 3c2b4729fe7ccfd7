"""Configuration files, scripts and tests of packages in the offline package set: one build of them all."""

from __future__ import annotations

import json
import subprocess
import tomllib
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from pathlib import Path

    from integration.offline.conftest import Images

ALL = """
let
  inherit (pkgs) formats testers writers;
  value = {
    plain = "two words";
    quoted = "no";
    lines = "one\\n\\"two\\"";
    nested = { list = [ 1 2.5 true { a = "x"; b = [ "y" ]; } [ ] ]; none = { }; };
    path = pkgs.hello;
  };
  tables = {
    title = "t";
    owner = { name = "x"; deep.er = 1; };
    servers = [ { ip = "1"; inner.k = true; } { ip = "2"; } ];
  };
  words = pkgs.writeText "words" "hello @name@, @kept@ a@b.c\\n";
in
pkgs.linkFarm "all" {
  json = (formats.json { }).generate "json" value;
  yaml = (formats.yaml { }).generate "yaml" value;
  toml = (formats.toml { }).generate "toml" tables;
  ini = (formats.ini { listToValue = pkgs.lib.concatStringsSep ","; }).generate "ini" { s.l = [ "a" "b" ]; };
  written = writers.writeTOML "written.toml" tables;

  app = pkgs.writeShellApplication {
    name = "app";
    runtimeInputs = [ pkgs.hello ];
    runtimeEnv.GREETING = "a b";
    text = "hello -g \\"$GREETING\\"";
  };
  excused = pkgs.writeShellApplication {
    name = "app";
    text = "echo ü $1";
    excludeShellChecks = [ "SC2086" ];
  };
  python = writers.writePython3Bin "p" { flakeIgnore = [ "F401" ]; } "import os\\nprint('python')\\n";
  wrapped = writers.writeBash "w" { makeWrapperArgs = [ "--set" "X" "from outside" ]; } "echo $X";

  replaced = pkgs.replaceVars words { name = "you"; kept = null; };
  version = testers.testVersion { package = pkgs.jq; };
  same = testers.testEqualContents { assertion = "the same"; actual = words; expected = words; };

  bad-app = testers.testBuildFailure (pkgs.writeShellApplication { name = "app"; text = "echo 'ü' $1"; });
  bad-python = testers.testBuildFailure (writers.writePython3 "p" { } "import os\\n");
  bad-words = testers.testBuildFailure (pkgs.replaceVars words { name = "you"; });
  bad-name = testers.testBuildFailure (pkgs.replaceVars words { name = "you"; kept = null; other = "x"; });
  bad-version = testers.testBuildFailure (testers.testVersion { package = pkgs.jq; version = "99.1"; });
  not-bad = testers.testBuildFailure (testers.testBuildFailure (pkgs.runCommand "fine" { } "touch $out"));
}
"""


@pytest.fixture
def built(images: Images) -> Path:
    """All of it; that it is built is a part of what the tests want to know."""
    return images.build(images.write(ALL))


def test_a_format_reads_as_the_value_that_was_written(built: Path) -> None:
    value = json.loads((built / "json").read_text())

    assert value["lines"] == 'one\n"two"'
    assert value["path"].startswith("/nix/store/")
    assert yaml.safe_load((built / "yaml").read_text()) == value
    tables = tomllib.loads((built / "toml").read_text())
    assert tables["servers"] == [{"ip": "1", "inner": {"k": True}}, {"ip": "2"}]
    assert tables["owner"] == {"name": "x", "deep": {"er": 1}}
    assert (built / "written").read_text() == (built / "toml").read_text()
    assert (built / "ini").read_text() == "[s]\nl=a,b\n"


def test_a_written_script_runs_and_words_are_replaced(built: Path) -> None:
    said = {
        program: subprocess.run(
            [built / program, "x  y"], capture_output=True, text=True, check=True
        ).stdout.strip()
        for program in ("app/bin/app", "excused/bin/app", "python/bin/p", "wrapped")
    }

    assert said == {
        "app/bin/app": "a b",
        "excused/bin/app": "ü x y",
        "python/bin/p": "python",
        "wrapped": "from outside",
    }
    assert (built / "replaced").read_text() == "hello you, @kept@ a@b.c\n"


def test_what_is_wrong_fails_the_build_and_is_told(built: Path) -> None:
    wanted = {
        "bad-app": "echo 'ü' $1\n         ^-- SC2086",
        "bad-python": "F401 'os' imported but unused",
        "bad-words": "nothing is given for\n  line 1: @kept@\n",
        "bad-name": "'@other@' is not in file",
        "bad-version": "Version string '99.1' not found!",
        "not-bad": "The builder did not fail, but a failure was expected!",
    }
    said = {name: (built / name / "testBuildFailure.log").read_text() for name in wanted}

    assert [name for name, sentence in wanted.items() if sentence not in said[name]] == []
