"""`nixdock up` of a job: run to its end, judged where something is expected, and gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.running.conftest import make_archive, make_root

if TYPE_CHECKING:
    from pathlib import Path

    from integration.running.conftest import Box


def test_without_expectations_the_status_is_the_container_s(any_box: Box) -> None:
    ran = any_box("up", any_box.IMAGE, "--", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (ran.status, ran.out, ran.err) == (3, b"out\n", b"err\n")
    assert any_box.containers() == []


@pytest.mark.parametrize(
    ("words", "command", "status"),
    [
        (["--expect", "hello", "--expect", "the box"], [], 0),
        (["--expect", "hello", "--expect", "bye"], [], 1),
        (["--expect", "hello"], ["sh", "-c", "echo hello; exit 4"], 1),
        (["--expect", "hello", "--expect-exit", "4"], ["sh", "-c", "echo hello; exit 4"], 0),
        (["--expect-exit", "4"], ["sh", "-c", "exit 5"], 1),
        (["--expect-regex", r"^hello\s+from"], [], 0),
        (["--expect-regex", r"^from"], [], 1),
    ],
)
def test_expectations_give_a_verdict(box: Box, words: list[str], command: list[str], status: int) -> None:
    ran = box("up", *words, box.IMAGE, "--", *command)
    verdict = ran.stderr.splitlines()[0]
    assert ran.status == status
    assert verdict.startswith(f"{'FAIL' if status else 'PASS'} {box.IMAGE} (")
    # The output is shown whatever is expected of it.
    assert ran.stdout in {"hello from the box\n", "hello\n", ""}
    assert box.containers() == []


def test_an_exact_output_that_differs_is_shown_as_a_diff(box: Box, tmp_path: Path) -> None:
    (tmp_path / "expected").write_text("one\ntwo\nthree\n")
    ran = box("up", "--expect-stdout", tmp_path / "expected", box.IMAGE, "--", "printf", "one\\n2\\nthree\\n")
    assert ran.status == 1
    for line in ("  -two", "  +2", "   one"):
        assert line in ran.stderr.splitlines()
    (tmp_path / "expected").write_text("one\n2\nthree\n")
    again = box(
        "up", "--expect-stdout", tmp_path / "expected", box.IMAGE, "--", "printf", "one\\n2\\nthree\\n"
    )
    assert (again.status, again.out) == (0, b"one\n2\nthree\n")


def test_standard_error_can_be_expected(box: Box, tmp_path: Path) -> None:
    (tmp_path / "expected").write_text("oops\n")
    words = ("up", "--expect-stderr", tmp_path / "expected", box.IMAGE, "--", "sh", "-c")
    assert box(*words, "echo oops >&2").status == 0
    assert box(*words, "echo other >&2").status == 1


def test_binary_output_without_an_end_of_line_is_exact(box: Box, tmp_path: Path) -> None:
    (tmp_path / "expected").write_bytes(b"\xff\xfe\x00x")
    ran = box("up", "--expect-stdout", tmp_path / "expected", box.IMAGE, "--", "printf", "\\377\\376\\000x")
    assert (ran.status, ran.out) == (0, b"\xff\xfe\x00x")


def test_what_is_expected_at_the_end_of_much_output_is_found(box: Box) -> None:
    script = "dd if=/dev/zero bs=1M count=64 2>/dev/null; echo needle"
    ran = box("up", "--expect", "needle", "--log-driver", "none", box.IMAGE, "--", "sh", "-c", script)
    assert ran.status == 0
    assert len(ran.out) == (64 << 20) + len("needle\n")


def test_a_job_that_takes_too_long_is_124_with_what_it_wrote(box: Box) -> None:
    script = "echo partial; exec sleep 600"
    ran = box("up", "--timeout", "1s", "--expect", "partial", box.IMAGE, "--", "sh", "-c", script)
    assert (ran.status, ran.out) == (124, b"partial\n")
    assert ran.stderr.startswith(f"FAIL {box.IMAGE}")
    assert box.containers() == []


def test_a_command_that_is_not_there_is_127_and_no_verdict(box: Box) -> None:
    ran = box("up", "--expect-exit", "127", box.IMAGE, "--", "nope")
    assert ran.status == 127
    assert "there is no command 'nope'" in ran.stderr


def test_words_without_dashes_are_a_usage_error(box: Box) -> None:
    ran = box("up", box.IMAGE, "echo")
    assert ran.status == 2
    assert "echo" in ran.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--expect-regex", "("], "--expect-regex: "),
        (["--expect-stdout", "none.txt"], "cannot read none.txt: No such file or directory"),
        (["--expect-exit", "x"], "'x' is not a valid integer"),
    ],
)
def test_wrong_expectations_are_usage_errors(box: Box, words: list[str], sentence: str) -> None:
    ran = box("up", *words, box.IMAGE)
    assert sentence in ran.stderr
    assert ran.status == 2


def test_an_archive_is_loaded_and_run(any_box: Box, tmp_path: Path) -> None:
    name = "nixdock-test-archive:7"
    archive = make_archive(name, make_root(), {"Cmd": ["echo", "from the archive"]}, "amd64")
    (tmp_path / "image with a space.tar").write_bytes(archive)
    ran = any_box("up", tmp_path / "image with a space.tar", "--expect", "from the archive")
    assert (ran.status, ran.out) == (0, b"from the archive\n")
    assert f"Loaded image: {name}" in ran.stderr.splitlines()
    any_box.engine.docker("rmi", name)


def test_two_at_once_do_not_touch_each_other(box: Box) -> None:
    script = "echo begun; sleep 1; echo done"
    running = [box.start("up", "--expect", "done", box.IMAGE, "--", "sh", "-c", script) for _ in range(3)]
    assert [one.read_line() for one in running] == ["begun\n"] * 3
    assert [one.end()[:2] for one in running] == [(0, "done\n")] * 3
    assert box.containers() == []
