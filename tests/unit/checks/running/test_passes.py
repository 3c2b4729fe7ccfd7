"""Which passes are remembered: those of the same image, definition, engine and nixdock, and no others."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from nixdock.checks.format.suite import read_suite, suite_from_value
from nixdock.checks.model import Check, ContainerSettings, Suite
from nixdock.checks.running import passes as module
from nixdock.checks.running.passes import Passes, describe_engine, open_database, recall
from nixdock.checks.running.service_group import READY
from nixdock.checks.running.trials import Choice
from nixdock.checks.structure_test.reader import read_files
from nixdock.checks.structure_test.translation import make_suite
from nixdock.checks.subject import Subject
from nixdock.checks.verdict import CheckResult, Verdict
from support.images import image_of

PLAIN: dict[str, Any] = {
    "run": ["/bin/x"],
    "stdout": [{"matches": "^a"}, {"json": {".b": {"min": 3}}}],
    "options": {"read_only": True, "environment": {"A": "b"}, "network_mode": "none"},
}
SERVICE: dict[str, Any] = {
    "service": {"tmpfs": ["/tmp"]},
    "ready": {"tcp": 80},
    "checks": {"serves": {"http": "/"}, "says": {"logs": {"contains": "up"}}},
}


@pytest.fixture
def passes(tmp_path: Path) -> Passes:
    return Passes(open_database(tmp_path))


def held(
    passes: Passes,
    suite: Suite,
    *,
    image: str = "i",
    engine: str = "e",
    common: Any = None,
    keep: bool = True,
) -> set[str]:
    """Return what need not be run, and remember that all of it holds."""
    found = recall(suite, Choice(), image, engine=engine, common=common or ContainerSettings(), passes=passes)
    if keep:
        ready = ((READY, CheckResult().verdict(READY, "service")),)
        found.keep((*ready, *((check.key, verdict_of(check)) for check in suite.checks)))
    return set(found.held)


def verdict_of(check: Check, **result: Any) -> Verdict:
    return check.verdict(CheckResult(**result), "image")


def suite_of(checks: dict[str, Any], **suite: Any) -> Suite:
    return suite_from_value({"checks": checks, **suite}, "here")


def test_a_pass_is_remembered_whatever_it_is_called(passes: Passes) -> None:
    assert held(passes, suite_of({"a": PLAIN})) == set()
    assert held(passes, suite_of({"b": {**PLAIN, "tags": ["t"]}})) == {"b", READY}


@pytest.mark.parametrize(
    "changed",
    [
        {"image": "other"},
        {"engine": "other"},
        {"common": ContainerSettings((("env", "A=c"),))},
        {"common": ContainerSettings(hardened=True)},
        {"checks": {"a": {**PLAIN, "stdout": {"matches": "^b"}}}},
        {"checks": {"a": {**PLAIN, "stdout": [{"matches": "^a"}, {"json": {".b": {"min": 4}}}]}}},
        {"checks": {"a": {**PLAIN, "exit": 3}}},
        {"checks": {"a": {**PLAIN, "timeout": "1s"}}},
        {"checks": {"a": {**PLAIN, "options": {"read_only": False}}}},
        {"checks": {"a": {**PLAIN, "xfail": "it is broken"}}},
        {"checks": {"a": {**PLAIN, "skip": "not today"}}},
        {"checks": {"a": {"exec": PLAIN["run"], "stdout": PLAIN["stdout"]}}},
    ],
)
def test_what_differs_is_run(changed: dict[str, Any], passes: Passes) -> None:
    assert held(passes, suite_of({"a": PLAIN})) == set()
    checks = changed.pop("checks", {"a": PLAIN})
    assert "a" not in held(passes, suite_of(checks), **changed, keep=False)
    assert "a" in held(passes, suite_of({"a": PLAIN}))


def test_another_nixdock_runs_everything(passes: Passes, monkeypatch: pytest.MonkeyPatch) -> None:
    assert held(passes, suite_of({"a": PLAIN, "f": {"file": "/x"}})) == set()
    monkeypatch.setattr(module, "__version__", "next")
    assert held(passes, suite_of({"a": PLAIN, "f": {"file": "/x"}})) == set()


@pytest.mark.parametrize(
    "options",
    [
        {"volumes": ["/tmp:/x"]},
        {"mounts": ["type=bind,source=/tmp,target=/x"]},
        {"env_file": ["e"]},
        {"environment": ["A"]},
        {"network_mode": "host"},
        {"network_mode": "container:db"},
        {"security_opt": ["seccomp=profile.json"]},
        {"security_opt": ["apparmor=mine"]},
        {"raw": {"HostConfig": {"Binds": ["/tmp:/x"]}}},
    ],
)
def test_what_reaches_out_of_its_container_is_never_remembered(
    options: dict[str, Any], passes: Passes
) -> None:
    for _ in range(2):
        assert "a" not in held(passes, suite_of({"a": {"run": ["x"], "options": options}}))
        assert "a" not in held(passes, suite_of({"a": {"run": ["x"]}}, run=options))
        assert "a" not in held(passes, suite_of({"a": {"http": "/"}}, service=options))


@pytest.mark.parametrize("result", [{"skipped": "x"}, {"is_error": True}, {"is_cached": True}])
def test_only_a_pass_of_this_run_is_remembered(result: dict[str, Any], passes: Passes) -> None:
    suite = suite_of({"a": PLAIN})
    found = recall(suite, Choice(), "i", engine="e", common=ContainerSettings(), passes=passes)
    failed = CheckResult()
    failed.find("exit", "it failed")
    found.keep([("a", verdict_of(suite.checks[0], **result)), ("a", failed.verdict("a", "run"))])
    assert held(passes, suite) == set()


def test_a_service_is_known_by_how_it_is_started(passes: Passes) -> None:
    suite = suite_from_value(SERVICE, "here")
    assert held(passes, suite) == set()
    assert held(passes, suite) == {READY, "serves", "says"}
    other = suite_from_value({**SERVICE, "ready": {"tcp": 81}}, "here")
    assert held(passes, other) == set()


def test_what_looks_at_what_others_did_is_run_with_them(passes: Passes) -> None:
    checks = {"a": {"exec": ["x"]}, "own": PLAIN, "w": {"writes": {}}}
    assert held(passes, suite_of(checks)) == set()
    assert held(passes, suite_of(checks)) == {READY, *checks}
    # Another command may have written other files: all that share the container are run.
    checks["b"] = {"exec": ["y"]}
    assert held(passes, suite_of(checks), keep=False) == {READY, "own"}
    del checks["b"]
    assert held(passes, suite_of(checks)) == {READY, *checks}


def test_logs_are_run_with_what_may_have_made_them(passes: Passes) -> None:
    suite = suite_from_value(SERVICE, "here")
    assert held(passes, suite) == set()
    assert held(passes, suite) == {READY, "serves", "says"}
    # What the service wrote of a request is there if it is asked.
    for one in ({"serves": {"http": "/other"}}, {"says": {"logs": {"contains": "GET /"}}}):
        changed = suite_from_value({**SERVICE, "checks": {**SERVICE["checks"], **one}}, "here")
        assert held(passes, changed, keep=False) == {READY}


def test_a_recording_is_part_of_what_is_asked(passes: Passes, tmp_path: Path) -> None:
    file = tmp_path / "web.checks.json"
    file.write_text(json.dumps({"checks": {"s": {"snapshot": "config"}}}))
    recording = tmp_path / "web.snapshots" / "image-config.txt"
    recording.parent.mkdir()
    recording.write_text("{}\n")
    assert "s" not in held(passes, read_suite(file))
    assert "s" in held(passes, read_suite(file))
    recording.write_text("other\n")
    assert "s" not in held(passes, read_suite(file), keep=False)


def test_included_files_are_part_of_what_is_asked(passes: Passes, tmp_path: Path) -> None:
    file, other = tmp_path / "web.checks.json", tmp_path / "other.json"
    file.write_text(json.dumps({"include": ["other.json"], "checks": {}}))
    other.write_text(json.dumps({"checks": {"a": {"run": ["x"]}}}))
    assert "a" not in held(passes, read_suite(file))
    other.write_text(json.dumps({"checks": {"a": {"run": ["y"]}}}))
    assert "a" not in held(passes, read_suite(file))
    assert "a" in held(passes, read_suite(file))


def test_files_of_structure_tests_are_remembered_too(passes: Passes, tmp_path: Path) -> None:
    def suite(content: str) -> Suite:
        file = tmp_path / "their.json"
        file.write_text(
            json.dumps(
                {
                    "schemaVersion": "2.0.0",
                    "commandTests": [{"name": "a", "command": "x", "expectedOutput": [content]}],
                    "fileContentTests": [{"name": "b", "path": "/x", "expectedContents": [content]}],
                    "metadataTest": {"user": content},
                }
            )
        )
        return make_suite(read_files([file]), Subject(image_of()), environ={})

    assert held(passes, suite("x")) == set()
    assert len(held(passes, suite("x"))) == 4
    assert held(passes, suite("y"), keep=False) == {READY}


def test_an_engine_is_known_by_what_its_containers_can_tell() -> None:
    def engine(version: str = "28", driver: str = "overlay2", **told: Any) -> str:
        made = SimpleNamespace(
            version=SimpleNamespace(product="Docker", version=version, os="linux", architecture="amd64"),
            info=SimpleNamespace(driver=driver, containerd_store=False, raw={"KernelVersion": "6", **told}),
        )
        return describe_engine(cast("Any", made))

    assert engine() == engine(Images=3)
    assert len({engine(), engine("29"), engine(driver="vfs"), engine(SecurityOptions=["name=rootless"])}) == 4


def test_what_is_remembered_is_bounded(passes: Passes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 3)
    now = time.time()
    monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: now))
    for name in "abcde":
        now += 1
        passes.keep([name])
    assert passes.recall("abcde") == {"c", "d", "e"}
    now += 91 * 86400
    passes.keep(["f"])
    assert passes.recall("cdef") == {"f"}


def test_a_function_without_a_name_is_like_no_other(passes: Passes) -> None:
    suite = suite_of({"a": PLAIN})
    (check,) = suite.checks
    odd = replace(check, what=cast("Any", lambda: None))
    with pytest.raises(module._UnknownError):
        module._digest(odd.what)
