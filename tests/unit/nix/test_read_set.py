"""The read set of what Nix tells, and what is seen of it at one time and another."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nixdock import process
from nixdock.nix import read_state
from nixdock.nix.command import DIRECTORY
from nixdock.nix.flake import find_tracked
from nixdock.nix.read_set import ReadRecorder, ReadSet
from nixdock.nix.read_state import Change, ReadState

if TYPE_CHECKING:
    from collections.abc import Callable

OURS = f"copied source '{DIRECTORY}/traced.nix' -> '/nix/store/{'0' * 32}-traced.nix'"
LONG_AGO = 1_000_000_000


def hear(*lines: str, constant: Path | None = None) -> ReadSet:
    recorder = ReadRecorder(constant)
    for line in lines:
        recorder.hear(line)
    return recorder.read_set()


def test_copies_as_each_version_tells_them() -> None:
    copy = f"-> '/nix/store/{'0' * 32}-s'"
    told = (OURS, f"copied source '/p/a' {copy}", f"copied source '/p/it's' {copy} (hash 'sha256-x')")
    assert hear(*told) == ReadSet(trees=frozenset({Path("/p/a"), Path("/p/it's")}))


@pytest.mark.parametrize(
    "line",
    [
        "copied source «github:o/r»/a -> '/nix/store/x-a'",
        "copied source '/p/a' to '/nix/store/x-a'",
        "trace: nixdock read: no JSON",
        'trace: nixdock read: ["file"]',
        'trace: nixdock read: ["file","/p/\ufffd"]',
    ],
)
def test_what_is_told_in_other_words_is_unknowable(line: str) -> None:
    assert hear(OURS, line).unknowable == {"what this version of Nix tells in other words"}


def test_copies_that_are_not_told_are_unknowable() -> None:
    assert hear('trace: nixdock read: ["file","/p/a"]').unknowable


def test_only_what_is_for_us_is_kept_from_the_user() -> None:
    recorder = ReadRecorder()
    assert recorder.hear('trace: nixdock read: ["file","/p/a"]')
    assert not recorder.hear("trace: the user's own")
    assert not recorder.hear("warning: something")


def test_what_never_changes_is_left_out() -> None:
    paths = (
        f"/nix/store/{'0' * 32}-p/x",
        "/cache/set/lib.nix",
        "/cache/setting",
        "/__corepkgs__/fetchurl.nix",
    )
    told = (f'trace: nixdock read: ["file",{json.dumps(path)}]' for path in paths)
    assert hear(OURS, *told, constant=Path("/cache/set")).files == {Path("/cache/setting")}


def test_what_leads_out_of_the_store_is_not_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIX_STORE_DIR", str(tmp_path / "store"))
    (tmp_path / "store/p").mkdir(parents=True)
    (tmp_path / "store/p/in").write_text("")
    (tmp_path / "store/p/out").symlink_to(tmp_path)
    names = ("p/in", "p/out/file", "../file")
    told = (f'trace: nixdock read: ["file","{tmp_path}/store/{name}"]' for name in names)
    outside = {tmp_path / "store/p/out/file", tmp_path / "store/../file", tmp_path / "file"}
    assert hear(OURS, *told).files == outside


def test_of_a_link_and_two_dots_both_meanings_count(tmp_path: Path) -> None:
    told = hear(OURS, f'trace: nixdock read: ["file","{tmp_path}/link/../file"]')
    assert told.files == {tmp_path / "link/../file", tmp_path / "file"}


@pytest.mark.parametrize("path", [Path("/dev/null"), Path("/proc/uptime")])
def test_what_is_made_up_when_it_is_read_is_never_what_was_read(path: Path) -> None:
    state = ReadSet(files=frozenset({path})).observe()
    assert path in state.written_since(time.time_ns())
    (seen,) = state.observations.values()
    assert seen.identity is None


def test_a_search_path_that_is_fetched_is_unknowable() -> None:
    read = hear(OURS, 'trace: nixdock read: ["candidate","https://example.test/x.tar.gz/lib"]')
    assert read.unknowable == {"the search path's https://example.test/x.tar.gz/lib"}


def test_a_read_set_comes_back_from_json(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    read = ReadSet(
        files=frozenset({tmp_path / "a"}), environment=frozenset({"X"}), unknowable=frozenset({"currentTime"})
    )
    assert ReadSet.from_json(json.loads(json.dumps(read.as_json()))) == read
    assert ReadState.from_json(json.loads(json.dumps(read.observe().as_json()))).differences() == ()


def test_links_on_the_way_are_watched_and_the_store_is_not(tmp_path: Path) -> None:
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1/file").write_text("")
    (tmp_path / "current").symlink_to("v1")
    (tmp_path / "channel").symlink_to("/nix/store")
    read = ReadSet(files=frozenset({tmp_path / "current/file"}), present=frozenset({tmp_path / "channel/x"}))
    assert read.watched() >= {tmp_path / "current/file", tmp_path / "current", tmp_path / "channel"}
    assert not any(path.is_relative_to("/nix/store") for path in read.watched())


def age(folder: Path) -> None:
    """Have everything in a folder be old, but for the time of this very change, which nobody can set."""
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (LONG_AGO, LONG_AGO), follow_symlinks=False)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with a file, a program, a link and a folder in it."""
    (tmp_path / "tree/inner").mkdir(parents=True)
    (tmp_path / "tree/file").write_text("1")
    (tmp_path / "tree/run").write_text("1")
    (tmp_path / "tree/run").chmod(0o755)
    (tmp_path / "tree/link").symlink_to("file")
    age(tmp_path)
    return tmp_path / "tree"


def same_size_and_time(tree: Path) -> None:
    (tree / "file").write_text("2")
    os.utime(tree / "file", (LONG_AGO, LONG_AGO))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tree: (tree / "file").write_text("22"), ["file has changed"]),
        (same_size_and_time, ["file has changed"]),
        (lambda tree: (tree / "file").chmod(0o755), ["file has changed"]),
        (lambda tree: (tree / "inner/new").write_text(""), ["inner/new is new"]),
        (lambda tree: (tree / "file").unlink(), ["file is gone"]),
        (lambda tree: ((tree / "link").unlink(), (tree / "link").symlink_to("run")), ["link has changed"]),
        (lambda tree: (tree / "file").rename(tree / "inner/file"), ["file is gone", "inner/file is new"]),
        # What the store has none of.
        (lambda tree: (tree / "file").touch(), []),
        (lambda tree: (tree / "file").chmod(0o600), []),
        (lambda tree: (tree / "inner").chmod(0o700), []),
    ],
)
def test_a_tree_that_is_copied(tree: Path, change: Callable[[Path], object], said: list[str]) -> None:
    state = ReadSet(trees=frozenset({tree})).observe()
    assert state.differences() == ()
    change(tree)
    assert sorted({difference.shown_from(tree) for difference in state.differences()}) == said


def test_a_listing_is_of_names_and_kinds(tree: Path) -> None:
    state = ReadSet(directories=frozenset({tree})).observe()
    (tree / "file").write_text("other")
    assert state.differences() == ()
    (tree / "file").unlink()
    (tree / "file").mkdir()
    assert state.differences() == (Change(str(tree / "file"), "has changed", tree / "file"),)


def test_what_is_there_and_what_is_not(tree: Path) -> None:
    there, absent = tree / "file", tree / "absent"
    state = ReadSet(present=frozenset({there}), absences=frozenset({absent})).observe()
    there.write_text("other")
    assert state.differences() == ()
    absent.symlink_to("nowhere")
    there.unlink()
    assert [change.how for change in state.differences()] == ["is new", "is gone"]


def test_a_link_that_leads_elsewhere_with_the_same_content(tree: Path) -> None:
    (tree / "twin").write_text("1")
    state = ReadSet(files=frozenset({tree / "link"})).observe()
    (tree / "link").unlink()
    (tree / "link").symlink_to("twin")
    assert [change.path for change in state.differences()] == [tree / "link"]


def test_a_link_that_leads_to_the_same_file_by_another_way(tree: Path) -> None:
    (tree / "twin").symlink_to(".")
    state = ReadSet(files=frozenset({tree / "link"})).observe()
    (tree / "link").unlink()
    (tree / "link").symlink_to("twin/file")
    assert [change.path for change in state.differences()] == [tree / "link"]


def test_what_was_written_since_is_told(tree: Path) -> None:
    read = ReadSet(trees=frozenset({tree}))
    time.sleep(0.05)
    begun = time.time_ns()
    assert read.observe().written_since(begun) == ()
    (tree / "file").write_text("2")
    # Whatever time it says that it has.
    os.utime(tree / "file", (LONG_AGO, LONG_AGO))
    assert read.observe().written_since(begun) == (tree / "file",)


def test_a_file_is_hashed_no_more_once_its_time_tells(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = ReadSet(files=frozenset({tree / "file"})).observe()
    assert state.renewed() is None
    # As after two seconds, when nobody can write it within the same tick any more.
    monkeypatch.setattr(read_state, "_TICK", 0)
    renewed = state.renewed()
    assert renewed is not None
    hashed: list[object] = []
    monkeypatch.setattr(hashlib, "file_digest", lambda *given: hashed.append(given))
    assert renewed.differences() == ()
    assert not hashed


def test_the_value_of_a_variable_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "very-secret")
    monkeypatch.delenv("UNSET", raising=False)
    state = ReadSet(environment=frozenset({"SECRET", "UNSET"})).observe()
    assert "very-secret" not in json.dumps(state.as_json())
    monkeypatch.setenv("UNSET", "")
    assert state.differences() == ()
    monkeypatch.setenv("SECRET", "other")
    assert [change.what for change in state.differences()] == ["the environment variable SECRET"]


def test_a_work_tree_is_without_what_git_keeps_of_itself(tree: Path) -> None:
    (tree / ".git").mkdir()
    state = ReadSet(work_trees=frozenset({tree})).observe()
    (tree / ".git/index").write_text("")
    assert state.differences() == ()
    (tree / "inner/new").write_text("")
    assert [change.path for change in state.differences()] == [tree / "inner/new"]


def test_of_a_flake_in_git_what_is_tracked(tmp_path: Path) -> None:
    git = ("git", "-C", tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/flake.nix").write_text("{ }")
    (tmp_path / "ü 'other").write_text("")
    (tmp_path / "untracked").write_text("")
    assert find_tracked(tmp_path) is None
    assert process.run([*git, "init", "-q"])
    assert process.run([*git, "add", "sub", "ü 'other"])
    recorder = ReadRecorder()
    recorder.add_flake(tmp_path / "sub", find_tracked(tmp_path / "sub"))
    read = recorder.read_set()
    assert read.trees == {tmp_path / "sub/flake.nix", tmp_path / "ü 'other"}
    state = read.observe()
    os.utime(tmp_path / "sub/flake.nix", (LONG_AGO, LONG_AGO))
    (tmp_path / "untracked").write_text("other")
    # Git writes down the new time.
    assert process.run([*git, "status"])
    assert state.differences() == ()
    assert process.run([*git, "add", "untracked"])
    assert [change.path for change in state.differences()] == [tmp_path / ".git/index"]
