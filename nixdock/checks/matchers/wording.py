"""How a text is shown in a report: quoted on one line, a line of it, or a diff."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from nixdock.units import format_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nixdock.outcome import Output

_EXCERPT = 160
_CONTEXT = 3
_DIFF_INPUT = 2000
_DIFF_OUTPUT = 200
_LINE = 500
_WINDOW = 1 << 20
_BLOCK = 1 << 20


def lines_of(output: Output) -> Iterator[bytes]:
    r"""Yield the lines without their newlines (`\n` or `\r\n`); nothing follows a final newline."""
    start = 0
    while start < len(output):
        end = output.find(b"\n", start)
        stop = len(output) if end < 0 else end
        yield output[start:stop].removesuffix(b"\r")
        start = stop + 1


def quote(output: Output) -> str:
    """Return the text in quotes on one line, its middle left out where it is long."""
    if len(output) <= _EXCERPT:
        return repr(output[:].decode(errors="backslashreplace"))
    half = _EXCERPT // 2
    head = output[:half].decode(errors="replace")
    tail = output[len(output) - half :].decode(errors="replace")
    return f"{head!r} ... {tail!r} ({format_size(len(output))})"


def line_at(output: Output, position: int) -> str | None:
    """Return the line at a position, with its number, for a report; None before the beginning."""
    if position < 0:
        return None
    start = output.rfind(b"\n", 0, position) + 1
    end = output.find(b"\n", position)
    line = output[start : len(output) if end < 0 else end]
    return f"line {_newlines(output, start) + 1} is {quote(line)}"


def same(output: Output, expected: bytes) -> bool:
    """Whether the two are equal, byte for byte, compared piece by piece."""
    return len(output) == len(expected) and _first_difference(expected, output) == len(expected)


def unified_diff(expected: bytes, found: Output) -> str:
    """Return a unified diff of two texts that differ.

    The work and the result are bounded whatever the texts are: it begins just before the first
    difference, reads a window of both, and says so where more is different beyond that.
    """
    begin = _context_start(expected, _first_difference(expected, found))
    lines, complete = _diff(expected, found, begin, _DIFF_INPUT)
    if len(lines) > _DIFF_OUTPUT:
        # All of the removed lines, cut short, would show none of what is there instead.
        lines, complete = _diff(expected, found, begin, _DIFF_OUTPUT // 3)
    return "\n".join(lines if complete else [*lines, "... what differs further on is not shown"])


def _diff(expected: bytes, found: Output, begin: int, limit: int) -> tuple[list[str], bool]:
    """Return the diff of at most so many lines of each side, and whether these were all."""
    before, all_before = _diff_lines(expected, begin, limit)
    after, all_after = _diff_lines(found, begin, limit)
    first = _newlines(expected, begin)
    lines = ["--- expected", "+++ found"]
    for group in difflib.SequenceMatcher(None, before, after).get_grouped_opcodes(_CONTEXT):
        old, new = (group[0][1], group[-1][2]), (group[0][3], group[-1][4])
        lines.append(f"@@ -{_span(old, first)} +{_span(new, first)} @@")
        for tag, old_start, old_stop, new_start, new_stop in group:
            if tag == "equal":
                lines += [f" {line}" for line in before[old_start:old_stop]]
                continue
            lines += [f"-{line}" for line in before[old_start:old_stop]]
            lines += [f"+{line}" for line in after[new_start:new_stop]]
    return lines, all_before and all_after


def _span(lines: tuple[int, int], first: int) -> str:
    start, stop = lines
    # A range of no lines is named by the line before it, as diff does.
    number = first + start + (1 if stop > start else 0)
    return f"{number}" if stop - start == 1 else f"{number},{stop - start}"


def _context_start(expected: bytes, position: int) -> int:
    start = position
    for _ in range(_CONTEXT + 1):
        start = expected.rfind(b"\n", 0, start)
        if start < 0:
            return 0
    return start + 1


def _diff_lines(output: Output, begin: int, limit: int) -> tuple[list[str], bool]:
    """Return the lines of a window, and whether nothing follows it."""
    window = output[begin : begin + _WINDOW]
    pieces = window.split(b"\n", limit)
    complete = begin + len(window) == len(output) and len(pieces) <= limit
    lines = [_shorten(piece.decode(errors="backslashreplace")) for piece in pieces[:limit]]
    if complete:
        if lines[-1]:
            lines[-1] += "    (no newline at the end)"
        else:
            lines.pop()
    return lines, complete


def _shorten(line: str) -> str:
    return line if len(line) <= _LINE else f"{line[:_LINE]}... ({len(line)} characters)"


def _newlines(output: Output, stop: int) -> int:
    return sum(output[at : min(at + _BLOCK, stop)].count(b"\n") for at in range(0, stop, _BLOCK))


def _first_difference(one: bytes, other: Output) -> int:
    """Return the first position at which they differ, or the length of the shorter one."""
    limit = min(len(one), len(other))
    for start in range(0, limit, _BLOCK):
        left, right = one[start : start + _BLOCK], other[start : start + _BLOCK]
        size = min(len(left), len(right))
        if left[:size] != right[:size]:
            low, high = 0, size
            while high - low > 1:
                middle = (low + high) // 2
                if left[low:middle] == right[low:middle]:
                    low = middle
                else:
                    high = middle
            return start + low
    return limit
