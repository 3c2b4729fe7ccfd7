"""Hostile text at every exit: what nixdock itself writes is shown, and obeyed by nobody."""

from __future__ import annotations

import io
import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from nixdock import out
from nixdock.checks.verdict import Report, Status, Verdict
from nixdock.cli import main
from nixdock.report import github
from nixdock.report.junit import write as write_junit
from nixdock.report.tap import write as write_tap

from .exits import EXITS, quoting, verdict
from .hostile_text import HOSTILE, find_commands, is_obeyed


@pytest.fixture(autouse=True)
def runner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in a runner, whose step does not tell of terminals."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[1:25])
@pytest.mark.parametrize("name", EXITS)
@pytest.mark.sampled(3)
def test_hostile_text_is_shown_and_obeyed_by_nobody(
    name: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    way = EXITS[name]
    returned = way.write(text)
    written = "".join(capsys.readouterr()) if returned is None else returned
    assert written
    assert sorted({hex(ord(one)) for one in written if is_obeyed(one)}) == []
    assert len(find_commands(written)) == way.own
    if not way.lines:
        assert not [
            line for line in written.split("\n") if line.startswith(("PASS forged", "nixdock: forged"))
        ]


def test_no_name_makes_a_failure_one_that_is_expected() -> None:
    for name in ("a # TODO b", "a \\# SKIP b", "a \\\\# TODO b", "#", "a\n# TODO b"):
        line = write_tap(Report((Verdict(name, "run", Status.FAIL),))).split("\n")[2]
        assert not re.search(r"(?<!\\)(\\\\)*#", line), line


def read_row(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().removeprefix("|").removesuffix("|").split("|")]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[1:25])
def test_the_summary_is_one_table_of_text(text: str, tmp_path: Path) -> None:
    page = tmp_path / "summary.md"
    report = Report((verdict(text), verdict(text, Status.SKIP)))
    github.publish(report, io.StringIO(), {"GITHUB_STEP_SUMMARY": str(page)})
    written = page.read_text(encoding="utf-8")
    assert not [one for one in written if is_obeyed(one)]
    header, ruler, *rows, end = written.split("\n")[:-1]
    assert (header, ruler, end) == ("| | image | check | |", "|---|---|---|---|", "")
    assert [len(read_row(row)) for row in rows] == [4, 4]
    assert not re.search(r"[<>`*_\[\]!@\\]|&(?!#\d+;)|(?<!&)#", "".join(rows))
    assert len(written) < 50_000


def test_the_summary_of_many_checks_stays_below_what_github_takes() -> None:
    report = Report(tuple(verdict("|" * 2000) for _ in range(2000)))
    written = github.write_summary(report)
    assert len(written.encode()) < 1 << 20
    assert " more |" in written


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[1:25])
def test_junit_stays_xml(text: str) -> None:
    data = write_junit(Report((verdict(text), quoting(text))), text)
    assert not [one for one in data if unicodedata.category(one) == "Cs" or one < "\t"]
    assert len(list(ET.fromstring(data).iter("testcase"))) == 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::a", "\\x3a:error::a"),
        (" ::error::a", " \\x3a:error::a"),
        ("a ::error::a", "a ::error::a"),
        ("##[error]a", "##\\x5berror]a"),
    ],
)
def test_commands_are_written_out_where_a_runner_reads(
    text: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert out.form_line(text) == shown
    for name in ("GITHUB_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION"):
        monkeypatch.delenv(name, raising=False)
    assert out.form_line(text) == text


def test_json_means_the_same_to_whoever_reads_it() -> None:
    document = {"a": "##[error]b", "##[c]": ["\x1b", "\ud800", "::d::"]}
    written = out.form_json(document)
    assert json.loads(written) == document
    assert "##[" not in written


def test_what_the_locale_cannot_say_is_written_out() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    out.say("für 日本", stream=stream)
    assert stream.buffer.getvalue() == "für \\u65e5\\u672c\n".encode("latin-1")


def test_colours_are_ours_alone() -> None:
    assert out.form_line(out.Painted("a\x1b[0m", "31"), " b") == "\x1b[31ma\\x1b[0m\x1b[0m b"


def test_a_sentence_of_several_lines_forges_none_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    main.tell_error("refused: a\nhint: rm -rf /", hint="look\nnixdock: ok")
    assert capsys.readouterr().err == "nixdock: refused: a\n  hint: rm -rf /\nhint: look\n  nixdock: ok\n"


def test_details_forge_none_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    main.tell_error("it ended", details="a\nnixdock: warning: b\n  c\n", hint="look")
    assert capsys.readouterr().err == "nixdock: it ended\n  a\n  nixdock: warning: b\n    c\nhint: look\n"


def test_a_reader_that_is_gone_ends_the_result_and_not_the_narration() -> None:
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    out.tell("a", stream=Gone())
    with pytest.raises(BrokenPipeError):
        out.say("a", stream=Gone())


def test_what_a_shell_evaluates_stays_as_it_is(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    out.say_exactly("export A='\x1b\udcff\n::b'")
    assert capfdbinary.readouterr().out == b"export A='\x1b\xff\n::b'\n"
