"""The frame of the command line: names, help texts, and how each command line ends."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from nixdock import __version__, errors, log
from nixdock.cli import main
from nixdock.cli.options import Progress, Session, session_options
from nixdock.events import Notice

ALL_ERRORS = {
    errors.UsageError: 2,
    errors.BuildError: 120,
    errors.LoadError: 121,
    errors.CheckError: 122,
    errors.DeadlineError: 124,
    errors.EngineError: 125,
    errors.CommandNotExecutableError: 126,
    errors.CommandNotFoundError: 127,
}


def list_modules(*words: str) -> set[str]:
    """Run a command line in a process of its own and return what it imported."""
    program = (
        "import sys\n"
        "from nixdock.cli.main import run\n"
        f"status = run({list(words)!r})\n"
        "sys.stderr.write(' '.join(sys.modules))\n"
        "sys.exit(status)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout
    return set(done.stderr.split())


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_help_imports_no_command_and_nothing_slow(words: list[str]) -> None:
    modules = list_modules(*words)
    slow = {
        "docker",
        "requests",
        "rich",
        "structlog",
        "tenacity",
        "jsonschema",
        "yaml",
        "asyncio",
        "subprocess",
        "json",
    }
    assert modules & slow == set()
    assert {name for name in modules if name.startswith("nixdock.cli.")} == {
        "nixdock.cli.main",
        "nixdock.cli.options",
    }


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--help"]) == 0
    text = capsys.readouterr().out
    for section in main.COMMANDS.values():
        for name, about in section.items():
            assert f"\n  {name} " in text
            assert about in text


def test_help_with_a_command_is_that_commands_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["help", "init"]) == 0
    typed = capsys.readouterr().out
    main.run(["init", "--help"])
    assert typed == capsys.readouterr().out


@pytest.mark.parametrize("name", ["up", "run", "build", "load", "lint"])
def test_the_help_of_a_command_lists_options_by_whose_they_are(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run([name, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    sections = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert sections[0] == "Options:"
    assert {"Nix's options:", "Engine and narration:"} <= set(sections)
    listed = [line for line in lines[lines.index("Options:") :] if line.startswith("  ")]
    assert listed
    assert not [line for line in listed if not line.startswith(("  -", "     "))]


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--version"]) == 0
    assert capsys.readouterr().out == f"nixdock {__version__}\n"


def test_no_command_at_all_is_a_usage_error_that_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Usage: nixdock" in err


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("buidl", "there is no command 'buidl'; did you mean build?"),
        ("xyzzy", "there is no command 'xyzzy'"),
        ("pu", "there is no command 'pu'; did you mean up?"),
        ("donw", "there is no command 'donw'; did you mean down?"),
        (
            "ps",
            "there is no command 'ps'; what you look for may be: docker ps --all --filter label=io.nixdock.run",  # noqa: E501
        ),
        ("logs", "there is no command 'logs'; what you look for may be: docker logs NAME"),
        ("stop", "there is no command 'stop'; what you look for may be: nixdock down NAME"),
        ("web.nix", "there is no command 'web.nix'; to build and run it: nixdock up web.nix"),
        (".#web", "there is no command '.#web'; to build and run it: nixdock up .#web"),
    ],
)
def test_an_unknown_command_names_what_was_meant(
    typed: str, answer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run([typed]) == 2
    assert capsys.readouterr().err == f"nixdock: {answer}\nhint: nixdock --help\n"


def test_an_unknown_option_points_to_the_commands_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["init", "--fource"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("nixdock: no such option")
    assert "--force" in err
    assert err.endswith("hint: nixdock init --help\n")


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """Make the command `init` raise what is put into this list."""
    raised: list[BaseException] = []

    @click.command()
    @session_options
    def command() -> None:
        raise raised[0]

    monkeypatch.setattr("nixdock.cli.init.command", command)
    return raised


@pytest.mark.parametrize(("kind", "status"), ALL_ERRORS.items())
def test_an_error_is_a_sentence_a_hint_and_its_status(
    kind: type[errors.NixdockError],
    status: int,
    failing: list[BaseException],
    capsys: pytest.CaptureFixture[str],
) -> None:
    failing.append(kind("the thing is broken", hint="mend it", details="line 1\nline 2\n"))
    assert main.run(["init"]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "nixdock: the thing is broken\n  line 1\n  line 2\nhint: mend it\n"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (KeyboardInterrupt(), 130),
        (SystemExit(143), 143),
        (click.exceptions.Exit(7), 7),
        (click.Abort(), 130),
    ],
)
def test_an_ending_that_is_no_error_is_not_explained(
    error: BaseException, status: int, failing: list[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    failing.append(error)
    assert main.run(["init"]) == status
    assert capsys.readouterr() == ("", "")


def test_an_unforeseen_error_is_one_sentence(
    failing: list[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    failing.append(ZeroDivisionError("division by zero"))
    assert main.run(["init"]) == main.SOFTWARE_STATUS
    err = capsys.readouterr().err
    assert err.startswith("nixdock: a fault of nixdock itself: ZeroDivisionError: division by zero\nhint: ")
    assert "--debug" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("words", [["--debug", "init"], ["init", "-D"]])
def test_debug_shows_where_it_happened(
    words: list[str], failing: list[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    failing.append(ZeroDivisionError("division by zero"))
    assert main.run(words) == main.SOFTWARE_STATUS
    log._sink.logger = None
    assert "Traceback" in capsys.readouterr().err


def test_an_error_of_the_system_names_the_file(
    failing: list[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    failing.append(OSError(errno.EBUSY, "Device or resource busy", "/some/file"))
    assert main.run(["init"]) == main.SOFTWARE_STATUS
    assert capsys.readouterr().err.startswith("nixdock: /some/file: Device or resource busy\n")


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/some/file"),
            71,
            "/some/file: there is no room left",
        ),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), 71, "this user may have no more room"),
        (OSError(errno.EFBIG, "File too large", "/some/file"), 71, "/some/file: no file may be that large"),
        (OSError(errno.EMFILE, "Too many open files"), 71, "this process may have no more open files"),
        (OSError(errno.ENFILE, "Too many open files in system"), 71, "this machine has no more open files"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), 71, "this machine has no more memory"),
        (MemoryError(), 71, "this machine has no more memory"),
        (RuntimeError("can't start new thread"), 71, "no more threads can be started"),
        (FileNotFoundError(errno.ENOENT, "No usable temporary directory found"), 71, "temporary files"),
        (
            PermissionError(errno.EACCES, "Permission denied", "/some/file"),
            2,
            "/some/file: Permission denied",
        ),
        (OSError(errno.EROFS, "Read-only file system", "/some/file"), 2, "/some/file: Read-only file system"),
        (
            OSError(errno.ENAMETOOLONG, "File name too long", "/some/file"),
            2,
            "/some/file: File name too long",
        ),
        (RuntimeError("can't do this"), 70, "a fault of nixdock itself"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), 70, "No such file or directory"),
    ],
)
def test_what_the_machine_refuses_is_no_fault_of_ours(
    error: BaseException,
    status: int,
    sentence: str,
    failing: list[BaseException],
    capsys: pytest.CaptureFixture[str],
) -> None:
    failing.append(error)
    assert main.run(["init"]) == status
    assert sentence in capsys.readouterr().err


def run_in_shell(script: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Run a shell's line with `nixdock` in it."""
    line = script.replace("nixdock", f"'{directory}/nixdock'")
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)


def test_a_reader_that_has_enough_ends_the_program_quietly(installed: Path) -> None:
    done = run_in_shell("set -o pipefail; (sleep 0.3; nixdock --help) | true", installed)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(("name", "status"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_ends_the_program_after_its_clean_up(name: str, status: int) -> None:
    program = (
        "import os, signal, sys; from nixdock.cli import main; main.catch_signals()\n"
        "try:\n"
        f"    os.kill(os.getpid(), signal.{name}); signal.pause()\n"
        "finally:\n"
        "    print('cleaned up')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (status, "cleaned up\n")


def test_a_signal_that_shall_be_ignored_stays_ignored() -> None:
    program = "import signal; from nixdock.cli import main; main.catch_signals(); print(signal.getsignal(1))"
    line = """trap '' HUP; exec "$0" -c "$1" """
    done = subprocess.run(
        ["bash", "-c", line, sys.executable, program], capture_output=True, text=True, check=True
    )
    assert done.stdout in {"Handlers.SIG_IGN\n", "1\n"}


def test_how_programs_end_is_told_even_where_nixdock_was_told_to_ignore_it() -> None:
    program = (
        "from nixdock import process; from nixdock.cli import main; main.catch_signals()\n"
        "print(process.run(['sh', '-c', 'exit 3']).status)"
    )
    words = ["env", "--ignore-signal=CHLD", sys.executable, "-c", program]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "3\n"


def test_options_count_before_and_after_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Session] = []

    @click.command()
    @session_options
    @click.pass_obj
    def command(session: Session) -> None:
        seen.append(session)

    monkeypatch.setattr("nixdock.cli.init.command", command)
    main.run(["--context", "one", "--progress", "json", "init"])
    main.run(["init", "--context", "one", "--progress", "json"])
    main.run(["--context", "two", "--progress", "json", "init", "--context", "one"])
    for session in seen:
        assert (session.context, session.host, session.progress) == ("one", None, Progress.JSON)
    assert len(seen) == 3


def test_quiet_before_the_command_is_progress_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session()
    monkeypatch.setattr("nixdock.cli.init.command", click.Command("init", callback=lambda: None))
    assert main.run(["-q", "init"], session=session) == 0
    assert session.progress is Progress.QUIET


def test_a_status_that_a_command_returns_is_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def command() -> int:
        return 42

    monkeypatch.setattr("nixdock.cli.init.command", command)
    assert main.run(["init"]) == 42


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_had_for_a_shell(shell: str, installed: Path) -> None:
    done = subprocess.run(
        [installed / "nixdock"],
        env={"_NIXDOCK_COMPLETE": f"{shell}_source", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "_NIXDOCK_COMPLETE" in done.stdout
    assert done.stderr == ""


def test_an_event_reaches_the_narration(capsys: pytest.CaptureFixture[str]) -> None:
    session = Session(progress=Progress.JSON)
    session.listener(Notice("so"))
    session.close()
    session.close()
    assert json.loads(capsys.readouterr().err) == {"event": "Notice", "text": "so"}
