"""GitHub's workflow commands: a check that failed becomes an annotation at its place in its file.

Escapes: actions/toolkit, packages/core/src/command.ts.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from nixdock.checks.verdict import Report, Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def is_github(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether this runs in GitHub Actions."""
    return environ.get("GITHUB_ACTIONS") == "true"


def publish(report: Report, out: IO[str], environ: Mapping[str, str] = os.environ) -> None:
    """Write annotations, and the summary into the file that GitHub gives for it.

    Args:
        report: The verdicts.
        out: Where the runner reads commands: standard output or error.
        environ: The environment.
    """
    for line in write_annotations(report, environ.get("GITHUB_WORKSPACE")):
        out.write(f"{line}\n")
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
    rows = "".join(
        f"| {verdict.status.value} | {_cell(verdict.suite)} | {_cell(verdict.name)} | "
        f"{_cell('; '.join(map(str, verdict.findings)) or verdict.reason or '')} |\n"
        for verdict in report.verdicts
    )
    return f"| | image | check | |\n|---|---|---|---|\n{rows}\n"


def _annotation(verdict: Verdict, workspace: str | None) -> str:
    properties = {"title": f"{verdict.status.value} {verdict.name}"}
    match = re.fullmatch(r"(.*):(\d+):(\d+)", verdict.place or "")
    if match:
        properties |= {"file": _relative(match[1], workspace), "line": match[2], "col": match[3]}
    written = ",".join(f"{key}={_escape_property(value)}" for key, value in properties.items())
    lines = [str(finding) for finding in verdict.findings]
    lines += [finding.details for finding in verdict.findings if finding.details]
    if verdict.reproduce:
        lines.append(f"by hand: {verdict.reproduce}")
    text = _escape("\n".join(lines))
    return f"::error {written}::{text}"


def _relative(file: str, workspace: str | None) -> str:
    path = Path(file).absolute()
    if workspace and path.is_relative_to(workspace):
        return str(path.relative_to(workspace))
    return file


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
