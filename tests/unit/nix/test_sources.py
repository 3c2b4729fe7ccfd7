from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nixdock.nix.build_log import EXPRESSION, Level, Message, Position
from nixdock.nix.command import DIRECTORY
from nixdock.nix.sources import Sources
from nixdock.nix.store import store_dir

MINE = Position("/home/me/x.nix", 3, 1)
THEIRS = Position(f"{store_dir()}/{'0' * 32}-set/lib.nix", 9, 9)
OURS = Position(str(DIRECTORY / "describe.nix"), 1, 1)
HERE = Sources(Path("/home/me"))


def error(position: Position | None = None, *frames: Position, files: tuple[str, ...] = ()) -> Message:
    return Message(Level.ERROR, "error: no", "no", position, frames, files)


@pytest.mark.parametrize(
    ("fault", "place"),
    [
        (error(MINE), MINE),
        (error(THEIRS, THEIRS, MINE, OURS), MINE),
        (error(None, Position("«nix-internal»/derivation.nix", 1, 1), MINE), MINE),
        (error(Position(EXPRESSION, 1, 2), MINE), Position(EXPRESSION, 1, 2)),
        (error(THEIRS, OURS), THEIRS),
        (error(THEIRS, OURS, files=("/home/me/x.nix",)), None),
        (error(OURS), None),
        (error(), None),
    ],
)
def test_the_place_that_is_told_is_the_innermost_of_the_users_own(
    fault: Message, place: Position | None
) -> None:
    assert HERE.find_place(fault) == place


def test_a_package_set_is_not_the_users_own() -> None:
    set_place = Position("/home/me/nixpkgs/default.nix", 1, 1)
    fault = error(set_place, MINE, files=("/home/me/nixpkgs/default.nix", "/home/me/x.nix"))
    assert HERE.find_place(fault) == set_place
    beside = replace(HERE, foreign=(Path("/home/me/nixpkgs"),))
    assert beside.find_place(fault) == MINE
    assert beside.find_file(fault) == "x.nix"
    assert replace(beside, directory=Path("/elsewhere")).find_file(fault) == "/home/me/x.nix"


def test_what_a_flake_is_asked_with_is_not_the_users_own(tmp_path: Path) -> None:
    fault = error(Position(EXPRESSION, 1, 2), THEIRS)
    assert HERE.find_place(fault) == Position(EXPRESSION, 1, 2)
    assert replace(HERE, flake=tmp_path).find_place(fault) == THEIRS


def test_an_excerpt_has_the_line_before_and_a_mark(tmp_path: Path) -> None:
    file = tmp_path / "x.nix"
    file.write_text("let\n\ta = b;\n\nin\n" + "\n" * 95 + "last\n")
    here = Sources(tmp_path)
    assert here.excerpt(Position(str(file), 2, 6)) == "1 | let\n2 | \ta = b;\n  | \t    ^"
    assert here.excerpt(Position(str(file), 1, 1)) == "1 | let\n  | ^"
    assert here.excerpt(Position(str(file), 4, 1)) == "4 | in\n  | ^"
    assert here.excerpt(Position(str(file), 100, 1)) == "100 | last\n    | ^"
    assert here.excerpt(Position(str(file), 101, 1)) is None
    assert here.excerpt(Position(str(tmp_path / "none"), 1, 1)) is None
    assert here.excerpt(Position(EXPRESSION, 1, 1)) is None


def test_the_text_from_a_place_on(tmp_path: Path) -> None:
    here = Sources(tmp_path, "a\nb c")
    text = here.text_from(Position(EXPRESSION, 2, 3))
    assert (text.whole, text.after) == ("a\nb c", "c")
    assert here.text_from(Position(EXPRESSION, 9, 1)).after == ""


def test_a_flakes_copy_in_the_store_is_told_as_the_flake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIX_STORE_DIR", str(tmp_path / "store"))
    copy = tmp_path / "store" / f"{'0' * 32}-source"
    flake = tmp_path / "flake"
    for folder in (copy, flake):
        folder.mkdir(parents=True)
        (folder / "flake.nix").write_text("{ }")
    here = Sources(tmp_path, flake=flake)
    fault = error(Position(str(copy / "flake.nix"), 1, 1))
    assert here.find_place(fault) == Position(str(flake / "flake.nix"), 1, 1)
    # A fault in something else's copy, such as another flake's, is not.
    (copy / "flake.nix").write_text("{ other = 1; }")
    assert here.find_place(fault) == Position(str(copy / "flake.nix"), 1, 1)


def test_the_copy_of_a_flake_in_a_git_work_tree_is_one_of_the_whole_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIX_STORE_DIR", str(tmp_path / "store"))
    copy, tree = tmp_path / "store" / f"{'0' * 32}-source", tmp_path / "tree"
    for folder in (copy, tree):
        (folder / "app").mkdir(parents=True)
        (folder / "app" / "flake.nix").write_text("{ }")
    (tree / "app" / "app.sh").touch()
    here = Sources(tmp_path, flake=tree / "app")
    fault = error(Position(str(copy / "app" / "flake.nix"), 1, 1))
    assert here.find_place(fault) == fault.position
    assert here.find_untracked(f"{copy}/app/app.sh") is None
    (tree / ".git").mkdir()
    assert here.find_place(fault) == Position(str(tree / "app" / "flake.nix"), 1, 1)
    # What the tree has and the copy lacks is what Git does not track.
    assert here.find_untracked(f"{copy}/app/app.sh") == "tree/app/app.sh"
    assert here.find_untracked(f"{copy}/app/nowhere.sh") is None
    assert here.find_untracked("/nowhere.sh") is None


def test_a_name_is_found_in_the_evaluated_file_and_in_those_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "x.nix").write_text(
        "# web is ./no-such.nix\n[ my-web web' (import ./app) (import ../x.nix) ]\n"
    )
    (tmp_path / "app" / "default.nix").write_text('# ../x.nix\n{ pkgs }:\n"${pkgs.web}"\n')
    here = Sources(tmp_path, file=tmp_path / "x.nix")
    assert here.find_name("my-web") == Position(str(tmp_path / "x.nix"), 2, 3)
    assert here.find_name("web") == Position(str(tmp_path / "app" / "default.nix"), 3, 9)
    assert here.find_name("pkgs", file=tmp_path / "app") == Position(str(tmp_path / "app/default.nix"), 2, 3)
    assert here.find_name("import", after=Position(str(tmp_path / "x.nix"), 2, 17)) == Position(
        str(tmp_path / "x.nix"), 2, 31
    )
    assert here.find_name("nothing") is None
    said = Sources(tmp_path, expression="[\n pkgs.web ]")
    assert said.find_name("web") == Position(EXPRESSION, 2, 7)
