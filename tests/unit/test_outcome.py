from __future__ import annotations

import mmap

from nixdock.outcome import Capture, tail_of, text_of


def test_a_short_output_stays_in_memory() -> None:
    capture = Capture()
    capture.write(b"Hello, ")
    capture.write(b"world!\n")

    assert capture.output == b"Hello, world!\n"
    assert len(capture) == 14


def test_a_long_output_goes_to_a_file_and_nothing_of_it_is_lost() -> None:
    with Capture(in_memory=10) as capture:
        for piece in (b"01234", b"56789", b"abc", b"", b"def"):
            capture.write(piece)
        output = capture.output

    assert isinstance(output, mmap.mmap)
    assert output[:] == b"0123456789abcdef"
    assert output.find(b"9ab") == 9


def test_the_output_can_be_looked_at_while_more_arrives() -> None:
    with Capture(in_memory=4) as capture:
        capture.write(b"12345")
        early = capture.output
        capture.write(b"678")

        assert early[:] == b"12345"
        assert capture.output[:] == b"12345678"


def test_the_tail_is_the_last_lines_with_bad_bytes_replaced() -> None:
    assert tail_of(b"a\nb\n\xff\nd", lines=2) == "\ufffd\nd"
    assert tail_of(b"") == ""
    assert text_of(b"abc", limit=2) == "ab"
