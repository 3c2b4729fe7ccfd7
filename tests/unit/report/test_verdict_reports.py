from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nixdock.checks.verdict import Finding, Report, Status, Verdict
from nixdock.out import is_github
from nixdock.report import github
from nixdock.report.console import TextReport, wants_colour
from nixdock.report.junit import clean
from nixdock.report.junit import write as write_junit
from nixdock.report.tap import write as write_tap

FAILED = Verdict(
    "serves",
    "http",
    Status.FAIL,
    (
        Finding("status", "expected to be 200, found 500"),
        Finding("body", "differs from what is expected", "--- expected\n+++ found\n@@ -1 +1 @@\n-a\n+b"),
    ),
    notes=("not hardened: no network",),
    seconds=0.02,
    reproduce="curl -i http://127.0.0.1:1/",
    suite="web:1",
    place="checks/web.checks.yaml:12:3",
    stdout="b",
    stderr="oops\x1b[31m",
)
REPORT = Report(
    (
        Verdict("version", "run", Status.PASS, seconds=0.5, suite="web:1", notes=("quiet",)),
        FAILED,
        Verdict("later", "exec", Status.SKIP, reason="not yet # really", suite="web:1"),
        Verdict("broken", "exec", Status.ERROR, (Finding("", "the engine is gone"),), suite="db:1"),
    ),
    seconds=1.25,
)


def _text(report: Report, *, colour: bool = False, verbose: bool = False) -> str:
    out = io.StringIO()
    text = TextReport(out, colour, verbose)
    for verdict in report.verdicts:
        text.tell(verdict)
    text.finish(report)
    return out.getvalue()


def test_people_get_a_line_a_check_and_why_it_failed() -> None:
    assert _text(REPORT).splitlines() == [
        "web:1",
        "PASS   version  (500 ms)",
        "FAIL   serves  (20 ms)",
        "       status: expected to be 200, found 500",
        "       body: differs from what is expected",
        "         --- expected",
        "         +++ found",
        "         @@ -1 +1 @@",
        "         -a",
        "         +b",
        "       stderr:",
        "         oops\\x1b[31m",
        "       note: not hardened: no network",
        "       by hand: curl -i http://127.0.0.1:1/",
        "       written in checks/web.checks.yaml:12:3",
        "SKIP   later  not yet # really",
        "db:1",
        "ERROR  broken  (0 ms)",
        "       the engine is gone",
        "1 passed, 1 failed, 1 could not run, 1 skipped in 1.2 s",
    ]


def test_notes_of_what_holds_are_for_those_who_ask() -> None:
    assert "note: quiet" not in _text(REPORT)
    assert "note: quiet" in _text(REPORT, verbose=True)


def test_colours_are_for_terminals_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[32mPASS \x1b[0m" in _text(REPORT, colour=True)
    assert "\x1b" not in _text(REPORT)
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    assert wants_colour(terminal, {"TERM": "xterm"})
    assert not wants_colour(terminal, {"TERM": "xterm", "NO_COLOR": "1"})
    assert not wants_colour(io.StringIO(), {})


def test_nothing_checked_is_said() -> None:
    assert _text(Report(())) == "nothing was checked in 0 ms\n"


def test_machines_get_everything_as_json() -> None:
    value = json.loads(json.dumps(REPORT.to_json()))

    assert value["summary"] == {
        "passed": 1, "failed": 1, "errors": 1, "skipped": 1, "total": 4, "seconds": 1.25, "exit_code": 1,
    }  # fmt: skip
    assert value["checks"][1]["findings"][0] == {
        "subject": "status",
        "message": "expected to be 200, found 500",
    }
    assert value["checks"][0] == {
        "name": "version", "kind": "run", "status": "PASS", "seconds": 0.5, "suite": "web:1",
        "notes": ["quiet"],
    }  # fmt: skip


def test_junit_has_a_suite_an_image_and_one_failure_a_case() -> None:
    root = ET.fromstring(write_junit(REPORT))

    assert root.tag == "testsuites"
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped", "time")} == {
        "tests": "4", "failures": "1", "errors": "1", "skipped": "1", "time": "1.250000",
    }  # fmt: skip
    web, db = root.findall("testsuite")
    assert (web.get("name"), web.get("tests"), web.get("failures"), web.get("skipped")) == (
        "web:1",
        "3",
        "1",
        "1",
    )
    assert (db.get("name"), db.get("errors")) == ("db:1", "1")
    failed = web.findall("testcase")[1]
    assert (failed.get("classname"), failed.get("name")) == ("web:1.http", "serves")
    assert (failed.get("file"), failed.get("line")) == ("checks/web.checks.yaml", "12")
    (failure,) = failed.findall("failure")
    assert failure.get("message") == "status: expected to be 200, found 500"
    assert failure.text is not None
    assert "+b" in failure.text
    assert failed.findtext("system-out") == "b"
    assert failed.findtext("system-err") == "oops\ufffd[31m"
    assert db.find("testcase/error") is not None
    skipped = web.find("testcase/skipped")
    assert skipped is not None
    assert skipped.get("message") == "not yet # really"


HASHES = ("gpxm7vm82snfwsk054zq15hkkmyjabhb", "h5jlf4ahqpdhs6zg9if9qkvnj7lj0553")


def test_names_in_junit_and_tap_are_the_same_after_another_build() -> None:
    reports = [Report((Verdict("a", "run", Status.PASS, suite=f"hello:{tag}"),)) for tag in HASHES]
    suites = [ET.fromstring(write_junit(report)).findall("testsuite")[0] for report in reports]

    for suite, tag in zip(suites, HASHES, strict=True):
        assert suite.get("name") == "hello"
        assert [(case.get("classname"), case.get("name")) for case in suite.findall("testcase")] == [
            ("hello.run", "a")
        ]
        (fact,) = suite.findall("properties/property")
        assert (fact.get("name"), fact.get("value")) == ("reference", f"hello:{tag}")
    for report, tag in zip(reports, HASHES, strict=True):
        assert write_tap(report) == f"TAP version 13\n1..1\n# hello: hello:{tag}\nok 1 - hello - a\n"


@given(st.text(st.characters(codec=None)))
def test_no_text_breaks_the_xml(text: str) -> None:
    verdict = Verdict(
        text, "x", Status.FAIL, (Finding(text, text, text),), suite=text, stdout=text, place=text
    )

    root = ET.fromstring(write_junit(Report((verdict,))))

    case = root.find("testsuite/testcase")
    assert case is not None
    normal = clean(text).replace("\r\n", "\n").replace("\r", "\n")
    assert (case.get("name") or "").split() == normal.split()


def test_tap_has_a_line_a_check_and_yaml_below_failures() -> None:
    lines = write_tap(REPORT).splitlines()

    assert lines[:4] == ["TAP version 13", "1..4", "ok 1 - web:1 - version", "not ok 2 - web:1 - serves"]
    start, end = lines.index("  ---"), lines.index("  ...")
    facts = yaml.safe_load("\n".join(lines[start + 1 : end]))
    assert facts["severity"] == "fail"
    assert facts["findings"][1]["details"].endswith("+b")
    assert "ok 3 - web:1 - later # SKIP not yet # really" in lines
    assert "not ok 4 - db:1 - broken" in lines
    assert '  severity: "error"' in lines


@given(st.text(st.characters(codec="utf-8")))
def test_no_name_breaks_the_tap(text: str) -> None:
    tap = write_tap(Report((Verdict(text, "x", Status.PASS),)))

    assert len(tap.splitlines()) == 3
    assert "# SKIP" not in tap.replace("\\#", "")


def test_github_gets_annotations_at_the_checks_places(tmp_path: Path) -> None:
    lines = list(github.write_annotations(REPORT))

    assert lines[0].startswith(
        "::error title=FAIL serves,file=checks/web.checks.yaml,line=12,col=3::status: expected to be 200"
    )
    assert "%0A" in lines[0]
    assert lines[1] == "::error title=ERROR broken::the engine is gone"
    here = Report((Verdict("a", "x", Status.FAIL, place=f"{tmp_path}/a,b:1.yaml:1:2"),))
    assert list(github.write_annotations(here, str(tmp_path))) == [
        "::error title=FAIL a,file=a%2Cb%3A1.yaml,line=1,col=2::"
    ]


def test_github_is_told_and_gets_a_summary(tmp_path: Path) -> None:
    out = io.StringIO()
    page = tmp_path / "summary.md"
    github.publish(REPORT, out, {"GITHUB_STEP_SUMMARY": str(page)})

    assert len(out.getvalue().splitlines()) == 2
    assert "| FAIL | web:1 | serves | status: expected to be 200, found 500;" in page.read_text()
    github.publish(REPORT, out, {"GITHUB_STEP_SUMMARY": str(tmp_path / "none" / "x")})
    assert is_github({"GITHUB_ACTIONS": "true"})
    assert not is_github({})
