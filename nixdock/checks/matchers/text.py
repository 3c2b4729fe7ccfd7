"""Matchers on text: a command's output, a file's content, a response's body.

Text is bytes. What a check writes is its UTF-8, so that invalid UTF-8 in an output changes nothing
that is said about the rest of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixdock.checks.masking import mask_store_hashes
from nixdock.checks.matchers.algebra import Matcher, Mismatch
from nixdock.checks.matchers.wording import line_at, lines_of, quote, same, unified_diff
from nixdock.checks.regex import as_utf8
from nixdock.outcome import Output
from nixdock.text import OUTPUT_LIMIT, read_bounded
from nixdock.units import format_size

if TYPE_CHECKING:
    from pathlib import Path

    from nixdock.checks.matchers.algebra import Between
    from nixdock.checks.regex import Pattern

_ONE_LINE = 160
_JSON_LIMIT = 1 << 26


@dataclass(frozen=True, slots=True)
class Equals(Matcher[Output]):
    """The whole text, byte for byte; a unified diff says where it differs.

    Args:
        expected: The text.
        file: The file that it was read from. What differs from a file is always shown as a diff; a
            short text that stands in an expression is told beside what was found.
    """

    expected: bytes
    file: str | None = None

    def judge(self, subject: Output) -> tuple[Mismatch, ...]:
        """Compare without copying; explain by a diff."""
        if same(subject, self.expected):
            return ()
        if self.file is not None:
            return (Mismatch(f"differs from {self.file}", unified_diff(self.expected, subject)),)
        if subject[: len(self.expected) + 2] == self.expected + b"\n":
            return (Mismatch(f"expected to {self}; it has a final newline more"),)
        if len(subject) + 1 == len(self.expected) and self.expected[:-1] == subject[:] and self._ends_line():
            return (Mismatch(f"expected to {self}; it lacks the final newline"),)
        if len(subject) <= _ONE_LINE and b"\n" not in self.expected[:-1] and b"\n" not in subject[:-1]:
            return (Mismatch(f"expected to {self}, found {quote(subject)}"),)
        return (Mismatch("differs from what is expected", unified_diff(self.expected, subject)),)

    def _ends_line(self) -> bool:
        return self.expected.endswith(b"\n")

    def __str__(self) -> str:
        return f"be {quote(self.expected)}" if self.file is None else f"be what {self.file} holds"


@dataclass(frozen=True, slots=True)
class Contains(Matcher[Output]):
    """A piece of text anywhere in it."""

    piece: bytes

    def judge(self, subject: Output) -> tuple[Mismatch, ...]:
        """Search the bytes."""
        if subject.find(self.piece) >= 0:
            return ()
        return (Mismatch(f"expected to {self}, found {quote(subject)}"),)

    def __str__(self) -> str:
        return f"contain {quote(self.piece)}"

    def evidence(self, subject: Output) -> str | None:
        """Return the first line that has it."""
        return line_at(subject, subject.find(self.piece))


@dataclass(frozen=True, slots=True)
class Matches(Matcher[Output]):
    """An RE2 expression that matches somewhere in it."""

    pattern: Pattern

    def judge(self, subject: Output) -> tuple[Mismatch, ...]:
        """Search the whole text as one string."""
        if self.pattern.found_in(subject):
            return ()
        hint = ""
        if self.pattern.text.endswith("$") and subject[-1:] == b"\n":
            hint = " (in RE2 '$' is the very end, after the final newline; '(?m)' makes it a line's end)"
        return (Mismatch(f"expected to {self}, found {quote(subject)}{hint}"),)

    def __str__(self) -> str:
        return f"match /{self.pattern.text}/"

    def evidence(self, subject: Output) -> str | None:
        """Return the line in which the match begins."""
        text = as_utf8(subject)
        start = self.pattern.start_in(text)
        return None if start is None else line_at(text, start)


@dataclass(frozen=True, slots=True)
class Empty(Matcher[Output]):
    """No bytes at all, or with `expected` false at least one."""

    expected: bool = True

    def judge(self, subject: Output) -> tuple[Mismatch, ...]:
        """Look at the length alone."""
        if (len(subject) == 0) == self.expected:
            return ()
        return (Mismatch(f"expected to {self}" + (f", found {quote(subject)}" if self.expected else "")),)

    def __str__(self) -> str:
        return "be empty" if self.expected else "not be empty"


@dataclass(frozen=True, slots=True)
class Length(Matcher[Output]):
    """A number of bytes between two bounds."""

    bounds: Between

    def judge(self, subject: Output) -> tuple[Mismatch, ...]:
        """Look at the length alone."""
        return tuple(Mismatch(f"length: {found.message}") for found in self.bounds.judge(len(subject)))

    def __str__(self) -> str:
        return f"have a length to {self.bounds}"


@dataclass(frozen=True, slots=True)
class Lines(Matcher[Output]):
    """What holds line by line; lines are without their newlines.

    Args:
        exactly: One matcher for each line, in order, and no further line.
        some: Each of these must match at least one line.
        every: Each line must match this.
        count: The number of lines.
    """

    exactly: tuple[Matcher[Output], ...] | None = None
    some: tuple[Matcher[Output], ...] = ()
    every: Matcher[Output] | None = None
    count: Between | None = None

    def judge(self, subject: Output) -> tuple[Mismatch, ...]:
        """Go through the lines once for each thing that is asked."""
        found: list[Mismatch] = []
        if self.exactly is not None:
            found += self._judge_exactly(subject, self.exactly)
        for wanted in self.some:
            if all(wanted.judge(line) for line in lines_of(subject)):
                found.append(Mismatch(f"expected a line to {wanted}; none of {_count(subject)} does"))
        if self.every is not None:
            for number, line in enumerate(lines_of(subject), start=1):
                if wrong := self.every.judge(line):
                    found.append(Mismatch(f"line {number}: {wrong[0].message}", wrong[0].details))
                    break
        if self.count is not None:
            amount = sum(1 for _ in lines_of(subject))
            found += [Mismatch(f"number of lines: {wrong.message}") for wrong in self.count.judge(amount)]
        return tuple(found)

    def _judge_exactly(self, subject: Output, exactly: tuple[Matcher[Output], ...]) -> list[Mismatch]:
        found: list[Mismatch] = []
        number = 0
        for number, line in enumerate(lines_of(subject), start=1):
            if number > len(exactly):
                amount = sum(1 for _ in lines_of(subject))
                found.append(
                    Mismatch(f"expected {len(exactly)} lines, found {amount}; the first extra: {quote(line)}")
                )
                return found
            found += [
                Mismatch(f"line {number}: {wrong.message}", wrong.details)
                for wrong in exactly[number - 1].judge(line)
            ]
        if number < len(exactly):
            found.append(Mismatch(f"expected {len(exactly)} lines, found {number}"))
        return found

    def __str__(self) -> str:
        parts: list[str] = []
        if self.exactly is not None:
            parts.append(f"have exactly {len(self.exactly)} lines as given")
        parts += [f"have a line to {wanted}" for wanted in self.some]
        if self.every is not None:
            parts.append(f"in every line {self.every}")
        if self.count is not None:
            parts.append(f"have a number of lines to {self.count}")
        return " and ".join(parts)


@dataclass(frozen=True, slots=True)
class IsJson(Matcher[Output]):
    """Text that is JSON, whose value matches."""

    value: Matcher[object]

    def judge(self, subject: Output) -> tuple[Mismatch, ...]:
        """Parse it, then judge the value."""
        if len(subject) > _JSON_LIMIT:
            return (Mismatch(f"is too long to be read as JSON: {format_size(len(subject))}"),)
        try:
            parsed: object = json.loads(subject[:])
        except (ValueError, RecursionError) as error:
            why = str(error) if isinstance(error, ValueError) else "it is nested too deep"
            return (Mismatch(f"expected JSON, found {quote(subject)}: {why}"),)
        return self.value.judge(parsed)

    def __str__(self) -> str:
        return f"be JSON and {self.value}"


@dataclass(frozen=True, slots=True)
class RecordedIn(Matcher[Output]):
    """The text that was recorded in a file, store hashes masked on both sides.

    Args:
        name: The snapshot's name.
        file: Where it is; None where expectations are in no file.
        update: Whether to record what is found, rather than to compare it.
    """

    name: str
    file: Path | None = None
    update: bool = False

    def judge(self, subject: Output) -> tuple[Mismatch, ...]:
        """Compare with the file, or write it."""
        if self.file is None:
            return (Mismatch(f"the snapshot {self.name!r} has no folder: these expectations are in no file"),)
        masked = mask_store_hashes(subject[:])
        try:
            if self.update:
                self.file.parent.mkdir(parents=True, exist_ok=True)
                self.file.write_bytes(masked)
                return ()
            recorded = read_bounded(self.file, OUTPUT_LIMIT)
        except FileNotFoundError:
            return (Mismatch(f"there is no snapshot {self.file} yet; --update records it"),)
        except OSError as error:
            return (Mismatch(f"the snapshot {self.file} cannot be used: {error.strerror}"),)
        if recorded == masked:
            return ()
        message = f"differs from the snapshot {self.file}; --update records what is found now"
        return (Mismatch(message, unified_diff(recorded, masked)),)

    def __str__(self) -> str:
        return f"be as recorded in the snapshot {self.name!r}"


def _count(subject: Output) -> str:
    amount = sum(1 for _ in lines_of(subject))
    return "1 line" if amount == 1 else f"{amount} lines"
