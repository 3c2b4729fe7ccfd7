"""JUnit XML that Jenkins, GitLab and GitHub's reporters read.

One suite for each image, at most one failure or error for each case, counts and times on every
level, and no character that XML 1.0 forbids. A test's history goes by the names of its suite, class
and case: none changes with a build, and what the image is called now is a property.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from typing import TYPE_CHECKING, Final

from nixdock.checks.masking import stable_names
from nixdock.checks.verdict import Report, Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

# XML 1.0, section 2.2, "Characters"; surrogates come from text that was not UTF-8.
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(report: Report, name: str = "nixdock") -> str:
    """Return a report as JUnit XML.

    Args:
        report: The verdicts.
        name: What the whole of it is called.
    """
    root = ET.Element("testsuites", {"name": clean(name), **_counts(report.verdicts, report.seconds)})
    by_suite: dict[str, list[Verdict]] = {}
    for verdict in report.verdicts:
        by_suite.setdefault(verdict.suite or name, []).append(verdict)
    names = stable_names(by_suite)
    for reference, verdicts in by_suite.items():
        suite = names[reference]
        seconds = sum(verdict.seconds for verdict in verdicts)
        element = ET.SubElement(root, "testsuite", {"name": clean(suite), **_counts(verdicts, seconds)})
        properties = ET.SubElement(element, "properties")
        ET.SubElement(properties, "property", {"name": "reference", "value": clean(reference)})
        for verdict in verdicts:
            _add_case(element, suite, verdict)
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return f"{text.decode()}\n"


def clean(text: str) -> str:
    """Return text without what XML forbids: each such character becomes U+FFFD."""
    return _FORBIDDEN.sub("\ufffd", text)


def _counts(verdicts: Iterable[Verdict], seconds: float) -> dict[str, str]:
    counted = Counter(verdict.status for verdict in verdicts)
    return {
        "tests": str(sum(counted.values())),
        "failures": str(counted[Status.FAIL]),
        "errors": str(counted[Status.ERROR]),
        "skipped": str(counted[Status.SKIP]),
        "time": f"{seconds:.6f}",
    }


def _add_case(suite: ET.Element, suite_name: str, verdict: Verdict) -> None:
    attributes = {
        "classname": clean(f"{suite_name}.{verdict.kind}"),
        "name": clean(verdict.name),
        "time": f"{verdict.seconds:.6f}",
    }
    if verdict.location is not None:
        file, line, _ = verdict.location
        attributes |= {"file": clean(file), "line": line}
    case = ET.SubElement(suite, "testcase", attributes)
    if verdict.is_cached:
        properties = ET.SubElement(case, "properties")
        ET.SubElement(properties, "property", {"name": "cached", "value": "true"})
    match verdict.status:
        case Status.FAIL | Status.ERROR:
            tag = "failure" if verdict.status is Status.FAIL else "error"
            element = ET.SubElement(case, tag, {"message": clean(_summary(verdict)), "type": verdict.kind})
            element.text = clean(_text(verdict))
        case Status.SKIP:
            ET.SubElement(case, "skipped", {"message": clean(verdict.reason or "")})
    for tag, text in (("system-out", verdict.stdout), ("system-err", verdict.stderr)):
        if text:
            ET.SubElement(case, tag).text = clean(text)


def _summary(verdict: Verdict) -> str:
    return str(verdict.findings[0]) if verdict.findings else verdict.status.value


def _text(verdict: Verdict) -> str:
    lines: list[str] = []
    for finding in verdict.findings:
        lines.append(str(finding))
        if finding.details:
            lines.append(finding.details)
    lines += [f"note: {note}" for note in verdict.notes]
    if verdict.reproduce:
        lines.append(f"by hand: {verdict.reproduce}")
    return "\n".join(lines)
