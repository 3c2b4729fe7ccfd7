"""An image and a check file that play with terminals and runners, put through the commands."""

from __future__ import annotations

import re
import unicodedata
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from integration.checking.conftest import Checker
    from support.program import Run

EVIL = "\x1b]52;c;cm0=\x07\x1b[2J\r\u202egnp\u2028\n::add-path::/tmp/evil\n  ##[set-env name=a]b"
GITHUB = {"GITHUB_ACTIONS": "true", "SECRET": "hunter2"}
# Ended by hand: the last line is a command without an end.
SAYS = [
    "/bin/sh",
    "-c",
    "printf '%b' '\\033[2J\\n::add-path::/tmp/evil\\n a ##[set-env name=a]b\\n::error::c'; exit 3",
]


def find_obeyed(text: str) -> list[str]:
    """Return what a terminal or GitHub's runner obeys in what was written, our own commands aside."""
    marks = re.compile(r"::stop-commands::([0-9a-f]{32})\n.*?^::\1::\n", re.DOTALL | re.MULTILINE)
    ours = re.sub(
        r"^::error title=(FAIL|ERROR) .*,line=1,col=\d+::.*\n", "", marks.sub("", text), flags=re.MULTILINE
    )
    bad = [one for one in ours if unicodedata.category(one) in {"Cc", "Zl", "Zp", "Cs"} and one not in "\n\t"]
    bad += [one for one in ours if unicodedata.bidirectional(one) in {"RLO", "LRO"}]
    return bad + [line for line in ours.split("\n") if line.lstrip().startswith("::") or "##[" in line]


def assert_harmless(run: Run) -> None:
    assert find_obeyed(run.stderr) == []
    assert find_obeyed(run.stdout) == []
    assert "hunter2" not in run.stderr + run.stdout


@pytest.mark.parametrize(
    ("name", "config", "statuses"),
    [
        ("command", {"Cmd": [f"/bin/{EVIL}", EVIL]}, {125, 127}),
        ("user", {"Cmd": ["/bin/true"], "User": EVIL}, {125, 126}),
        ("folder", {"Cmd": ["/bin/true"], "WorkingDir": f"/proc/1/{EVIL}"}, {125, 126, 127}),
    ],
)
@pytest.mark.parametrize(
    "command", [["run"], ["up", "--expect", "x"], ["--debug", "run", "-e", "SECRET=hunter2"]]
)
@pytest.mark.sampled(2)
def test_what_an_image_says_of_itself_is_shown(
    check: Checker, name: str, config: dict[str, Any], statuses: set[int], command: list[str]
) -> None:
    image = check.make_image(f"nixdock-hostile-{name}:1", **config)

    run = check.nixdock(*command, image, env=GITHUB)

    assert run.status in statuses, run
    assert "nixdock: " in run.stderr
    assert_harmless(run)


def test_what_a_container_says_is_passed_on_between_marks(check: Checker) -> None:
    image = check.make_image("nixdock-hostile-output:1", Cmd=SAYS)
    plain = check.nixdock("run", image)

    run = check.nixdock("run", image, env=GITHUB)

    assert (plain.status, run.status) == (3, 3)
    found = re.fullmatch(rb"::stop-commands::([0-9a-f]{32})\n(.*)\n::\1::\n", run.out, re.DOTALL)
    assert found is not None
    assert found[2] == plain.out
    assert plain.out.startswith(b"\x1b[2J\n::add-path::")


def test_verdicts_of_up_are_shown(check: Checker) -> None:
    image = check.make_image("nixdock-hostile-output:1", Cmd=SAYS)
    expected = check.nixdock.folder / "expected.txt"
    expected.write_text(EVIL)

    run = check.nixdock(
        "up",
        "--expect",
        EVIL,
        "--expect-regex",
        "nothing like it",
        "--expect-stdout",
        expected,
        image,
        env=GITHUB,
    )

    assert run.status == 1
    assert "FAIL nixdock-hostile-output:1" in run.stderr
    assert_harmless(run)


def test_health_output_and_log_tails_are_shown(check: Checker) -> None:
    probe = ["CMD-SHELL", "printf '%b' '\\033[2J\\n::add-path::/tmp/evil\\n##[error]a'; exit 1"]
    image = check.make_image(
        "nixdock-hostile-health:1",
        Cmd=["/bin/sh", "-c", f"{SAYS[2].removesuffix('; exit 3')}; exec sleep 60"],
        Healthcheck={"Test": probe, "Interval": 100_000_000, "Retries": 1},
    )

    run = check.nixdock("up", "-d", image, env=GITHUB)

    assert run.status != 0
    assert "unhealthy" in run.stderr
    assert_harmless(run)


def test_reports_of_checks_are_shown_and_name_variables_alone(check: Checker, tmp_path: Path) -> None:
    checks = {
        f"evil{EVIL}": {
            "exec": ["sh", "-c", SAYS[2]],
            "stdout": f"other{EVIL}",
            "env": {"TOKEN": "hunter2"},
        },
        "skipped": {"exec": ["true"], "skip": EVIL},
        "run": {"run": ["/bin/false"], "options": {"environment": {"SECRET": "hunter2"}}},
    }
    file = check.write({"checks": checks})
    page = tmp_path / "page.md"
    env = {**GITHUB, "GITHUB_WORKSPACE": str(file.parent), "GITHUB_STEP_SUMMARY": str(page)}
    words = ("check", check.IMAGE, "--checks", file, "--junit", tmp_path / "r.xml", "-e", "MORE=hunter2")

    runs = [
        check.nixdock(*words, *form, env=env)
        for form in ((), ("--tap",), ("--debug", "--log-json", "--json"))
    ]
    for run in runs:
        assert run.status == 1, run.stderr
        assert len(re.findall("^::error title=FAIL evil", run.stderr, re.MULTILINE)) == 1
        assert_harmless(run)
    run = runs[-1]
    assert "-e TOKEN" in run.stdout
    assert "-e MORE" in run.stdout
    assert "hunter2" not in (tmp_path / "r.xml").read_text()
    assert len(ET.parse(tmp_path / "r.xml").findall(".//testcase")) == 3
    assert not [one for one in page.read_text() if unicodedata.category(one) == "Cc" and one != "\n"]
