"""TAP, version 13: one line a check, and YAML below one that failed (testanything.org).

The lines' names do not change with a build; what an image is called now stands in a line of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nixdock.checks.masking import stable_names
from nixdock.checks.verdict import Report, Status, Verdict
from nixdock.out import form_json
from nixdock.text import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterator


def write(report: Report) -> str:
    """Return a report as TAP."""
    lines = ["TAP version 13", f"1..{len(report.verdicts)}"]
    names = stable_names(verdict.suite for verdict in report.verdicts if verdict.suite)
    lines += [f"# {_one_line(name)}: {_one_line(suite)}" for suite, name in names.items() if suite != name]
    for number, verdict in enumerate(report.verdicts, start=1):
        lines += _lines(number, verdict, names.get(verdict.suite or ""))
    return "\n".join(lines) + "\n"


def _lines(number: int, verdict: Verdict, suite: str | None) -> Iterator[str]:
    bad = verdict.status in {Status.FAIL, Status.ERROR}
    name = " - ".join(part for part in (suite, verdict.name) if part)
    # `#` begins a directive, unless it is escaped, and the escape is not.
    shown = re.sub(r"[\\#]", r"\\\g<0>", _one_line(name))
    line = f"{'not ok' if bad else 'ok'} {number} - {shown}"
    if verdict.status is Status.SKIP:
        line += f" # SKIP {_one_line(verdict.reason or '')}"
    if verdict.is_cached:
        line += " # cached"
    yield line
    if not bad:
        return
    yield "  ---"
    facts = {
        "severity": "fail" if verdict.status is Status.FAIL else "error",
        "kind": verdict.kind,
        "at": verdict.place,
        "reproduce": verdict.reproduce,
        "findings": [finding.to_json() for finding in verdict.findings],
    }
    for key, value in facts.items():
        if value:
            # JSON on one line is YAML.
            yield f"  {key}: {form_json(value)}"
    yield "  ..."


def _one_line(text: str) -> str:
    return clean_line(re.sub(r"[ \t\n\r\f\v]+", " ", text))
