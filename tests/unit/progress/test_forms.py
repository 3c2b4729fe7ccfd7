"""The forms of the narration on stderr."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nixdock.events import Event, Notice, Warned, Work, WorkAdvanced, WorkFinished, WorkStarted
from nixdock.progress import open_console
from nixdock.progress.narration import JsonConsole, PlainConsole, QuietConsole

EVENTS: tuple[Event, ...] = (
    Notice("package set: our own"),
    WorkStarted("s", Work.SEND, "hello:1", 30_000_000),
    WorkAdvanced("s", 10_000_000),
    WorkFinished("s", summary="1 of 1 layers sent"),
    Warned("look out"),
)


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def show(form: str, stream: io.StringIO, environ: dict[str, str] | None = None) -> str:
    console = open_console(form, stream=stream, environ=environ or {"TERM": "xterm"})  # type: ignore[arg-type]
    for event in EVENTS:
        console.tell(event)
    console.close()
    # What took a twentieth of a second is told with its time, and on a busy machine anything does.
    return re.sub(r", \d+\.\d s\)", ")", stream.getvalue())


def test_quiet_is_warnings_alone() -> None:
    assert show("quiet", io.StringIO()) == "nixdock: warning: look out\n"


def test_json_is_an_object_for_each_event() -> None:
    lines = [json.loads(line) for line in show("json", io.StringIO()).splitlines()]
    assert [line["event"] for line in lines] == [type(event).__name__ for event in EVENTS]
    assert lines[1] == {
        "event": "WorkStarted",
        "key": "s",
        "kind": "send",
        "label": "hello:1",
        "total": 30_000_000,
        "for_seconds": 0.0,
    }


def test_plain_has_no_control_characters() -> None:
    text = show("plain", Terminal())
    assert text.splitlines() == [
        "package set: our own",
        "sent hello:1 (1 of 1 layers sent)",
        "nixdock: warning: look out",
    ]


@pytest.mark.parametrize(
    ("stream", "environ"),
    [
        (io.StringIO(), {"TERM": "xterm"}),
        (Terminal(), {"TERM": "dumb"}),
        (Terminal(), {"TERM": "xterm", "CI": "true"}),
        (Terminal(), {}),
    ],
)
def test_auto_is_plain_where_bars_cannot_be_shown(stream: io.StringIO, environ: dict[str, str]) -> None:
    assert isinstance(open_console("auto", stream=stream, environ=environ), PlainConsole)


def test_auto_shows_bars_on_a_terminal_and_leaves_the_lines_alone() -> None:
    text = show("auto", Terminal())
    assert "sending hello:1" in text
    assert "\x1b[" in text
    assert "sent hello:1 (1 of 1 layers sent)" in text
    assert text.rstrip().endswith("nixdock: warning: look out")


def test_a_terminal_is_shown_what_stands_there() -> None:
    stream = Terminal()
    console = open_console("auto", stream=stream, environ={"TERM": "xterm"})
    console.tell(Notice("mounted /a:key:ro [b]c[/b]"))
    console.close()
    assert "mounted /a:key:ro [b]c[/b]" in stream.getvalue()


def test_no_cursor_stays_hidden_when_work_is_cut_short() -> None:
    stream = Terminal()
    console = open_console("auto", stream=stream, environ={"TERM": "xterm"})
    console.tell(EVENTS[1])
    console.close()
    text = stream.getvalue()
    assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l")


def test_a_terminal_that_went_away_is_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    class Gone(Terminal):
        def write(self, _text: str) -> int:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    console = open_console("auto", stream=Gone(), environ={"TERM": "xterm"})
    for event in EVENTS:
        console.tell(event)
    console.close()
    assert capsys.readouterr() == ("", "")


def test_a_reader_that_went_away_is_no_fault(tmp_path: Path) -> None:
    stream = (tmp_path / "out").open("w")
    stream.close()
    for console in (PlainConsole(stream), QuietConsole(stream), JsonConsole(stream)):
        for event in EVENTS:
            console.tell(event)
        console.close()


def test_rich_is_not_imported_for_plain_lines() -> None:
    program = (
        "import sys; from nixdock.progress import open_console; from nixdock.events import Notice;"
        "open_console('auto').tell(Notice('x')); assert 'rich' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, stderr=subprocess.DEVNULL)
