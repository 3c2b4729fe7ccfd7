from __future__ import annotations

import re
from pathlib import Path

import pytest

from nixdock.checks.regex import as_utf8, compile_pattern
from nixdock.outcome import Capture

_GO = Path(__file__).parents[1] / "data" / "go-semantics.txt"
_LINE = re.compile(r're ("(?:[^"\\]|\\.)*")\s+("(?:[^"\\]|\\.)*")\s+(true|false|ERR.*)')

# Where RE2 in C++ is more generous than Go's own library; the reader of container-structure-test
# files holds these by itself.
_ONLY_GO_REFUSES = {r"(?<n>a)", r"\C"}


_ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|.)")
_NAMED = {"n": b"\n", "t": b"\t", "r": b"\r", "v": b"\v", "f": b"\f", "a": b"\a", "b": b"\b"}


def _unquote_go(text: str) -> bytes:
    """Read a Go string literal as bytes: `\\xff` is one byte, other characters are UTF-8."""
    result = b""
    position = 1
    for escape in _ESCAPE.finditer(text[:-1]):
        result += text[position : escape.start()].encode()
        if escape[1][0] == "x" and len(escape[1]) == 3:
            result += bytes.fromhex(escape[1][1:])
        elif escape[1][0] == "u" and len(escape[1]) == 5:
            result += chr(int(escape[1][1:], 16)).encode()
        else:
            result += _NAMED.get(escape[1], escape[1].encode())
        position = escape.end()
    return result + text[position:-1].encode()


def _probes() -> list[tuple[str, bytes, str]]:
    found = [_LINE.fullmatch(line) for line in _GO.read_text().splitlines() if line.startswith("re ")]
    return [(_unquote_go(m[1]).decode(), _unquote_go(m[2]), m[3]) for m in found if m]


def test_every_probe_of_the_recording_is_read() -> None:
    assert len(_probes()) == sum(line.startswith("re ") for line in _GO.read_text().splitlines()) > 50


@pytest.mark.parametrize(("pattern", "text", "answer"), _probes())
def test_patterns_mean_what_they_mean_to_go(pattern: str, text: bytes, answer: str) -> None:
    if answer.startswith("ERR") and pattern not in _ONLY_GO_REFUSES:
        with pytest.raises(ValueError, match="is not an RE2 regular expression"):
            compile_pattern(pattern)
    elif not answer.startswith("ERR"):
        assert compile_pattern(pattern).found_in(text) == (answer == "true")


def test_look_around_is_refused_with_its_reason() -> None:
    with pytest.raises(ValueError, match="RE2 has no look-around"):
        compile_pattern("a(?=b)")


def test_a_catastrophic_pattern_is_linear() -> None:
    assert not compile_pattern("^(a+)+$").found_in(b"a" * 200_000 + b"b")


def test_a_byte_that_is_not_utf8_is_one_replacement_character() -> None:
    assert as_utf8(b"a\xff\xe2\x82b") == "a\ufffd\ufffd\ufffdb".encode()
    assert compile_pattern("^a.{3}b$").found_in(b"a\xff\xe2\x82b")
    assert as_utf8(b"plain") == b"plain"


def test_a_long_output_is_searched_where_it_lies() -> None:
    with Capture(in_memory=8) as capture:
        capture.write(b"x" * 100 + b"\xffneedle")
        output = capture.output

    assert compile_pattern("x\ufffdneedle$").found_in(output)
    assert not compile_pattern("^needle").found_in(output)
