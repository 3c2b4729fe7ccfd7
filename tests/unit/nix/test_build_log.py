from __future__ import annotations

import pytest

from nixdock.nix.build_log import (
    Activity,
    LogLine,
    Message,
    PhaseSet,
    Position,
    Progressed,
    Started,
    Stopped,
    parse_line,
    strip_escapes,
)

from .replay import VERSIONS, log_of


@pytest.mark.parametrize("version", VERSIONS)
def test_a_build_is_read_from_its_start_to_its_end(version: str) -> None:
    entries = [parse_line(line) for line in log_of(version, "good")]
    started = [entry for entry in entries if isinstance(entry, Started) and entry.kind == Activity.BUILD]
    assert [str(entry.fields[0]).partition("-")[2] for entry in started] == ["dependency.drv", "good.drv"]
    stopped = {entry.id for entry in entries if isinstance(entry, Stopped)}
    assert {entry.id for entry in entries if isinstance(entry, Started)} == stopped
    assert PhaseSet(started[0].id, "buildPhase") in entries
    lines = [entry.text for entry in entries if isinstance(entry, LogLine)]
    assert lines == ["building", "bold", "100%"]


@pytest.mark.parametrize("version", VERSIONS)
def test_an_error_has_its_sentence_its_place_and_where_it_came_from(version: str) -> None:
    entries = [parse_line(line) for line in log_of(version, "undefined")]
    (error,) = [entry for entry in entries if isinstance(entry, Message) and entry.is_error]
    assert error.sentence == "undefined variable 'foo'"
    assert error.position == Position("/tmp/nixdock-recording/undefined.nix", 2, 7)
    assert "\x1b" not in error.text


@pytest.mark.parametrize("version", VERSIONS)
def test_an_expression_without_a_file_has_a_place_too(version: str) -> None:
    (error,) = [m for m in map(parse_line, log_of(version, "expression")) if isinstance(m, Message)]
    assert error.position == Position("«expression»", 2, 5)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_frames_of_an_error_begin_at_the_innermost(version: str) -> None:
    (error,) = [m for m in map(parse_line, log_of(version, "thrown")) if isinstance(m, Message)]
    assert error.sentence == "the name x is wrong"
    assert [frame.file.rpartition("/")[2] for frame in error.frames[:1]] == ["library.nix"]
    assert error.frames[-1].file.endswith("evaluate.nix")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_recorded_line_is_understood_or_known_to_be_of_no_use(version: str) -> None:
    for line in log_of(version, "good") + log_of(version, "substituted") + log_of(version, "gone"):
        entry = parse_line(line)
        assert entry is not None or b'"type":106' in line  # an expectation, whose progress is told too


def test_what_the_message_itself_says_of_its_place_is_not_said_twice() -> None:
    line = b'@nix {"action":"msg","level":0,"msg":"error: config must be a set (at /home/a b/x.nix:9:5)"}'
    message = parse_line(line)
    assert isinstance(message, Message)
    assert message.told == Position("/home/a b/x.nix", 9, 5)
    assert "x.nix" not in message.sentence


def test_progress_has_its_four_numbers() -> None:
    line = b'@nix {"action":"result","fields":[1,2,3,4],"id":7,"type":105}\n'
    assert parse_line(line) == Progressed(7, done=1, expected=2, running=3, failed=4)


@pytest.mark.parametrize(
    "line",
    [
        b'@nix {"action":"start","id":1,"level":3,"text":"new","type":9999}',
        b'@nix {"action":"result","fields":[true],"id":1,"type":9999}',
        b'@nix {"action":"result","fields":[],"id":1,"type":101}',
        b'@nix {"action":"result","fields":["x"],"id":1,"type":105}',
        b'@nix {"action":"result","id":1,"type":105}',
        b'@nix {"action":"celebrate"}',
        b'@nix {"no":"action"}',
        b"@nix []",
        b"@nix 7",
        b"",
        b"\n",
    ],
)
def test_what_a_newer_nix_may_write_harms_nothing(line: bytes) -> None:
    entry = parse_line(line)
    assert entry is None or entry == Started(1, 9999, "new")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"fatal: not a git repository\n", "fatal: not a git repository"),
        (b'@nix {"action":"msg","lev\n', '@nix {"action":"msg","lev'),
        (b"\xff\xfe broken\n", "\ufffd\ufffd broken"),
    ],
)
def test_what_other_programs_write_is_a_message(line: bytes, text: str) -> None:
    entry = parse_line(line)
    assert isinstance(entry, Message)
    assert entry.text == text
    assert not entry.is_error


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\x1b[31;1merror:\x1b[0m no", "error: no"),
        ("\x1b]8;;http://x.test\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;title\x07text", "text"),
        ("10%\r50%\r100%", "100%"),
        ("10%\r100%\r", "100%"),
        ("a\tb\x08\x00c", "a\tbc"),
        ("two\nlines", "two\nlines"),
    ],
)
def test_what_only_a_terminal_understands_is_taken_out(text: str, plain: str) -> None:
    assert strip_escapes(text) == plain
