"""Text of others: its lines, and how it is shown."""

from __future__ import annotations

import pytest

from nixdock.text import clean, split_lines


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
