"""`run` and `exec`: commands in containers, what they are given and what is expected of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from integration.checking.conftest import Checker


def _pass(check: Checker, checks: dict[str, Any], *options: str, **suite: Any) -> None:
    checked = check(checks, *options, **suite)
    assert checked.statuses() == dict.fromkeys(checks, "PASS"), checked.run.stdout + checked.run.stderr
    assert checked.status == 0


def _fail(check: Checker, checks: dict[str, tuple[Any, str]], *options: str, **suite: Any) -> None:
    """Every check must fail, and say so in these words."""
    checked = check({name: value for name, (value, _) in checks.items()}, *options, **suite)
    assert checked.statuses() == dict.fromkeys(checks, "FAIL"), checked.run.stdout + checked.run.stderr
    for name, (_, words) in checks.items():
        assert words in checked.said(name)
    assert checked.status == 1


def test_what_holds_of_commands_passes_on_every_engine(any_check: Checker) -> None:
    sh = ["/bin/sh", "-c"]
    _pass(
        any_check,
        {
            "the image's own command": {"run": [], "stdout": "hello from the image\n"},
            "another command": {"run": ["/bin/echo", "a", "b c"], "stdout": "a b c\n"},
            "exit status": {"run": [*sh, "exit 7"], "exit": 7},
            "stderr": {"run": [*sh, "echo oops >&2"], "stderr": "oops\n", "stdout": {"empty": True}},
            "stdin": {"run": ["/bin/cat"], "stdin": "given", "stdout": "given"},
            "environment": {"run": [*sh, "echo $A"], "env": {"A": "1 2"}, "stdout": "1 2\n"},
            "user": {"run": ["/bin/id", "-u"], "user": "web", "stdout": "999\n"},
            "folder": {"run": ["/bin/pwd"], "workdir": "/etc", "stdout": "/etc\n"},
            "by PATH": {"exec": ["echo", "x"], "stdout": "x\n"},
            "exec exit": {"exec": [*sh, "exit 7"], "exit": {"any": [6, 7]}},
            "exec stderr": {"exec": [*sh, "echo e >&2; echo o"], "stderr": "e\n", "stdout": "o\n"},
            "exec stdin": {"exec": ["wc", "-c"], "stdin": "x" * 100_000, "stdout": "100000\n"},
            "exec environment": {"exec": [*sh, "echo $A$PATH"], "env": {"A": "1"}, "stdout": "1/bin\n"},
            "exec user": {"exec": ["id", "-u"], "user": "web", "stdout": "999\n"},
            "exec folder": {"exec": ["pwd"], "workdir": "/etc", "stdout": "/etc\n"},
            "shell": {"exec": ["echo $((1+1)) | tr 2 3"], "shell": True, "stdout": "3\n"},
            "no shell": {"exec": ["echo", "$HOME", "*"], "stdout": "$HOME *\n"},
            "not there": {"exec": ["no-such"], "exit": 127},
            "not executable": {"exec": ["/etc/passwd"], "exit": 126},
            "not there, run": {"run": ["/no/such"], "exit": 127},
        },
    )


def test_what_does_not_hold_of_commands_fails_on_every_engine(any_check: Checker) -> None:
    sh = ["/bin/sh", "-c"]
    _fail(
        any_check,
        {
            "own": (
                {"run": [], "stdout": "bye\n"},
                "expected to be 'bye\\n', found 'hello from the image\\n'",
            ),
            "exit": ({"run": ["/bin/false"]}, "exit: expected to be 0, found 1"),
            "zero": ({"run": [*sh, "echo x"], "exit": 3, "stdout": "x\n"}, "exit: expected to be 3, found 0"),
            "stderr": (
                {"run": [*sh, "echo w >&2"], "stderr": {"empty": True}},
                "stderr: expected to be empty",
            ),
            "missing": ({"run": ["/no/such"]}, "there is no '/no/such'"),
            "exec exit": ({"exec": ["false"]}, "exit: expected to be 0, found 1"),
            "exec missing": ({"exec": ["no-such"]}, "there is no 'no-such' in the image"),
            "exec file": ({"exec": ["/etc/passwd"]}, "'/etc/passwd' in the image cannot be executed"),
            "diff": (
                {"exec": ["seq", "3"], "stdout": "1\ntwo\n3\n"},
                "--- expected\n+++ found\n@@ -1,3 +1,3 @@\n 1\n-two\n+2\n 3",
            ),
            "other": ({"exec": [*sh, "echo x >&2"], "stdout": "x\n"}, "stderr has it"),
        },
    )


def test_matchers_accept(check: Checker) -> None:
    document = '{"status": "ok", "n": 3, "items": [{"a b": null}]}'
    _pass(
        check,
        {
            "contains": {"exec": ["echo", "one two"], "stdout": {"contains": ["one", "two"]}},
            "matches": {"exec": ["echo", "web 1.2"], "stdout": {"matches": r"^web \d\.\d\n$"}},
            "lines": {"exec": ["seq", "3"], "stdout": {"lines": ["1", {"matches": "^2$"}, "3"]}},
            "some line": {"exec": ["seq", "30"], "stdout": {"lines": {"some": "17", "count": {"min": 30}}}},
            "every line": {"exec": ["seq", "30"], "stdout": {"lines": {"every": {"matches": "^[0-9]+$"}}}},
            "json": {
                "exec": ["echo", document],
                "stdout": {"json": {"status": "ok", "n": {"min": 3}, '.items[0]["a b"]': None}},
            },
            "not": {"exec": ["echo", "fine"], "stdout": {"not": {"matches": "(?i)error"}}},
            "any": {"exec": ["echo", "b"], "stdout": {"any": ["a\n", "b\n"]}},
            "all": {"exec": ["echo", "ab"], "stdout": [{"contains": "a"}, {"contains": "b"}]},
            "length": {"exec": ["echo", "abc"], "stdout": {"length": 4}},
            "binary": {"exec": ["printf", r"\377\000a"], "stdout": {"contains": "a", "length": 3}},
            "no newline": {"exec": ["printf", "a"], "stdout": "a"},
        },
    )


def test_matchers_refuse(check: Checker) -> None:
    _fail(
        check,
        {
            "contains": ({"exec": ["echo", "one"], "stdout": {"contains": ["one", "two"]}}, "contain 'two'"),
            "matches": ({"exec": ["echo", "web"], "stdout": {"matches": "^web$"}}, "'$' is the very end"),
            "lines": ({"exec": ["seq", "3"], "stdout": {"lines": ["1", "2"]}}, "expected 2 lines, found 3"),
            "some": ({"exec": ["seq", "3"], "stdout": {"lines": {"some": "4"}}}, "none of 3 lines does"),
            "json": (
                {"exec": ["echo", "{}"], "stdout": {"json": {"a": 1}}},
                "a: expected to be 1, found nothing",
            ),
            "no json": ({"exec": ["echo", "x"], "stdout": {"json": {"a": 1}}}, "expected JSON"),
            "not": ({"exec": ["echo", "Error"], "stdout": {"not": {"matches": "(?i)error"}}}, "but it does"),
            "newline": ({"exec": ["echo", "a"], "stdout": "a"}, "it has a final newline more"),
        },
    )


def test_no_expression_can_hang_a_run(check: Checker) -> None:
    evil = {"exec": ["echo", "a" * 40 + "b"], "stdout": {"matches": "^(a+)+$"}, "timeout": "5s"}

    checked = check({"evil": evil})

    assert checked["evil"]["status"] == "FAIL"
    assert checked["evil"]["seconds"] < 5


def test_a_command_that_takes_too_long_is_killed_and_its_output_shown(any_check: Checker) -> None:
    slow = ["/bin/sh", "-c", "echo begun; sleep 1000"]
    _fail(
        any_check,
        {
            "run": ({"run": slow, "timeout": "1s"}, "it did not end within its time and was killed"),
            "exec": ({"exec": slow, "timeout": "1s"}, "begun"),
        },
    )


def test_what_is_not_yet_is_waited_for(check: Checker) -> None:
    script = "test -e /tmp/late || { touch /tmp/late; exit 1; }"
    checked = check(
        {
            "at last": {"exec": ["/bin/sh", "-c", script], "within": "20s", "interval": "50ms"},
            "never": {"exec": ["false"], "within": "300ms", "interval": "50ms"},
        }
    )

    assert checked.statuses() == {"at last": "PASS", "never": "FAIL"}
    assert checked["at last"]["notes"][0].startswith("it held at try ")


def test_checks_share_a_container_unless_they_want_one_of_their_own(check: Checker) -> None:
    checked = check(
        {
            "writes": {"exec": ["touch", "/tmp/mark"]},
            "fresh": {"exec": ["ls", "/tmp"], "fresh": True, "stdout": {"empty": True}},
            "set up": {
                "exec": ["cat", "/srv/file"],
                "setup": [["mkdir", "-p", "/srv"], ["sh", "-c", "echo made > /srv/file"]],
                "teardown": [["rm", "/srv/file"]],
                "stdout": "made\n",
            },
            "not set up for others": {"exec": ["ls", "/srv"], "exit": 1},
        },
        "--parallel",
        "1",
    )

    assert set(checked.statuses().values()) == {"PASS"}


def test_a_setup_that_fails_is_an_error_and_a_teardown_that_fails_a_note(check: Checker) -> None:
    checked = check(
        {
            "setup": {"exec": ["true"], "setup": [["sh", "-c", "echo why >&2; exit 3"]]},
            "teardown": {"exec": ["true"], "teardown": [["false"]]},
        }
    )

    assert checked.statuses() == {"setup": "ERROR", "teardown": "PASS"}
    assert "setup: sh -c echo why >&2; exit 3: exit status 3" in checked.said("setup")
    assert "why" in checked.said("setup")
    assert checked["teardown"]["notes"] == ["teardown: false: exit status 1"]
    assert checked.status == 122


def test_skipping_tags_filters_and_expected_failures(check: Checker) -> None:
    checks = {
        "good": {"exec": ["true"], "tags": ["quick"]},
        "bad": {"exec": ["false"]},
        "later": {"exec": ["false"], "skip": "not written yet"},
        "known": {"exec": ["false"], "xfail": "bug 7"},
        "mended": {"exec": ["true"], "xfail": "bug 8"},
    }

    everything = check(checks)
    assert everything.statuses() == {
        "good": "PASS", "bad": "FAIL", "later": "SKIP", "known": "SKIP", "mended": "FAIL",
    }  # fmt: skip
    assert everything["later"]["reason"] == "not written yet"
    assert everything["known"]["reason"] == "it fails, as expected: bug 7"
    assert check(checks, "--tag", "quick").statuses() == {"good": "PASS"}
    assert set(check(checks, "--filter", "ba").statuses()) == {"bad"}
    assert check(checks, "--filter", "later").status == 122
    nothing = check(checks, "--filter", "no such")
    assert (nothing.status, nothing.statuses()) == (122, {})


def test_the_first_failure_stops_the_rest(check: Checker) -> None:
    checks = {"bad": {"exec": ["false"]}, **{f"c{n}": {"exec": ["true"]} for n in range(20)}}

    checked = check(checks, "--fail-fast", "--parallel", "1")

    assert checked["bad"]["status"] == "FAIL"
    assert "SKIP" in checked.statuses().values()
    assert checked.status == 1


def test_a_snapshot_is_recorded_and_then_compared(check: Checker) -> None:
    hashed = "/nix/store/4b1sx2gsbb8iqm93q7cknh6b9wrmr8h4-hello/bin"
    other = hashed.replace("4b1s", "5c2s")
    checks = {"a": {"exec": ["echo", hashed], "stdout": {"snapshot": "out"}}}

    assert "there is no snapshot" in check(checks).said("a")
    assert check(checks, "--update").status == 0
    assert check({"a": {"exec": ["echo", other], "stdout": {"snapshot": "out"}}}).status == 0
    changed = check({"a": {"exec": ["echo", "/bin"], "stdout": {"snapshot": "out"}}})
    assert "differs from the snapshot" in changed.said("a")
    assert (check.nixdock.folder / "suite.snapshots" / "out.txt").exists()


def test_how_to_do_the_same_by_hand_is_told(check: Checker) -> None:
    checked = check({"a": {"run": ["/bin/sh", "-c", "exit 3"], "env": {"A": "b c"}}})
    command = checked["a"]["reproduce"]

    assert command == "docker run --rm -e A nixdock-checked:1 /bin/sh -c 'exit 3'"


def test_settings_hold_for_every_container(check: Checker, tmp_path: Path) -> None:
    (tmp_path / "vars").write_text("FROM_FILE=yes\n")
    checks = {
        kind: {
            kind: ["/bin/sh", "-c", "echo $A $FROM_FILE $(id -u) $(cat /mnt/f)"],
            "stdout": "1 yes 999 x\n",
        }
        for kind in ("run", "exec")
    }
    (tmp_path / "f").write_text("x")
    settings = {
        "environment": {"A": "1"},
        "env_file": str(tmp_path / "vars"),
        "user": "web",
        "volumes": [f"{tmp_path}/f:/mnt/f:ro"],
    }

    _pass(check, checks, run=settings)
    _pass(
        check,
        checks,
        "-e",
        "A=1",
        "--env-file",
        str(tmp_path / "vars"),
        "-u",
        "web",
        "-v",
        f"{tmp_path}/f:/mnt/f:ro",
    )
