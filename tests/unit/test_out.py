"""Hostile text at every exit: what nixdock itself writes is shown, and obeyed by nobody."""

from __future__ import annotations

import contextlib
import io
import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from traceback import format_exception as traceback_of
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from nixdock import log, out, pytest_plugin
from nixdock.checks.lint.rules import Gravity, Remark
from nixdock.checks.verdict import Finding, Report, Status, Verdict
from nixdock.cli import doctor, lint, load, main, plugin, plugin_command
from nixdock.cli.completion import complete_for_docker, complete_for_shell
from nixdock.cli.options import Session
from nixdock.cli.plugin_command import Plugin
from nixdock.errors import NixdockError
from nixdock.events import (
    Event,
    Judged,
    Notice,
    OutputLine,
    Warned,
    Work,
    WorkAdvanced,
    WorkFinished,
    WorkStarted,
)
from nixdock.progress.console import open_console
from nixdock.pytest_plugin import check_items
from nixdock.report import github
from nixdock.report.console import TextReport
from nixdock.report.junit import write as write_junit
from nixdock.report.tap import write as write_tap

if TYPE_CHECKING:
    from collections.abc import Callable

HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "\x1b[2J\x1b[Hhome",
    "\x1b]0;a title\x07",
    "\x1b]8;;http://example.com\x1b\\a link\x1b]8;;\x1b\\",
    "\x1b]52;c;cm0gLXJmIC8=\x07",
    "\x1bP$q q\x1b\\",
    "\x1bc",
    "\x1b7\x1b8",
    "\x9b31mC1",
    "\x9d0;title\x9c",
    "\x90q\x9c",
    "ok\rPASS forged",
    "secret\x08\x08\x08\x08\x08\x08open",
    "ding\x07",
    "\x00nul",
    "\x7fdelete",
    "\x0e\x0fshift",
    "\x0bdown\x0cpage",
    "\x1c\x1d\x1e\x1fseparators",
    "next\x85line",
    "\u202egnp.exe",
    "\u2066isolate\u2069",
    "\u200fright\u061cletter\u200eleft",
    "one\u2028PASS forged\u2029two",
    "\ud800lone",
    "\udcffbyte",
    "::error::forged",
    "::add-path::/tmp/evil",
    " ::set-env name=PATH::/tmp/evil",
    "\t::stop-commands::token",
    "\u00a0::set-output name=a::b",
    "\u3000::add-mask::a",
    "\ufeff::error::forged",
    "##[add-path]/tmp/evil",
    "a ##[set-env name=PATH]/tmp/evil",
    "a ##[error]forged",
    "##vso[task.setvariable variable=a]b",
    "##teamcity[buildStatus status='SUCCESS']",
    "a\nPASS forged",
    "a\nnixdock: forged",
    "a\n::add-path::/tmp/evil",
    "a\r\n::set-env name=a::b",
    "a\n  ##[add-path]/tmp/evil",
    "a | b | c",
    "</td></table><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[a](http://example.com) ![b](http://example.com/b.png)",
    "# Heading\n\n* list",
    "`code` **bold** @everyone",
    "[red]markup[/red]",
    "[/]",
    "[bold",
    "%0A::error::forged",
    "%0D%0A::error::forged",
    "]]><!-- & &lt;",
    "\ufffe\uffff",
    "x" * 100_000,
    "-" * 5000 + "\x1b[31m" * 5000,
]

BLANKS = "".join(chr(n) for n in range(0x10000) if chr(n).isspace()) + "\ufeff"
DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def is_obeyed(character: str) -> bool:
    """Whether a terminal does something with a character, or nobody can write it."""
    return (
        (unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} and character not in "\t\n")
        or unicodedata.bidirectional(character) in DIRECTIONS
        or character in "\u200e\u200f\u061c"
    )


def find_commands(text: str) -> list[str]:
    """Return the lines that a runner obeys: actions/runner, ActionCommand.cs, and two of its kind."""
    return [
        line
        for line in re.split(r"\r\n|\n|\r", text)
        if line.lstrip(BLANKS).startswith("::") or re.search(r"##(vso|teamcity)?\[", line)
    ]


@dataclass
class Exit:
    """One way out.

    Args:
        write: Writes a text of others in all places where this exit shows one.
        lines: Whether a text of several lines is shown as such.
        own: How many runner's commands of ours are among it.
    """

    write: Callable[[str], Any]
    lines: bool = False
    own: int = 0


EXITS: dict[str, Exit] = {}


def an_exit(*, lines: bool = False, own: int = 0) -> Callable[[Callable[[str], Any]], Callable[[str], Any]]:
    def add(write: Callable[[str], Any]) -> Callable[[str], Any]:
        EXITS[write.__name__] = Exit(write, lines, own)
        return write

    return add


def verdict(text: str, status: Status = Status.FAIL) -> Verdict:
    return Verdict(
        name=f"{text}",
        kind="run",
        status=status,
        findings=(Finding(text, text), Finding("", text)),
        reason=text,
        notes=(text,),
        reproduce=text,
        suite=text,
        place=f"{text}:1:2",
    )


def quoting(text: str) -> Verdict:
    """Return a verdict that shows several lines."""
    findings = (Finding("stdout", "differs", f"--- expected\n+++ found\n-{text}\n+{text}\n {text}\n{text}"),)
    return Verdict("a", "run", Status.FAIL, findings, stdout=text, stderr=text)


@an_exit()
def error_sentence(text: str) -> None:
    main.tell_error(text, hint=text)


@an_exit()
def error_details(text: str) -> None:
    main.tell_error("the engine refused", details=f"{text}\n{text}")


@an_exit()
def usage_of_an_unknown_command(text: str) -> None:
    assert main.run([text or "x"]) in {0, 2}


@an_exit()
def usage_of_an_unknown_option(text: str) -> None:
    assert main.run(["lint", f"--none{text}"]) == 2


@an_exit()
def usage_of_a_wrong_choice(text: str) -> None:
    assert main.run(["--progress", f"x{text}", "lint"]) == 2


@an_exit()
def usage_of_too_many_words(text: str) -> None:
    assert main.run(["doctor", text, text]) == 2


@an_exit()
def usage_of_the_plugin(text: str) -> None:
    assert plugin.run([f"--none{text}"], {}) == 2
    assert plugin.run(["--host", text, "--context", text, "nixdock", text], {}) == 2


@an_exit()
def own_fault(text: str) -> None:
    assert main._explain(RuntimeError(text), Session()) == 70
    assert main._explain(OSError(5, text, text), Session()) == 70
    main._explain(NixdockError(text, hint=text), Session())


@an_exit(lines=True)
def traceback(text: str) -> None:
    with contextlib.suppress(ValueError):
        raise ValueError(text)
    assert main._explain(ValueError(text), Session(debug=True)) == 70


def narrate(form: str, text: str, stream: io.StringIO) -> str:
    events: list[Event] = [
        WorkStarted(text, Work.BUILD, text),
        WorkStarted(f"{text}2", Work.SEND, text, 10),
        Notice(text),
        WorkAdvanced(text, 5, 10),
        Warned(text),
        OutputLine(text, text),
        Judged(text, "FAIL", 0.1, (text, f"+{text}")),
        WorkFinished(text, summary=text),
        WorkFinished(f"{text}2", ok=False, summary=text),
        WorkStarted(text, Work.WAIT, text),
    ]
    console = open_console(form, verbose=True, stream=stream, environ={"TERM": "xterm"})  # type: ignore[arg-type]
    for event in events:
        console.tell(event)
    console.close()
    return stream.getvalue()


@an_exit()
def plain_console(text: str) -> str:
    return narrate("plain", text, io.StringIO())


@an_exit()
def quiet_console(text: str) -> str:
    return narrate("quiet", text, io.StringIO())


@an_exit()
def json_console(text: str) -> str:
    written = narrate("json", text, io.StringIO())
    assert json.loads(written.split("\n")[2])["text"] == text
    return written


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@an_exit()
def bars(text: str) -> str:
    written = narrate("auto", text[:2000], Terminal())
    # What moves the bars is rich's own: a few sequences, and the carriage return.
    return re.sub(r"\x1b\[(\?25[lh]|[0-9]?[AK]|[0-9;]*m)|\r", "", written)


@an_exit()
def text_report(text: str) -> str:
    stream = io.StringIO()
    report = TextReport(stream, verbose=True)
    for status in Status:
        report.tell(verdict(text, status))
    report.finish(Report((verdict(text),)))
    return stream.getvalue()


@an_exit(lines=True)
def text_report_in_colours(text: str) -> str:
    stream = io.StringIO()
    TextReport(stream, colour=True).tell(quoting(text))
    return re.sub(r"\x1b\[(3[1-6]|0)m", "", stream.getvalue())


@an_exit()
def json_report(text: str) -> None:
    out.say_json(Report((verdict(text), quoting(text))).to_json())


@an_exit()
def tap(text: str) -> None:
    out.say_text(write_tap(Report((verdict(text), verdict(text, Status.SKIP)))))


@an_exit(own=2)
def github_annotations(text: str) -> str:
    stream = io.StringIO()
    github.publish(Report((verdict(text), quoting(text))), stream, {})
    lines = stream.getvalue().split("\n")
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::error", ""]
    return stream.getvalue()


@an_exit()
def lint_report(text: str) -> None:
    lint._print(text, [Remark("shell", Gravity.FAULT, text, text)])
    lint._print(text, [])


@an_exit()
def doctor_report(text: str) -> None:
    doctor._show(doctor.Diagnosis(text, doctor.State.MISSING, text, text))


@an_exit()
def loaded(text: str) -> None:
    image = SimpleNamespace(name=text, references=[SimpleNamespace(familiar=text)], engine_id=text)
    load._print(Session(), (image,), as_json=False)  # type: ignore[arg-type]


@an_exit()
def plugin_status(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plugin_command, "find_plugins", lambda: [Plugin(Path(f"/{text}"), text, is_ours=False)])
        assert main.run(["plugin", "status"]) == 0
        assert main.run(["plugin", "status", "--json"]) == 0


@an_exit()
def completion_for_docker(text: str) -> None:
    complete_for_docker(main.program, ["lint", text], described=True)
    complete_for_docker(main.program, [text], described=False)


@an_exit(lines=True)
def completion_for_zsh(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMP_WORDS", "nixdock lint x")
        patch.setenv("COMP_CWORD", "2")
        patch.setattr("click.shell_completion.ZshComplete.get_completion_args", lambda _: (["lint"], text))
        assert complete_for_shell(main.program, Session(), "zsh_complete") == 0


@an_exit()
def log_line(text: str) -> None:
    log.configure(log.DEBUG)
    log.get_logger(text).debug(text, text=text, several=[text], raw=text.encode(errors="replace"))
    log.silence()


@an_exit()
def log_json(text: str) -> None:
    log.configure(log.DEBUG, as_json=True)
    log.get_logger(text).debug(text, text=text, several=[text])
    log.silence()


@an_exit(lines=True)
def pytest_failure(text: str) -> str:
    item = SimpleNamespace()
    errors = (check_items.CheckFailedError((verdict(text), quoting(text))), NixdockError(text, details=text))
    shown = [
        check_items.CheckItem.repr_failure(item, SimpleNamespace(value=error))  # type: ignore[arg-type]
        for error in errors
    ]
    return "\n".join(shown)


@an_exit(lines=True)
def pytest_error(text: str) -> str:
    error = NixdockError(text, hint=text, details=text)
    pytest_plugin._disarm(error)
    return str(error)


@an_exit(lines=True)
def pytest_error_with_its_causes(text: str) -> str:
    plain, foreign = ValueError("plain"), ValueError(text)
    plain.__context__ = foreign
    error = NixdockError("a sentence")
    error.__cause__ = plain
    pytest_plugin._disarm(error)
    return "".join(traceback_of(error))


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
