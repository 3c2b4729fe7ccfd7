from __future__ import annotations

import json
from pathlib import Path

import pytest

from nixdock.checks.structure_test.model import (
    CommandTest,
    ContainerRunOptions,
    FileContentTest,
    FileExistenceTest,
    Label,
    LicenceTest,
    MetadataTest,
    StructureTests,
    Variable,
)
from nixdock.checks.structure_test.reader import (
    is_structure_tests,
    read_file,
    read_structure_tests,
    recognise,
)
from nixdock.errors import UsageError

_ALL = """\
schemaVersion: 2.0.0
globalEnvVars: [{key: G, value: 1.10, isRegex: yes}]
commandTests:
- name: a
  setup: [[touch, /x]]
  teardown: [[rm, /x]]
  envVars: [{key: E, value: on}]
  exitCode: 0x10
  command: sh
  args: ["-c", 010]
  expectedOutput: [1]
  excludedOutput: [2]
  expectedError: [3]
  excludedError: [4]
fileExistenceTests:
- {name: b, path: /b}
- {name: c, path: /c, shouldExist: off, permissions: -rw-r--r--, uid: 1, gid: 2, isExecutableBy: any}
fileContentTests:
- {name: d, path: /d, expectedContents: [5], excludedContents: [6]}
licenseTests:
- {debian: true, files: [/e]}
metadataTest:
  envVars: [{key: A, value: B}]
  unboundEnvVars: [{key: C}]
  labels: [{key: D, value: E, isRegex: true}]
  entrypoint: []
  cmd: [x]
  exposedPorts: [8080]
  unexposedPorts: [80]
  volumes: [/v]
  unmountedVolumes: [/w]
  workdir: /
  user: 0
containerRunOptions:
  user: 1
  privileged: true
  allocateTty: true
  envFile: .env
  envVars: [HOME]
  capabilities: [ALL]
  bindMounts: [/a:/b]
"""


def _read(text: str, name: str = "f.yaml") -> StructureTests:
    return read_structure_tests(text.encode(), name).tests


def test_every_key_has_its_place() -> None:
    assert _read(_ALL) == StructureTests(
        version="2.0.0",
        environment=(Variable("G", "1.10", is_regex=True),),
        commands=(
            CommandTest(
                name="a",
                command=("sh",),
                args=("-c", "010"),
                setup=(("touch", "/x"),),
                teardown=(("rm", "/x"),),
                environment=(Variable("E", "on"),),
                exit_code=16,
                expected_output=("1",),
                excluded_output=("2",),
                expected_error=("3",),
                excluded_error=("4",),
            ),
        ),
        contents=(FileContentTest("d", "/d", ("5",), ("6",)),),
        files=(
            FileExistenceTest("b", "/b", should_exist=True, uid=-1, gid=-1),
            FileExistenceTest("c", "/c", permissions="-rw-r--r--", uid=1, gid=2, executable_by="any"),
        ),
        licences=(LicenceTest(debian=True, files=("/e",)),),
        metadata=MetadataTest(
            environment=(Variable("A", "B"),),
            unbound=(Variable("C"),),
            labels=(Label("D", "E", is_regex=True),),
            entrypoint=(),
            cmd=("x",),
            exposed_ports=("8080",),
            unexposed_ports=("80",),
            volumes=("/v",),
            unmounted_volumes=("/w",),
            workdir="/",
            user="0",
        ),
        options=ContainerRunOptions(
            user="1",
            privileged=True,
            tty=True,
            env_file=".env",
            env_names=("HOME",),
            capabilities=("ALL",),
            bind_mounts=("/a:/b",),
        ),
    )


def test_tests_know_where_they_stand() -> None:
    tests = _read(_ALL)
    assert [test.place for test in tests.commands] == ["f.yaml:4:3"]
    assert [test.place for test in tests.files] == ["f.yaml:16:3", "f.yaml:17:3"]
    assert tests.metadata.place == "f.yaml:23:3"


def test_version_1_has_its_own_keys() -> None:
    text = (
        "schemaVersion: 1.0.0\ncommandTests: [{name: a, command: [x, y]}]\nfileExistenceTests: [{path: /}]\n"
    )
    tests = _read(text)
    assert tests.commands[0].argv == ("x", "y")
    assert tests.files == (FileExistenceTest("", "/", should_exist=True, uid=-1, gid=-1),)
    for line in ("metadataTest: {}", "containerRunOptions: {}", "fileExistenceTests: [{uid: 1}]"):
        with pytest.raises(UsageError, match="has no key"):
            _read(f"schemaVersion: 1.0.0\n{line}\n")


def test_all_problems_of_a_file_are_said_with_their_places() -> None:
    with pytest.raises(UsageError) as raised:
        _read(
            "schemaVersion: 2.0.0\n"
            "fileExistenceTests:\n- {name: a, path: /a, shouldExists: true}\n- {uid: '5'}\n"
            "commandTest: []\n"
        )
    assert raised.value.message == (
        "f.yaml:3:23: a file existence test has no key 'shouldExists'; did you mean 'shouldExist'?"
    )
    assert raised.value.details == (
        "f.yaml:4:9: expected a whole number, found the text '5'\n"
        "f.yaml:5:1: a file of version 2.0.0 has no key 'commandTest'; did you mean 'commandTests'?"
    )


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("", "f.yaml", "it has no schemaVersion"),
        ("schemaVersion: ~", "f.yml", "it has no schemaVersion"),
        ("schemaVersion: 3.0.0", "f.yaml", "there is no schemaVersion '3.0.0'"),
        ("schemaVersion: v2.0.0", "f.yaml", "there is no schemaVersion 'v2.0.0'"),
        ("schemaVersion: [2.0.0]", "f.yaml", "expected a text, found a list"),
        ("schemaVersion: 2.0.0", "f.txt", "ends in .yaml, .yml or .json"),
        ("- a", "f.yaml", "expected a mapping"),
        ('{"schemaVersion": 2}', "f.json", "expected a text, found the number 2"),
        ('{"schemaVersion": "2.0.0", "licenseTests": 1}', "f.json", "f.json:1:44: expected a list"),
    ],
)
def test_what_is_no_such_file_is_refused(text: str, name: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        _read(text, name)
    assert raised.value.message.startswith(name)
    assert message in raised.value.message


def test_json_goes_by_other_names_in_any_case_and_has_no_defaults() -> None:
    document = {
        "SCHEMAVERSION": "2.0.0",
        "fileexistencetests": [{"NAME": "a", "path": "/a"}, {"Path": "/b", "shouldEXIST": True}],
        "containerRunOptions": {"tty": True, "allocateTty": True},
        "commandTests": [{"cmd": "x"}],
    }
    reading = read_structure_tests(json.dumps(document).encode(), "f.json")
    assert reading.tests.files == (
        FileExistenceTest("a", "/a"),
        FileExistenceTest("", "/b", should_exist=True),
    )
    assert reading.tests.options == ContainerRunOptions(tty=True)
    options = "f.json:1:155: containerRunOptions has no key 'allocateTty'"
    command = "f.json:1:195: a command test has no key 'cmd'; did you mean 'command'?"
    absent = "a JSON file has no defaults: without shouldExist the path must be absent"
    assert reading.warnings == (
        f"{options} (it is ignored)",
        f"{command} (it is ignored)",
        f"f.json:1:51: {absent}",
    )


def test_keys_that_stand_twice_in_json_are_refused_in_any_case() -> None:
    for again in ("metadataTest", "MetadataTEST"):
        text = f'{{"schemaVersion": "2.0.0", "metadataTest": {{"user": "a"}}, "{again}": {{"workdir": "/"}}}}'
        with pytest.raises(UsageError, match=f"'{again}' stands here a second time"):
            _read(text, "f.json")


def test_the_programs_own_fields_are_no_keys() -> None:
    for line in ("driverargs: {}", "driverimpl: {}"):
        with pytest.raises(UsageError, match="has no key 'driver"):
            _read(f"schemaVersion: 2.0.0\n{line}\n")


@pytest.mark.parametrize(
    ("text", "name", "is_one"),
    [
        ("schemaVersion: 2.0.0\n", "a.yaml", True),
        ("# comment\n---\nschemaVersion: '2.0.0'\n", "a.yml", True),
        ('{"schemaVersion": "2.0.0"}', "a.yaml", True),
        ('{\n "SchemaVersion" : "2.0.0"}', "a.json", True),
        ("schemaVersion: 2.0.0\nfileExistenceTests: [", "a.yaml", True),
        ("version: 1\nchecks: {a: {run: [], stdout: 'schemaVersion: 2'}}\n", "a.yaml", False),
        ("checks:\n  a:\n    schemaVersion: x\n", "a.yaml", False),
        ('{"version": 1}', "a.json", False),
    ],
)
def test_files_are_told_apart(text: str, name: str, is_one: bool, tmp_path: Path) -> None:
    assert is_structure_tests(text.encode(), name) is is_one
    (tmp_path / name).write_text(text)
    assert recognise(tmp_path / name) is is_one
    assert not recognise(tmp_path / "nowhere.yaml")


def test_a_file_that_is_not_there_or_huge_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*nowhere\.yaml: No such file"):
        read_file(tmp_path / "nowhere.yaml")
    huge = tmp_path / "huge.yaml"
    huge.write_bytes(b"schemaVersion: 2.0.0\n" + b"#" * (4 << 20))
    with pytest.raises(UsageError, match="larger than 4 MiB"):
        read_file(huge)
