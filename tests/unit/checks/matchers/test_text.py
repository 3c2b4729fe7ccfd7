from __future__ import annotations

import json
from pathlib import Path

import pytest

from nixdock.checks.matchers.algebra import AllOf, AnyOf, Between, Matcher, NoneOf, exactly
from nixdock.checks.matchers.text import Contains, Empty, Equals, IsJson, Length, Lines, Matches, RecordedIn
from nixdock.checks.matchers.value import EqualsValue, Members
from nixdock.checks.regex import compile_pattern
from nixdock.outcome import Capture, Output


def _messages(matcher: Matcher[Output], output: Output) -> list[str]:
    return [mismatch.message for mismatch in matcher.judge(output)]


def test_equal_text_matches_and_a_short_difference_is_quoted() -> None:
    assert Equals(b"PONG\n").judge(b"PONG\n") == ()
    assert _messages(Equals(b"PONG"), b"PING") == ["expected to be 'PONG', found 'PING'"]


def test_a_difference_in_the_final_newline_alone_is_called_that() -> None:
    assert _messages(Equals(b"PONG"), b"PONG\n") == ["expected to be 'PONG'; it has a final newline more"]
    assert _messages(Equals(b"PONG\n"), b"PONG") == ["expected to be 'PONG\\n'; it lacks the final newline"]


def test_a_longer_difference_is_a_unified_diff() -> None:
    expected = b"".join(b"line %d\n" % number for number in range(20))
    found = expected.replace(b"line 10\n", b"line ten\n")

    (mismatch,) = Equals(expected).judge(found)

    assert mismatch.message == "differs from what is expected"
    assert mismatch.details is not None
    assert mismatch.details.splitlines() == [
        "--- expected",
        "+++ found",
        "@@ -8,7 +8,7 @@",
        " line 7",
        " line 8",
        " line 9",
        "-line 10",
        "+line ten",
        " line 11",
        " line 12",
        " line 13",
    ]


def test_a_diff_of_gigantic_texts_is_bounded_and_begins_at_the_difference() -> None:
    expected = b"same\n" * 500_000 + b"old\n" + b"a\nb\n" * 500_000
    found = b"same\n" * 500_000 + b"new\n" + b"b\na\n" * 500_000

    (mismatch,) = Equals(expected).judge(found)

    assert mismatch.details is not None
    lines = mismatch.details.splitlines()
    assert len(lines) < 250
    assert lines[2].startswith("@@ -499998,")
    assert "-old" in lines
    assert "+new" in lines
    assert lines[-1] == "... what differs further on is not shown"


def test_invisible_differences_are_made_visible() -> None:
    (mismatch,) = Equals(b"one\ntwo\n").judge(b"one\n\xfftwo\n")

    assert mismatch.details is not None
    assert "+\\xfftwo" in mismatch.details


def test_a_missing_newline_at_the_end_is_marked_in_the_diff() -> None:
    (mismatch,) = Equals(b"one\ntwo\n").judge(b"One\ntwo")

    assert mismatch.details is not None
    assert mismatch.details.splitlines()[-1] == "+two    (no newline at the end)"


def test_contains_looks_everywhere_and_survives_invalid_utf8() -> None:
    assert Contains("é".encode()).judge(b"\xff\xc3\xa9\xff") == ()
    assert _messages(Contains(b"world"), b"Hello") == ["expected to contain 'world', found 'Hello'"]


def test_contains_finds_a_piece_in_a_long_output_on_disk() -> None:
    with Capture(in_memory=16) as capture:
        capture.write(b"\0" * 3_000_000 + b"needle" + b"\0" * 1000)
        output = capture.output

    assert Contains(b"needle").judge(output) == ()
    assert "(3.001 MB)" in _messages(Contains(b"other"), output)[0]


def test_a_dollar_that_meets_a_final_newline_is_explained() -> None:
    matcher = Matches(compile_pattern("^web 1\\.2$"))

    assert matcher.judge(b"web 1.2") == ()
    assert "'$' is the very end" in _messages(matcher, b"web 1.2\n")[0]


def test_what_must_not_be_there_is_shown_with_its_line() -> None:
    matcher = NoneOf((Matches(compile_pattern("(?i)error")), Contains(b"panic")))

    assert matcher.judge(b"all is well\n") == ()
    assert _messages(matcher, b"one\ntwo ERROR here\nthree\n") == [
        "expected not to match /(?i)error/, but it does: line 2 is 'two ERROR here'"
    ]


def test_all_tells_everything_and_any_is_content_with_one() -> None:
    matchers = (Contains(b"a"), Contains(b"b"))

    assert len(AllOf(matchers).judge(b"only a")) == 1
    assert len(AllOf(matchers).judge(b"xyz")) == 2
    assert AnyOf(matchers).judge(b"xbz") == ()
    (mismatch,) = AnyOf(matchers).judge(b"xyz")
    assert mismatch.message == "expected to contain 'a' or contain 'b'; none of them holds"


def test_empty_means_no_byte_at_all() -> None:
    assert Empty().judge(b"") == ()
    assert _messages(Empty(), b"\n") == ["expected to be empty, found '\\n'"]
    assert Empty(expected=False).judge(b"\n") == ()
    assert _messages(Empty(expected=False), b"") == ["expected to not be empty"]


def test_a_length_has_bounds() -> None:
    assert Length(Between(high=3)).judge(b"abc") == ()
    assert _messages(Length(Between(high=3)), b"abcd") == ["length: expected to be at most 3, found 4"]


def test_lines_are_compared_one_by_one_and_counted() -> None:
    matcher = Lines(exactly=(Equals(b"one"), Contains(b"w")))

    assert matcher.judge(b"one\ntwo\n") == ()
    assert matcher.judge(b"one\r\ntwo") == ()
    assert _messages(matcher, b"uno\ntwo\nthree\n") == [
        "line 1: expected to be 'one', found 'uno'",
        "expected 2 lines, found 3; the first extra: 'three'",
    ]
    assert _messages(matcher, b"one\n") == ["expected 2 lines, found 1"]
    assert _messages(Lines(exactly=()), b"") == []


def test_some_line_every_line_and_their_number() -> None:
    matcher = Lines(some=(Equals(b"b"),), every=Matches(compile_pattern("^[a-z]$")), count=exactly(2))

    assert matcher.judge(b"a\nb\n") == ()
    assert _messages(matcher, b"a\nB\nc\n") == [
        "expected a line to be 'b'; none of 3 lines does",
        "line 2: expected to match /^[a-z]$/, found 'B'",
        "number of lines: expected to be 2, found 3",
    ]


def test_json_in_text_is_judged_as_a_value() -> None:
    matcher = IsJson(Members((("status", EqualsValue("ok")),)))

    assert matcher.judge(json.dumps({"status": "ok", "more": 1}).encode()) == ()
    assert _messages(matcher, b'{"status": "bad"}') == ['status: expected to be "ok", found "bad"']
    assert _messages(matcher, b"oops")[0].startswith("expected JSON, found 'oops': ")


def test_json_nested_without_end_is_a_mismatch_not_a_crash() -> None:
    assert "nested too deep" in _messages(IsJson(EqualsValue(1)), b"[" * 200_000)[0]


def test_a_snapshot_masks_store_hashes(tmp_path: Path) -> None:
    file = tmp_path / "snapshots" / "out.txt"
    matcher = RecordedIn("out", file)
    output = b"/nix/store/4b1sx2gsbb8iqm93q7cknh6b9wrmr8h4-hello/bin/hello\n"
    assert "there is no snapshot" in _messages(matcher, output)[0]

    assert RecordedIn("out", file, update=True).judge(output) == ()

    assert file.read_bytes() == (b"/nix/store/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-hello/bin/hello\n")
    assert matcher.judge(b"/nix/store/7b1sx2gsbb8iqm93q7cknh6b9wrmr8h5-hello/bin/hello\n") == ()
    assert "differs from the snapshot" in _messages(matcher, b"/nix/store/short-hello\n")[0]
    assert "has no folder" in _messages(RecordedIn("out"), b"")[0]


@pytest.mark.parametrize("output", [b"a\nb", b"a\nb\n"])
def test_a_final_newline_makes_no_further_line(output: bytes) -> None:
    assert Lines(count=exactly(2)).judge(output) == ()
