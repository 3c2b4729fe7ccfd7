"""Every way out of nixdock that text of others can take."""

from __future__ import annotations

import contextlib
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from traceback import format_exception as traceback_of
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from nixdock import log, out, pytest_plugin
from nixdock.checks.lint.programs import Gravity, Remark
from nixdock.checks.verdict import Finding, Report, Status, Verdict
from nixdock.cli import doctor, lint, load, main, plugin, plugin_command
from nixdock.cli.options import Session, complete_for_shell
from nixdock.cli.plugin import complete_for_docker
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
from nixdock.progress import open_console
from nixdock.pytest_plugin import check_items
from nixdock.report import github
from nixdock.report.console import TextReport
from nixdock.report.tap import write as write_tap

if TYPE_CHECKING:
    from collections.abc import Callable


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
    log._sink.logger = None


@an_exit()
def log_json(text: str) -> None:
    log.configure(log.DEBUG, as_json=True)
    log.get_logger(text).debug(text, text=text, several=[text])
    log._sink.logger = None


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
