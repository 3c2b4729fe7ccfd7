"""The library of the offline package set, by the examples of its documentation, evaluated by real Nix."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from nixdock import process

LIB = Path(__file__).parents[3] / "nixdock" / "nixpkgs" / "lib"
CASES = Path(__file__).parent / "lib"

pytestmark = pytest.mark.nix


def evaluate(expression: str) -> Any:
    outcome = process.run(
        ["nix-instantiate", "--eval", "--strict", "--json", "--readonly-mode", "-E", expression],
    )
    assert outcome, outcome.error_text
    return json.loads(outcome.stdout)


@pytest.mark.parametrize("topic", sorted(path.stem for path in CASES.glob("*.nix") if path.stem != "run"))
def test_every_example_of_the_topic_gives_what_its_documentation_says(topic: str) -> None:
    wrong = evaluate(f"import {CASES}/run.nix {{ file = {CASES}/{topic}.nix; libPath = {LIB}; }}")

    assert wrong == []


def test_a_wrong_example_would_be_told() -> None:
    wrong = evaluate(f"(import {LIB}).runTests {{ testIt = {{ expr = 1; expected = 2; }}; }}")

    assert wrong == [{"name": "testIt", "expected": 2, "result": 1}]


def test_a_missing_argument_names_the_nearest_packages() -> None:
    outcome = process.run(
        [
            "nix-instantiate",
            "--eval",
            "-E",
            f"(import {LIB}).callPackageWith {{ python3 = 1; perl = 2; }} ({{ pyton3 }}: 1) {{ }}",
        ],
    )

    assert not outcome
    assert 'without required argument "pyton3"' in outcome.error_text
    assert 'did you mean "python3"?' in outcome.error_text


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("src/main.c", "src/main.o", "src/deep/more.h", ".git/HEAD", "notes.txt~", "README.md"):
        file = tmp_path / "project" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    (tmp_path / "project" / "empty").mkdir()
    (tmp_path / "project" / "result").symlink_to("/nix/store/x")
    return tmp_path / "project"


def kept(expression: str, project: Path) -> list[str]:
    """The files that a source expression keeps, asked of its own filter."""
    files = evaluate(
        f"""
        let
          lib = import {LIB};
          root = {project};
          source = {expression};
          below = path: builtins.concatLists (lib.mapAttrsToList
            (name: type:
              let file = path + "/${{name}}";
              in
              if !(source.filter (toString file) type) then [ ]
              else if type == "directory" then [ "${{toString file}}/" ] ++ below file
              else [ (toString file) ])
            (builtins.readDir path));
        in
        map (lib.removePrefix "${{toString root}}/") (below root)
        """,
    )
    assert isinstance(files, list)
    return sorted(files)


def test_a_clean_source_has_no_version_control_and_no_droppings(project: Path) -> None:
    assert kept("lib.cleanSource root", project) == [
        "README.md",
        "empty/",
        "src/",
        "src/deep/",
        "src/deep/more.h",
        "src/main.c",
    ]


def test_filters_of_sources_add_up(project: Path) -> None:
    assert kept('lib.sourceFilesBySuffices (lib.cleanSource root) [ ".c" ".o" ]', project) == [
        "empty/",
        "src/",
        "src/deep/",
        "src/main.c",
    ]


def test_a_source_by_regular_expressions_matches_whole_relative_paths(project: Path) -> None:
    assert kept('lib.sourceByRegex root [ "src" "src/.*[.]c" "README" ]', project) == ["src/", "src/main.c"]


@pytest.mark.parametrize(
    ("fileset", "expected"),
    [
        ('root + "/src"', ["src/", "src/deep/", "src/deep/more.h", "src/main.c", "src/main.o"]),
        (
            'with lib.fileset; difference (root + "/src") (fileFilter (f: f.hasExt "o") root)',
            ["src/", "src/deep/", "src/deep/more.h", "src/main.c"],
        ),
        (
            (
                "with lib.fileset; unions "
                '[ (root + "/README.md") (root + "/src/deep") (maybeMissing (root + "/no")) ]'
            ),
            ["README.md", "src/", "src/deep/", "src/deep/more.h"],
        ),
        (
            'with lib.fileset; intersection (root + "/src/deep") root',
            ["src/", "src/deep/", "src/deep/more.h"],
        ),
        ('with lib.fileset; fileFilter (f: f.name == "main.c") root', ["src/", "src/main.c"]),
        ('with lib.fileset; union (root + "/empty") (root + "/README.md")', ["README.md"]),
    ],
)
def test_a_file_set_chooses_exactly_its_files(fileset: str, expected: list[str], project: Path) -> None:
    assert kept(f"lib.fileset.toSource {{ inherit root; fileset = {fileset}; }}", project) == expected


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ('lib.fileset.union root (root + "/no")', "does not exist"),
        ('lib.fileset.toSource { root = "x"; fileset = root; }', "should be a path"),
        (
            '(lib.fileset.toSource { root = root + "/src"; fileset = root + "/README.md"; }).outPath',
            "is not under the `root`",
        ),
    ],
)
def test_a_wrong_file_set_is_refused_with_a_sentence(expression: str, complaint: str, project: Path) -> None:
    outcome = process.run(
        ["nix-instantiate", "--eval", "-E", f"let lib = import {LIB}; root = {project}; in ({expression})"],
    )

    assert not outcome
    assert complaint in outcome.error_text


def test_a_file_set_of_what_git_tracks_is_shown_by_folders(project: Path) -> None:
    shutil.rmtree(project / ".git")
    for words in (["init", "-q"], ["add", "src/main.c", "src/deep"]):
        assert process.run(["git", "-C", str(project), *words])
    outcome = process.run(
        [
            "nix-instantiate",
            "--eval",
            "-E",
            f"with (import {LIB}).fileset; let set = gitTracked {project}; in trace set (toList set)",
        ],
    )

    assert outcome, outcome.error_text
    told = [line for line in outcome.error_text.splitlines() if line.startswith("trace: ")]
    assert told == [
        f"trace: {project}",
        "trace: - src",
        "trace:   - deep (all files in directory)",
        "trace:   - main.c (regular)",
    ]
    assert outcome.text.split() == ["[", f"{project}/src/deep/more.h", f"{project}/src/main.c", "]"]


def test_packages_of_a_folder_find_each_other_by_their_scopes(tmp_path: Path) -> None:
    for name, text in {
        "a.nix": "{ }: { v = 1; }",
        "b/package.nix": "{ a }: { v = a.v + 1; }",
        "b/other.nix": "not Nix",
        "inner/c.nix": "{ a, d }: { v = a.v + d.v; }",
        "inner/d.nix": "{ b }: { v = b.v * 10; }",
        "README.md": "no package",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = evaluate(
        f"""
        let
          lib = import {LIB};
          scope = lib.makeScope lib.callPackageWith (_: {{ }});
          packages = lib.packagesFromDirectoryRecursive {{
            inherit (scope) callPackage newScope;
            directory = {tmp_path};
          }};
        in
        [ packages.b.v packages.inner.c.v packages.inner.recurseForDerivations (packages ? README) ]
        """,
    )

    assert found == [2, 21, True, False]


def test_the_commit_of_a_worktree_is_found_where_its_repository_has_it(tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path / "repository")]
    (tmp_path / "repository").mkdir()
    for words in (
        ["init", "-q"],
        ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q", "--allow-empty", "-m", "x"],
        ["worktree", "add", "-q", "-b", "other", str(tmp_path / "worktree")],
        ["pack-refs", "--all"],
    ):
        assert process.run([*git, *words])
    commit = process.run([*git, "rev-parse", "HEAD"]).text.strip()

    found = evaluate(
        f"with import {LIB}; map commitIdFromGitRepo [ {tmp_path}/repository/.git {tmp_path}/worktree/.git ]",
    )

    assert found == [commit, commit]
