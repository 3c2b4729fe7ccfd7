from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from nixdock.checks.expectations import RunExpectation, judge_run
from nixdock.checks.format.suite import schema, suite_from_value
from nixdock.checks.kinds.closure import ClosureCheck
from nixdock.checks.kinds.config import ConfigCheck
from nixdock.checks.kinds.exec import ExecCheck
from nixdock.checks.kinds.file import FileCheck
from nixdock.checks.kinds.http import HttpCheck
from nixdock.checks.kinds.logs import LogsCheck
from nixdock.checks.kinds.run import RunCheck
from nixdock.checks.kinds.size import SizeCheck
from nixdock.checks.kinds.stop import StopCheck
from nixdock.checks.matchers.value import Unset
from nixdock.checks.model import HttpProbe, HttpRequest
from nixdock.errors import UsageError
from nixdock.outcome import RunOutcome

from .suites import checks_of, problems_of, read_text

WEB = r"""
# web.checks.yaml beside web.nix
version: 1
service:
  environment: {TZ: UTC}
ready:
  http: {path: /healthz, port: 8080}
  within: 30s
checks:
  version:
    run: [/bin/web, --version]
    stdout: {matches: '^web 1\.'}
    stderr: {empty: true}
  serves:
    http: {path: /, port: 8080}
    status: 200
    headers: {Content-Type: {contains: text/html}}
    body: {contains: [Welcome], not: {matches: "(?i)error"}}
  certs:
    file: /etc/ssl/certs/ca-bundle.crt
    mode: "0444"
  shape:
    config: {WorkingDir: /srv, ExposedPorts: [8080/tcp]}
"""


CACHE: dict[str, Any] = {
    "service": {"read_only": True, "tmpfs": ["/data"]},
    "ready": {"tcp": 6379, "within": "20s"},
    "checks": {
        "pings": {"exec": ["/nix/store/x-redis/bin/redis-cli", "ping"], "stdout": "PONG\n"},
        "says": {"logs": {"contains": "Ready to accept"}},
        "user": {"config": {"User": "999", "Healthcheck": None}},
        "no-shell": {"file": "/bin/sh", "exists": False},
        "small": {"size": {"max": "60MB"}},
        "slim": {"closure": {"forbid": ["gcc-*", "*-dev"]}},
        "ends": {"stop": "5s", "exit": 0},
    },
}


def test_the_example_in_yaml_is_read(tmp_path: Path) -> None:
    suite = read_text(tmp_path, WEB)

    assert suite.service is not None
    assert suite.service.options == (("env", "TZ=UTC"),)
    assert suite.ready is not None
    assert suite.ready.http == HttpProbe(HttpRequest("/healthz", 8080))
    assert suite.ready.within == 30
    assert [check.name for check in suite.checks] == ["version", "serves", "certs", "shape"]
    version, serves, certs, shape = (check.what for check in suite.checks)
    assert isinstance(version, RunCheck)
    assert version.command.argv == ("/bin/web", "--version")
    assert judge_run(version.command.expected, RunOutcome(0, b"web 1.4\n")) == ()
    assert len(judge_run(version.command.expected, RunOutcome(0, b"web 2\n", b"oops"))) == 2
    assert isinstance(serves, HttpCheck)
    assert serves.body is not None
    assert serves.body.judge(b"<p>Welcome") == ()
    assert serves.body.judge(b"Welcome, Error!") != ()
    assert isinstance(certs, FileCheck)
    assert certs.mode is not None
    assert certs.mode.bits == 0o444
    assert isinstance(shape, ConfigCheck)
    assert [field.path for field in shape.fields] == [("config", "WorkingDir"), ("config", "ExposedPorts")]
    assert suite.checks[0].place == f"{tmp_path}/web.checks.yaml:10:3"


def test_the_example_in_nix_is_read() -> None:
    suite = suite_from_value(CACHE, "cache.nix")

    kinds = [type(check.what) for check in suite.checks]
    assert kinds == [ExecCheck, LogsCheck, ConfigCheck, FileCheck, SizeCheck, ClosureCheck, StopCheck]
    assert suite.has_service
    assert suite.service is not None
    assert suite.service.options == (("read-only", "true"), ("tmpfs", "/data"))
    assert suite.ready is not None
    assert suite.ready.tcp == 6379
    user = suite.checks[2].what
    assert isinstance(user, ConfigCheck)
    assert user.fields[1].matcher == Unset()
    assert suite.checks[0].place == "cache.nix: checks.pings"


def test_both_examples_satisfy_the_published_schema() -> None:
    published = schema()
    jsonschema.Draft202012Validator.check_schema(published)

    validator = jsonschema.Draft202012Validator(published)
    assert not list(validator.iter_errors(yaml.safe_load(WEB)))
    assert not list(validator.iter_errors(CACHE))
    assert json.loads(json.dumps(published)) == published


@pytest.mark.parametrize(
    "value",
    [
        {"cheks": {}},
        {"version": 1, "checks": {"a": {"exec": []}, "b": {"nothing": 1}}},
        {"checks": {"a": {"run": [], "stdot": "x"}}},
        {"checks": {"a": {"file": "/x", "size": {"mix": 1}}}},
        {"checks": {"a": {"exec": ["x"], "stdout": {"contians": "x"}}}},
        {"checks": {"a": {"exec": ["x"], "stdout": {}}}},
        {"checks": {"a": {"config": {"Usr": "x"}}}},
        {"checks": {"a": {"config": {"Cmd": "x"}}}},
        {"checks": {"a": {"config": {"Healthcheck": {"Tes": ["CMD", "x"]}}}}},
        {"checks": {"a": {"config": {"Labels": {"a": {"contians": "x"}}}}}},
        {"service": {"ulimits": {"nofile": {"soft": 1}}}},
        {"service": {"readonly": True}},
        {"ready": {"tpc": 1}},
    ],
)
def test_what_the_reader_refuses_the_schema_refuses(value: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        suite_from_value(value, "x")
    assert list(jsonschema.Draft202012Validator(schema()).iter_errors(value))


def test_every_problem_is_told_with_its_position_and_what_was_meant(tmp_path: Path) -> None:
    text = """
checks:
  version:
    run: [web]
    stdot: x
  hello:
    exec: hello world
  twice:
    run: []
    exec: [x]
  odd:
    fil: /x
  port:
    http: {port: 70000}
  when:
    exec: [x]
    timeout: soon
readdy: {}
"""
    assert problems_of(tmp_path, text) == [
        "web.checks.yaml:5:5: the check 'version' (kind run) has no key 'stdot'; did you mean 'stdout'?",
        "web.checks.yaml:7:11: a command is a list of words: write [hello, world]",
        "web.checks.yaml:9:5: the check 'twice' has two kinds: run and exec",
        "web.checks.yaml:12:5: the check 'odd' has no kind; did you mean 'file'?",
        "web.checks.yaml:14:18: '70000' is not a port: a number from 1 to 65535",
        "web.checks.yaml:17:14: 'soon' is not a duration: write seconds, or such as '500ms', '20s', '1m30s'",
        "web.checks.yaml:18:1: a check file has no key 'readdy'; did you mean 'ready'?",
    ]


@pytest.mark.parametrize(
    ("matcher", "problem"),
    [
        ("[]", "an empty list asks for nothing; write {empty: true} for no output"),
        ("{}", "this asks for nothing: write such as {contains: text}"),
        ("null", "null is no text; write {empty: true} for no output"),
        ("{contians: x}", "'contians' is no matcher; did you mean 'contains'?"),
        ("{matches: 'a(?=b)'}", "RE2 has no look-around"),
        ("{json: x}", "expected a mapping from paths"),
        ("{json: {a..b: 1}}", "is not a path into JSON"),
        ("{lines: {soem: 1}}", "lines have no 'soem'; did you mean 'some'?"),
        ("{length: {min: 5, max: 3}}", "no number is that: min is above max"),
        ("{snapshot: ../x}", "is no name for a snapshot"),
        ("{not: []}", "an empty list asks for nothing"),
    ],
)
def test_bad_matchers_are_explained(tmp_path: Path, matcher: str, problem: str) -> None:
    (said,) = problems_of(tmp_path, f"checks:\n  a:\n    exec: [x]\n    stdout: {matcher}\n")

    assert problem in said


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        ("{file: etc/passwd}", "is not a path in the image: it must begin with '/'"),
        ("{file: /x, exists: false, mode: '0644'}", "what must not exist can have no other properties"),
        ("{file: /x, mode: rwx}", "'rwx' is not a mode: write it as '0755'"),
        ("{file: /x, type: dir}", "expected one of file, directory"),
        ("{file: /x, sha256: abc}", "is not a sha256"),
        ("{size: 60M}", "has an unknown unit 'M': write '60MB' or '60MiB'"),
        ("{size: {}}", "this asks for nothing: write max, layer, layers or paths"),
        ("{closure: {}}", "this asks for nothing: write one of forbid"),
        ("{config: {Cmd: hello}}", "expected a list of words or null, found the text 'hello'"),
        ("{config: {}}", "expected docker's config keys"),
        ("{config: {Healthcheck: {Tst: x}}}", "Healthcheck has no key 'Tst'; did you mean 'Test'?"),
        ("{exec: [x], shell: true, stdout: {snapshot: a b/c}}", "is no name for a snapshot"),
        ("{exec: [a, b], shell: true}", "with 'shell' there is one script, not several words"),
        ("{exec: [a], env: {A: }}", "the variable 'A' has no value"),
        ("{http: {path: x}}", "the path 'x' must begin with '/'"),
        ("{http: /, exit: 1}", "has no key 'exit'"),
        ("{stop: 5s, within: 1s}", "has no key 'within'"),
        ("{run: [], exit: [0, 1]}", "one number cannot be several; write {any: [...]}"),
        ("{exec: [], stdout: x}", "exec needs at least one word"),
        ("{skip: later}", "has no kind; there are run, exec"),
    ],
)
def test_bad_checks_are_explained(tmp_path: Path, check: str, problem: str) -> None:
    (said,) = problems_of(tmp_path, f"checks:\n  a: {check}\n")

    assert problem in said


def test_text_is_what_is_written_not_what_yaml_makes_of_it(tmp_path: Path) -> None:
    found = checks_of(
        tmp_path,
        """
a: {exec: [web, 1.10, yes], env: {A: 1.10, B: true}, stdout: 1.10}
b: {file: /x, mode: 0444}
c: {config: {Env: {V: 1.10}}}
""",
    )

    what = found["a"].what
    assert isinstance(what, ExecCheck)
    assert what.command.argv == ("web", "1.10", "yes")
    assert what.command.env == {"A": "1.10", "B": "true"}
    assert what.command.expected.stdout is not None
    assert what.command.expected.stdout.judge(b"1.10") == ()
    file = found["b"].what
    assert isinstance(file, FileCheck)
    assert file.mode is not None
    assert file.mode.bits == 0o444
    config = found["c"].what
    assert isinstance(config, ConfigCheck)
    assert config.fields[0].matcher.judge(["V=1.10"]) == ()


def test_a_check_can_wait_be_tagged_skipped_and_expected_to_fail(tmp_path: Path) -> None:
    found = checks_of(
        tmp_path,
        """
a: {logs: {contains: up}, within: 5s, interval: 100ms}
b: {exec: [x], tags: [slow, net], timeout: 2m}
c: {exec: [x], skip: not yet}
d: {exec: [x], xfail: known bug}
e: {exec: [x], fresh: true, setup: [[mk, x]], teardown: [[rm, x]]}
""",
    )

    assert (found["a"].within, found["a"].interval) == (5.0, 0.1)
    assert (found["b"].tags, found["b"].timeout) == (("slow", "net"), 120.0)
    assert (found["c"].skip, found["d"].xfail) == ("not yet", "known bug")
    what = found["e"].what
    assert isinstance(what, ExecCheck)
    assert (what.fresh, what.setup, what.teardown) == (True, (("mk", "x"),), (("rm", "x"),))


def test_the_images_own_command_is_an_empty_list_or_null(tmp_path: Path) -> None:
    found = checks_of(tmp_path, "a: {run: []}\nb: {run: }\n")

    for check in found.values():
        assert isinstance(check.what, RunCheck)
        assert check.what.command.argv == ()
        assert check.what.command.expected == RunExpectation()


def test_composes_words_become_dockers_options(tmp_path: Path) -> None:
    suite = read_text(
        tmp_path,
        """
run: {hardened: true, user: "65534"}
service:
  environment: [A=1, HOME]
  ports: ["8080:80"]
  cap_drop: [ALL]
  sysctls: {net.core.somaxconn: 1024}
  ulimits: {nofile: {soft: 10, hard: 20}, nproc: 5}
  extra_hosts: {db: 10.0.0.1}
  read_only: true
  tmpfs: /tmp
  entrypoint: [/bin/a, b]
  command: [c]
  healthcheck: {test: [CMD, /bin/probe], interval: 1s, retries: 3}
  raw: {HostConfig: {Annotations: {x: "y"}}}
""",
    )

    assert suite.run.hardened
    assert suite.run.options == (("user", "65534"),)
    service = suite.service
    assert service is not None
    assert service.options == (
        ("env", "A=1"),
        ("env", "HOME"),
        ("publish", "8080:80"),
        ("cap-drop", "ALL"),
        ("sysctl", "net.core.somaxconn=1024"),
        ("ulimit", "nofile=10:20"),
        ("ulimit", "nproc=5"),
        ("add-host", "db:10.0.0.1"),
        ("read-only", "true"),
        ("tmpfs", "/tmp"),
    )
    assert service.command == ("c",)
    assert service.raw == {
        "Entrypoint": ["/bin/a", "b"],
        "Healthcheck": {"Test": ["CMD", "/bin/probe"], "Interval": 10**9, "Retries": 3},
        "HostConfig": {"Annotations": {"x": "y"}},
    }


def test_a_misspelt_service_key_is_caught(tmp_path: Path) -> None:
    (said,) = problems_of(tmp_path, "service: {readonly: true}\n")

    assert said == "web.checks.yaml:1:11: service has no key 'readonly'; did you mean 'read_only'?"
