"""What `nixdock check` prints, writes and returns."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from integration.checking.conftest import Checker

MIXED = {
    "good": {"exec": ["true"]},
    "bad": {"exec": ["/bin/sh", "-c", "echo out; echo 'err\x1b[31m' >&2; exit 3"], "stdout": "other\n"},
    "broken": {"exec": ["true"], "setup": [["false"]]},
    "later": {"exec": ["true"], "skip": "not yet"},
}


def test_people_read_a_line_a_check_on_stdout(check: Checker) -> None:
    file = check.write({"checks": MIXED})

    run = check.nixdock("check", Checker.IMAGE, "--checks", file)

    lines = run.stdout.splitlines()
    assert run.status == 1
    assert lines[0] == "nixdock-checked:1"
    assert [line[:11].rstrip() for line in lines if not line.startswith(" ")][1:5] == [
        "PASS   good", "FAIL   bad", "ERROR  brok", "SKIP   late",
    ]  # fmt: skip
    assert "       exit: expected to be 0, found 3" in lines
    assert "         err\\x1b[31m" in lines
    assert f"       written in {file}:1:41" in lines
    assert any(line.startswith("       by hand: docker run --rm --entrypoint /bin/sh") for line in lines)
    assert lines[-1].startswith("1 passed, 1 failed, 1 could not run, 1 skipped in ")
    assert "\x1b" not in run.stdout


def test_junit_tap_and_json(check: Checker, tmp_path: Path) -> None:
    file = check.write({"checks": MIXED})

    run = check.nixdock("check", Checker.IMAGE, "--checks", file, "--junit", tmp_path / "r.xml", "--tap")

    assert run.stdout.startswith("TAP version 13\n1..4\nok 1 - nixdock-checked:1 - good\nnot ok 2 - ")
    root = ET.parse(tmp_path / "r.xml").getroot()
    counts = [root.get(name) for name in ("tests", "failures", "errors", "skipped")]
    assert counts == ["4", "1", "1", "1"]
    summary = json.loads(check(MIXED).run.stdout)["summary"]
    assert [summary[key] for key in ("passed", "failed", "errors", "skipped")] == [1, 1, 1, 1]
    both = check.nixdock("check", Checker.IMAGE, "--checks", file, "--json", "--tap")
    assert both.status == 2


def test_github_gets_annotations_where_it_runs_it(check: Checker, tmp_path: Path) -> None:
    file = check.write({"checks": MIXED})
    env = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(file.parent),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "page.md"),
    }

    run = check.nixdock("check", Checker.IMAGE, "--checks", file, env=env)

    assert "::error title=FAIL bad,file=suite.checks.json,line=1,col=41::exit: expected" in run.stderr
    assert "| PASS | nixdock-checked:1 | good |" in (tmp_path / "page.md").read_text()


@pytest.mark.parametrize(
    ("checks", "status"),
    [
        ({"a": {"exec": ["true"]}}, 0),
        ({"a": {"exec": ["false"]}}, 1),
        ({"a": {"exec": ["true"], "setup": [["false"]]}}, 122),
        ({"a": {"exec": ["true"], "setup": [["false"]]}, "b": {"exec": ["false"]}}, 1),
        ({"a": {"exec": ["true"], "skip": "x"}}, 122),
        ({}, 122),
        ({"a": {"exce": ["true"]}}, 2),
    ],
)
def test_the_exit_status_tells_failure_error_and_nothing_apart(
    check: Checker, checks: dict[str, object], status: int
) -> None:
    assert check(checks).status == status


def test_files_that_cannot_be_used_are_sentences(check: Checker, tmp_path: Path) -> None:
    missing = check.nixdock("check", Checker.IMAGE, "--checks", tmp_path / "none.yaml")
    assert missing.status == 2
    assert "none.yaml: No such file or directory" in missing.stderr

    (tmp_path / "bad.yaml").write_text("checks:\n  a:\n    exec: [x]\n    stdot: y\n")
    bad = check.nixdock("check", Checker.IMAGE, "--checks", tmp_path / "bad.yaml")
    assert bad.status == 2
    assert f"{tmp_path}/bad.yaml:4:5: the check 'a' (kind exec) has no key 'stdot'" in bad.stderr
    assert "did you mean 'stdout'?" in bad.stderr

    file = check.write({"checks": {"a": {"exec": ["true"]}}})
    unwritable = check.nixdock("check", Checker.IMAGE, "--checks", file, "--junit", tmp_path / "no" / "r.xml")
    assert unwritable.status == 2
    assert "cannot write" in unwritable.stderr


def test_the_command_line_alone_can_expect_something(check: Checker) -> None:
    met = check.nixdock("check", Checker.IMAGE, "--expect", "hello")
    assert (met.status, "1 passed" in met.stdout) == (0, True)

    unmet = check.nixdock("check", Checker.IMAGE, "--expect", "bye", "--", "/bin/echo", "hi")
    assert unmet.status == 1
    assert "expected to contain 'bye', found 'hi\\n'" in unmet.stdout

    nothing = check.nixdock("check", Checker.IMAGE)
    assert nothing.status == 122
    assert "nothing is expected of nixdock-checked:1" in nothing.stderr


def test_the_schema_is_published(check: Checker) -> None:
    schema = json.loads(check.nixdock("check", "--schema").stdout)

    assert schema["$schema"].endswith("2020-12/schema")
    assert "checks" in schema["properties"]


def test_an_image_that_nobody_has_is_a_sentence(check: Checker) -> None:
    file = check.write({"checks": {"a": {"exec": ["true"]}}})

    run = check.nixdock("check", "no-such-image:1", "--checks", file)

    assert run.status == 125
    assert "no-such-image:1" in run.stderr


def test_a_kept_container_can_be_entered(check: Checker) -> None:
    checked = check({"a": {"run": ["/bin/sh", "-c", "echo mark > /tmp/x; exit 1"]}}, "--keep")

    (note,) = checked["a"]["notes"]
    name = note.split()[1].rstrip(":")
    assert note.startswith(f"kept {name}: docker logs {name}, docker diff {name}")
    assert "/tmp/x" in check.engine.docker("diff", name)
    assert check({"b": {"run": ["/bin/true"]}}).status == 0
    assert name in check.engine.docker("ps", "-a", "--format", "{{.Names}}")
    check.nixdock("down", name)
    assert name not in check.engine.docker("ps", "-a", "--format", "{{.Names}}")


def test_a_service_that_fails_is_kept_when_asked(check: Checker) -> None:
    service = {"command": ["/bin/sh", "-c", "echo begun; sleep 1000"]}

    checked = check(
        {"a": {"exec": ["false"]}}, "--keep", service=service, ready={"log": {"contains": "begun"}}
    )

    assert checked["a"]["status"] == "FAIL"
    assert "kept " in checked.run.stderr
    name = checked.run.stderr.split("kept ")[1].split(":")[0]
    assert "begun" in check.engine.docker("logs", name)
    check.nixdock("down", name)
