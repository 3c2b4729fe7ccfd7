"""GitHub's workflow commands: a check that failed becomes an annotation at its place in its file.

Escapes: actions/toolkit, packages/core/src/command.ts.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from nixdock.checks.verdict import Report, Status, Verdict
from nixdock.out import tell_exactly
from nixdock.text import clean, clean_line

# GitHub drops a page of more than 1 MiB, and shows 4 kB of a message; a character of a cell is up to 6 bytes.
_LONGEST_PAGE: Final = 500_000
_LONGEST_MESSAGE: Final = 4_000
_LONGEST_CELL: Final = 1_000

_MARKED: Final = re.compile(r"[&<>|`*_~\[\]!\\#@$^{}\"']")

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def publish(report: Report, out: IO[str], environ: Mapping[str, str] = os.environ) -> None:
    """Write annotations, and the summary into the file that GitHub gives for it.

    Args:
        report: The verdicts.
        out: Where the runner reads commands: standard output or error.
        environ: The environment.
    """
    for line in write_annotations(report, environ.get("GITHUB_WORKSPACE")):
        tell_exactly(line, stream=out)
    file = environ.get("GITHUB_STEP_SUMMARY")
    if file:
        # A page that cannot be written must not spoil the verdict.
        with suppress(OSError), Path(file).open("a", encoding="utf-8") as stream:
            stream.write(write_summary(report))


def write_annotations(report: Report, workspace: str | None = None) -> Iterator[str]:
    """Yield a workflow command for each check that failed or could not run.

    Args:
        report: The verdicts.
        workspace: The checked-out folder, which file names are relative to.
    """
    for verdict in report.verdicts:
        if verdict.status in {Status.FAIL, Status.ERROR}:
            yield _annotation(verdict, workspace)


def write_summary(report: Report) -> str:
    """Return a table in Markdown for the job's summary page."""
    rows: list[str] = []
    size = 0
    for number, verdict in enumerate(report.verdicts):
        why = "; ".join(map(str, verdict.findings)) or verdict.reason or ""
        why = "cached" if verdict.is_cached else why
        cells = (verdict.status.value, _cell(verdict.suite), _cell(verdict.name), _cell(why))
        rows.append(f"| {' | '.join(cells)} |\n")
        size += len(rows[-1])
        if size > _LONGEST_PAGE:
            rows.append(f"| | | and {len(report.verdicts) - number - 1} more | |\n")
            break
    return f"| | image | check | |\n|---|---|---|---|\n{''.join(rows)}\n"


def _annotation(verdict: Verdict, workspace: str | None) -> str:
    properties = {"title": f"{verdict.status.value} {verdict.name}"}
    if verdict.location is not None:
        file, line, column = verdict.location
        properties |= {"file": _relative(file, workspace), "line": line, "col": column}
    written = ",".join(f"{key}={_escape_property(value)}" for key, value in properties.items())
    lines = [str(finding) for finding in verdict.findings]
    lines += [finding.details for finding in verdict.findings if finding.details]
    if verdict.reproduce:
        lines.append(f"by hand: {verdict.reproduce}")
    return f"::error {written}::{_escape(_cut(chr(10).join(lines), _LONGEST_MESSAGE))}"


def _relative(file: str, workspace: str | None) -> str:
    path = Path(file).absolute()
    if workspace and path.is_relative_to(workspace):
        return str(path.relative_to(workspace))
    return file


def _escape(text: str) -> str:
    # The page shows a message's text: what a terminal would obey says nothing there.
    return _disarm(clean(text)).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")


def _disarm(text: str) -> str:
    # The runner shows a message in its log, where the old form of its commands has a meaning still.
    return text.replace("##[", r"##\x5b")


def _cell(text: str) -> str:
    """Return a cell of a table; whatever means something to Markdown or HTML is written as a number."""
    return _MARKED.sub(lambda match: f"&#{ord(match[0])};", clean_line(_cut(text, _LONGEST_CELL)))


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"
