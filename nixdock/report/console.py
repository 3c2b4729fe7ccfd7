"""The report of checks for people: a line for each, and below one that failed why, and how to see it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from nixdock.checks.verdict import Finding, Report, Status, Verdict
from nixdock.out import Painted, say
from nixdock.text import split_lines
from nixdock.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_COLOURS: Final = {
    Status.PASS: "32",
    Status.FAIL: "31",
    Status.ERROR: "35",
    Status.SKIP: "33",
}
_DIFF_COLOURS: Final = {"-": "31", "+": "32", "@": "36"}
_INDENT: Final = " " * 7
_SHORT: Final = 160


def wants_colour(stream: IO[str], environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a stream is a terminal that shows colours, and nobody said otherwise (no-color.org)."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


@dataclass(slots=True)
class TextReport:
    """Writes verdicts as they come, and a summary.

    Args:
        out: Where to.
        colour: Whether in colours.
        verbose: Whether notes and reproducing commands are shown for checks that hold, too.
    """

    out: IO[str]
    colour: bool = False
    verbose: bool = False
    _suite: str = ""

    def tell(self, verdict: Verdict) -> None:
        """Write one verdict."""
        if verdict.suite != self._suite:
            self._suite = verdict.suite
            say(verdict.suite, stream=self.out)
        line = f"  {verdict.name}"
        if verdict.is_cached:
            line += "  (cached)"
        elif verdict.status is not Status.SKIP:
            line += f"  ({format_duration(verdict.seconds)})"
        if verdict.reason:
            line += f"  {verdict.reason}"
        say(self._paint(f"{verdict.status.value:<5}", _COLOURS[verdict.status]), line, stream=self.out)
        for detail in self._details(verdict):
            say(_INDENT, *detail, stream=self.out)

    def finish(self, report: Report) -> None:
        """Write the summary."""
        words = [
            (Status.PASS, "passed"),
            (Status.FAIL, "failed"),
            (Status.ERROR, "could not run"),
            (Status.SKIP, "skipped"),
        ]
        parts: list[str | Painted] = []
        for status, word in words:
            if report.counts[status]:
                parts += [", "] if parts else []
                parts.append(self._paint(f"{report.counts[status]} {word}", _COLOURS[status]))
        cached = f" ({report.cached} cached)" if report.cached else ""
        time = f"{cached} in {format_duration(report.seconds)}"
        say(*(parts or ["nothing was checked"]), time, stream=self.out)

    def _details(self, verdict: Verdict) -> Iterator[tuple[str | Painted, ...]]:
        bad = verdict.status in {Status.FAIL, Status.ERROR}
        for finding in verdict.findings:
            yield from self._finding(finding)
        for name, output in (("stdout", verdict.stdout), ("stderr", verdict.stderr)):
            if bad and output and not _is_shown(name, output, verdict.findings):
                yield (f"{name}:",)
                yield from (("  ", line) for line in split_lines(output))
        if bad or self.verbose:
            for note in verdict.notes:
                yield (f"note: {note}",)
            if verdict.reproduce:
                yield (f"by hand: {verdict.reproduce}",)
        if bad and verdict.place:
            yield (f"written in {verdict.place}",)

    def _finding(self, finding: Finding) -> Iterator[tuple[str | Painted, ...]]:
        first, *rest = split_lines(str(finding)) or [""]
        yield (first,)
        yield from (("  ", line) for line in rest)
        lines = split_lines(finding.details or "")
        is_diff = lines[:1] == ["--- expected"]
        for line in lines:
            yield "  ", self._paint(line, _DIFF_COLOURS.get(line[:1], "") if is_diff else "")

    def _paint(self, text: str, colour: str) -> Painted:
        return Painted(text, colour if self.colour else "")


def _is_shown(name: str, output: str, findings: tuple[Finding, ...]) -> bool:
    """Whether a finding has quoted an output already: as a diff, or whole because it is short."""
    if any(finding.details == output for finding in findings):
        return True
    subjects = {name, "body", "logs"} if name == "stdout" else {name}
    about = [finding for finding in findings if finding.subject in subjects]
    return any(finding.details for finding in about) or (bool(about) and len(output) <= _SHORT)
