"""Text of others: its lines, and how it is shown."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from nixdock.text import clean, read_bounded, split_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\tü\n日本", "plain\tü\n日本"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\rb\x08\x7f", "a\\x0db\\x08\\x7f"),
        ("\x9b2J\x85", "\\x9b2J\\x85"),
        ("\u202egnp.exe\u2069", "\\u202egnp.exe\\u2069"),
        ("one\u2028two", "one\\u2028two"),
        ("\udcff", "\\udcff"),
    ],
)
def test_text_is_shown_and_not_obeyed(text: str, shown: str) -> None:
    assert clean(text) == shown
    clean(text).encode()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("\n", [""]),
        ("a", ["a"]),
        ("a\nb\n", ["a", "b"]),
        ("a\n\nb", ["a", "", "b"]),
        ("a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g\n", ["a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g"]),
        ("a\r\nb", ["a\r", "b"]),
    ],
)
def test_lines_end_at_a_newline_and_nowhere_else(text: str, lines: list[str]) -> None:
    assert split_lines(text) == lines


def test_a_file_is_read_whole_up_to_its_limit(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 1000)

    assert read_bounded(file, 1000) == b"x" * 1000
    with pytest.raises(OSError, match="it is larger than"):
        read_bounded(file, 999)


def test_what_is_no_regular_file_is_not_read_nor_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in (tmp_path / "pipe", Path("/dev/zero"), Path("/dev/null")):
        for from_shell in (False, True):
            with pytest.raises(OSError, match="it is no regular file"):
                read_bounded(name, from_shell=from_shell)
    with pytest.raises(IsADirectoryError):
        read_bounded(tmp_path)


def test_what_looks_regular_and_has_nothing_to_say_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """As /proc/kmsg does: here a terminal that nobody types on."""
    monkeypatch.setattr("nixdock.text._require_file", lambda *_, **__: None)
    ours, theirs = os.openpty()
    said: list[str] = []

    def read() -> None:
        try:
            read_bounded(Path(os.ttyname(theirs)))
        except OSError as error:
            said.append(str(error.strerror))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(20)
    os.close(ours)
    os.close(theirs)
    assert said == ["it is no regular file"]


def test_a_pipe_of_the_shells_is_read_to_its_end() -> None:
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as stream:
            stream.write(b"x" * 200_000)

    thread = threading.Thread(target=write)
    thread.start()
    name = Path(f"/dev/fd/{reading}")
    try:
        assert read_bounded(name, from_shell=True) == b"x" * 200_000
        with pytest.raises(OSError, match="it is no regular file"):
            read_bounded(name)
    finally:
        os.close(reading)
        thread.join(10)
