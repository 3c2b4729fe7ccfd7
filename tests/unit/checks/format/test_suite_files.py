"""Check files that include others, stand beside an image, or are not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixdock.checks.format.beside import find_suite_beside
from nixdock.checks.format.suite import join_suites, read_suite, suite_from_value
from nixdock.errors import UsageError

from .suites import problems_of, read_text


def test_a_future_version_is_refused(tmp_path: Path) -> None:
    (said,) = problems_of(tmp_path, "version: 2\nchecks: {}\n")

    assert "version 2 is not known to this nixdock" in said


def test_files_are_included_relative_to_the_one_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "b.yaml").write_text("checks: {b: {exec: [b]}}\n")
    (tmp_path / "c.json").write_text('{"checks": {"c": {"exec": ["c"]}}}')

    suite = read_text(tmp_path, "include: [more/b.yaml, c.json]\nchecks: {a: {exec: [a]}}\n")

    assert [check.name for check in suite.checks] == ["a", "b", "c"]
    assert suite.directory == tmp_path


def test_a_file_that_includes_itself_is_an_error_not_a_loop(tmp_path: Path) -> None:
    (said,) = problems_of(tmp_path, "include: [web.checks.yaml]\n")

    assert said == "web.checks.yaml includes itself"


def test_one_name_in_two_places_is_an_error(tmp_path: Path) -> None:
    one = read_text(tmp_path, "checks:\n  a: {exec: [x]}\n")
    other = suite_from_value({"checks": {"a": {"exec": ["y"]}}}, "web.nix")

    with pytest.raises(
        UsageError, match=r"two checks have the name 'a': .*web.checks.yaml:2:3 and web.nix: "
    ):
        join_suites([one, other])
    with pytest.raises(UsageError, match="'ready' stands in two places: x and y"):
        join_suites([suite_from_value({"ready": {"tcp": 1}}, "x"), suite_from_value({"ready": {}}, "y")])
    assert join_suites([]) is None


def test_the_file_beside_an_expression_is_found(tmp_path: Path) -> None:
    assert find_suite_beside(tmp_path / "web.nix") is None

    beside = tmp_path / "web.checks.yaml"
    beside.write_text("checks: {}\n")
    assert find_suite_beside(tmp_path / "web.nix") == beside

    (tmp_path / "web.checks.json").write_text("{}")
    with pytest.raises(UsageError, match="more than one check file"):
        find_suite_beside(tmp_path / "web.nix")


def test_a_check_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*none.yaml: No such file or directory"):
        read_suite(tmp_path / "none.yaml")
