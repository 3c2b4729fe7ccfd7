from __future__ import annotations

from pathlib import Path

import pytest

from nixdock.checks.expectations import expectations_from_options, judge_outcome, judge_run
from nixdock.checks.verdict import Finding, Report, Status, Verdict
from nixdock.errors import UsageError
from nixdock.outcome import RunOutcome


def test_no_option_is_no_expectation() -> None:
    assert expectations_from_options() is None


def test_an_expected_text_implies_exit_status_0() -> None:
    expectation = expectations_from_options(texts=["Hello, world!"])

    assert expectation is not None
    assert judge_run(expectation, RunOutcome(0, b"Hello, world!\n")) == ()
    assert [str(finding) for finding in judge_run(expectation, RunOutcome(3, b"Hello, world!\n"))] == [
        "exit: expected to be 0, found 3"
    ]
    assert [finding.subject for finding in judge_run(expectation, RunOutcome(1, b"Bye"))] == [
        "exit",
        "stdout",
    ]


def test_texts_and_expressions_must_all_hold_and_exit_statuses_are_alternatives() -> None:
    expectation = expectations_from_options(texts=["a", "b"], regexes=["^a", "b$"], exit_codes=[0, 2])

    assert expectation is not None
    assert judge_run(expectation, RunOutcome(2, b"ab")) == ()
    assert len(judge_run(expectation, RunOutcome(1, b"ba"))) == 3


def test_a_file_is_the_whole_output_and_a_difference_is_a_diff(tmp_path: Path) -> None:
    file = tmp_path / "golden.txt"
    file.write_bytes(b"one\ntwo\n")
    expectation = expectations_from_options(stdout_files=[file])

    assert expectation is not None
    assert judge_run(expectation, RunOutcome(0, b"one\ntwo\n")) == ()
    (finding,) = judge_run(expectation, RunOutcome(0, b"one\nthree\n"))
    assert finding.details is not None
    assert "-two\n+three" in finding.details


def test_standard_error_has_its_own_file(tmp_path: Path) -> None:
    file = tmp_path / "err.txt"
    file.write_bytes(b"")
    expectation = expectations_from_options(stderr_files=[file])

    assert expectation is not None
    assert judge_run(expectation, RunOutcome(0, b"anything")) == ()
    assert judge_run(expectation, RunOutcome(0, b"", b"warning"))[0].subject == "stderr"


@pytest.mark.parametrize(
    ("expected", "found", "lines"),
    [
        (b"hi\n", b"ho\n", ["@@ -1 +1 @@", "-hi", "+ho"]),
        (b"hi\n", b"hi", ["@@ -1 +1 @@", "-hi", "+hi    (no newline at the end)"]),
        (b"", b"ho\n", ["@@ -0,0 +1 @@", "+ho"]),
        (b"hi\n", b"", ["@@ -1 +0,0 @@", "-hi"]),
    ],
)
def test_what_differs_from_a_file_is_a_diff_however_short(
    expected: bytes, found: bytes, lines: list[str], tmp_path: Path
) -> None:
    (tmp_path / "want").write_bytes(expected)
    expectation = expectations_from_options(stdout_files=[tmp_path / "want"])

    assert expectation is not None
    (finding,) = judge_run(expectation, RunOutcome(0, found))
    assert finding.message == f"differs from {tmp_path / 'want'}"
    assert str(finding.details).splitlines() == ["--- expected", "+++ found", *lines]


def test_a_text_in_the_other_stream_is_pointed_out() -> None:
    expectation = expectations_from_options(texts=["ready"])

    assert expectation is not None
    (finding,) = judge_run(expectation, RunOutcome(0, b"", b"ready\n"))
    assert finding.message.endswith("; stderr has it")


def test_a_run_that_was_killed_for_its_time_is_that_alone() -> None:
    expectation = expectations_from_options(texts=["ready"])

    assert expectation is not None
    (finding,) = judge_run(expectation, RunOutcome(137, b"half", timed_out=True, seconds=5.0))
    assert finding == Finding("timeout", "it did not end within its time and was killed after 5.0 s", "half")


def test_bad_options_are_usage_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--expect-regex: 'a\(\?=b\)' is not an RE2"):
        expectations_from_options(regexes=["a(?=b)"])
    with pytest.raises(UsageError, match=r"--expect-stdout: cannot read .*: No such file or directory"):
        expectations_from_options(stdout_files=[tmp_path / "none"])


def test_a_verdict_carries_the_tail_of_what_failed() -> None:
    expectation = expectations_from_options(exit_codes=[0])

    assert expectation is not None
    assert judge_outcome(expectation, RunOutcome(0, b"fine")).verdict("run", "run") == Verdict(
        "run", "run", Status.PASS
    )
    failed = judge_outcome(expectation, RunOutcome(9, b"out", b"err")).verdict("job", "run")
    assert (failed.status, failed.stdout, failed.stderr) == (Status.FAIL, "out", "err")


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([Status.PASS], 0),
        ([Status.PASS, Status.SKIP], 0),
        ([Status.PASS, Status.FAIL], 1),
        ([Status.FAIL, Status.ERROR], 1),
        ([Status.PASS, Status.ERROR], 122),
        ([Status.SKIP], 122),
        ([], 122),
    ],
)
def test_the_exit_status_tells_failure_from_error_and_from_nothing(statuses: list[Status], code: int) -> None:
    report = Report(tuple(Verdict("x", "run", status) for status in statuses))

    assert report.exit_code == code
    assert report.to_json()["summary"]["exit_code"] == code
