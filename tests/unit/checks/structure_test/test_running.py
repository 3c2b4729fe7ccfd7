from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from nixdock.checks.model import Suite
from nixdock.checks.running.runner import SuiteResult, SuiteRun
from nixdock.checks.running.trials import Choice
from nixdock.checks.structure_test.reader import read_files
from nixdock.checks.structure_test.translation import make_suite
from nixdock.checks.subject import Subject
from nixdock.checks.verdict import Status, Verdict
from nixdock.errors import LoadError
from nixdock.events import Event, Warned
from nixdock.usecases.check import CheckOptions, _needs_engine, _runs
from support.images import image_of
from support.layers import file, layer_of

_STATIC = """\
schemaVersion: 2.0.0
fileExistenceTests:
- {name: there, path: /a}
- {name: not there, path: /b}
- {name: there too, path: /a}
metadataTest: {user: x}
"""
_COMMAND = "schemaVersion: 2.0.0\ncommandTests: [{name: a, command: x}, {name: b}]\n"


@pytest.fixture
def subject() -> Subject:
    return Subject(image_of(layer_of(file("a", b"x")), config={"User": "x"}))


def _write(folder: Path, **texts: str) -> list[Path]:
    paths = []
    for name, text in texts.items():
        path = folder / f"{name}.yaml"
        path.write_text(text)
        paths.append(path)
    return paths


def _run(files: list[Path], subject: Subject, **options: Any) -> tuple[SuiteResult, list[Verdict]]:
    told: list[Verdict] = []
    suite = make_suite(read_files(files), subject)
    return SuiteRun(suite, "the image", lambda: subject, None, tell=told.append, **options).run(), told


def test_verdicts_come_in_the_order_of_the_original(tmp_path: Path, subject: Subject) -> None:
    ended, told = _run(_write(tmp_path, a=_STATIC), subject)
    assert [(verdict.name, verdict.status) for verdict in told] == [
        ("File Existence Test: there", Status.PASS),
        ("File Existence Test: not there", Status.FAIL),
        ("File Existence Test: there too", Status.PASS),
        ("Metadata Test", Status.PASS),
    ]
    assert ended.report.verdicts == tuple(told)
    assert ended.report.exit_code == 1
    failed = told[1]
    assert failed.place == f"{tmp_path}/a.yaml:4:3"
    assert failed.suite == f"{tmp_path}/a.yaml"
    assert str(failed.findings[0]) == "shouldExist: /b is not there"


def test_a_file_that_cannot_be_read_keeps_nobody_from_the_others(tmp_path: Path, subject: Subject) -> None:
    files = [*_write(tmp_path, bad="schemaVersion: 2.0.0\nnope: 1\n", good=_STATIC), tmp_path / "gone.yaml"]
    ended, told = _run(files, subject)
    assert [verdict.status.name for verdict in told] == ["ERROR", "PASS", "FAIL", "PASS", "PASS", "ERROR"]
    assert told[0].name == f"{tmp_path}/bad.yaml"
    assert "bad.yaml:2:1: a file of version 2.0.0 has no key 'nope'" in told[0].findings[0].message
    assert ended.report.exit_code == 1


def test_some_of_the_checks_can_be_chosen(tmp_path: Path, subject: Subject) -> None:
    files = _write(tmp_path, a=_STATIC)
    _, told = _run(files, subject, choice=Choice(patterns=("there", "!too")))
    assert [verdict.name for verdict in told] == [
        "File Existence Test: there",
        "File Existence Test: not there",
    ]
    assert not _run(files, subject, choice=Choice(tags=("x",)))[1]


def test_nothing_is_begun_after_the_first_failure_where_that_is_wanted(
    tmp_path: Path, subject: Subject
) -> None:
    _, told = _run(_write(tmp_path, a=_STATIC), subject, choice=Choice(fail_fast=True))
    assert [verdict.status.name for verdict in told] == ["PASS", "FAIL", "SKIP", "SKIP"]
    assert "--fail-fast" in (told[2].reason or "")


def test_what_is_not_begun_is_told_under_its_full_name(tmp_path: Path, subject: Subject) -> None:
    files = _write(tmp_path, c=_COMMAND)
    _, told = _run(files, subject, choice=Choice(fail_fast=True))
    assert [(verdict.name, verdict.status) for verdict in told] == [
        ("Command Test: a", Status.ERROR),
        ("Command Test: b", Status.SKIP),
    ]
    _, told = _run(files, subject, seconds=0.0)
    assert [verdict.name for verdict in told] == ["Command Test: a", "Command Test: b"]


def test_when_the_time_is_up_the_rest_could_not_be_run(tmp_path: Path, subject: Subject) -> None:
    ended, told = _run(_write(tmp_path, a=_STATIC), subject, seconds=0.0)
    assert {verdict.status for verdict in told} == {Status.ERROR}
    assert ended.timed_out
    assert ended.report.exit_code == 122


def test_commands_need_an_engine_and_faulty_ones_do_not(tmp_path: Path, subject: Subject) -> None:
    files = _write(tmp_path, c=_COMMAND)
    assert _needs_engine(make_suite(read_files(files), subject), Choice())
    assert not _needs_engine(make_suite(read_files(files), subject), Choice(patterns=("Test: b",)))
    static = _write(tmp_path, s=_STATIC)
    assert not _needs_engine(make_suite(read_files(static), subject), Choice())
    _, told = _run(files, subject)
    assert [(verdict.name, verdict.status) for verdict in told] == [
        ("Command Test: a", Status.ERROR),
        ("b", Status.FAIL),
    ]
    assert "needs an engine" in told[0].findings[0].message


def test_what_says_nothing_is_warned_of(tmp_path: Path, subject: Subject) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"schemaVersion": "2.0.0", "nope": 1, "metadataTest": {"user": "x"}}')
    warning = f"{path}:1:28: a file of version 2.0.0 has no key 'nope' (it is ignored)"
    readings = read_files([path])
    assert [reading.warnings for reading in readings] == [(warning,)]
    events: list[Event] = []
    image: Any = SimpleNamespace(name="the image", subject=lambda: subject)
    (run,) = _runs(
        image,
        Suite("nothing"),
        readings,
        CheckOptions(),
        cast("Any", None),
        listener=events.append,
        tell=lambda _verdict: None,
    )
    assert [verdict.status for verdict in run.run().report.verdicts] == [Status.PASS]
    assert events == [Warned(warning)]


def test_a_config_that_cannot_be_read_is_an_error_of_each_test(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(f"{_STATIC}commandTests: [{{name: a, command: x}}]\n")
    ended, told = _run([path], Subject(image_of(config={"Env": 5})))
    assert [verdict.status for verdict in told] == [Status.ERROR] * 5
    assert ended.exit_code == 122
    for verdict in told:
        assert "config.Env is a number" in verdict.findings[0].message
        assert "mend config" in (verdict.findings[0].details or "")


def test_layers_that_cannot_be_read_are_an_error_and_config_needs_none(tmp_path: Path) -> None:
    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise LoadError("the layer is damaged")

    image = image_of(config={"User": "x"})
    object.__setattr__(image, "layers", (Broken(),))
    _, verdicts = _run(_write(tmp_path, a=_STATIC), Subject(image))
    assert [verdict.status.name for verdict in verdicts] == ["ERROR", "ERROR", "ERROR", "PASS"]
    assert verdicts[0].findings[0].message == "the layer is damaged"


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ("8080", True),
        ("8080/tcp", True),
        ("8080/udp", False),
        ("53", True),
        ("53/udp", True),
        ("53/tcp", False),
        ("443/tcp", True),
        ("80/tcp", False),
    ],
)
def test_ports_are_found_by_number_and_by_protocol(tmp_path: Path, asked: str, there: bool) -> None:
    (path,) = _write(
        tmp_path,
        a=f"schemaVersion: 2.0.0\nmetadataTest: {{user: x, exposedPorts: [{asked}]}}\n",
    )
    ports: dict[str, Any] = {"8080/tcp": {}, "53/udp": {}, "443": {}}
    subject = Subject(image_of(config={"User": "x", "ExposedPorts": ports}))
    _, (verdict,) = _run([path], subject)
    assert (verdict.status is Status.PASS) == there
