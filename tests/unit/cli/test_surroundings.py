"""The edge of the command line: streams that are closed or full, and a working directory that is gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nixdock.cli import main
from nixdock.errors import UsageError

NAMES = [name for section in main.COMMANDS.values() for name in section]

COMMANDS: dict[str, int] = {
    # Command lines, and their status where nothing is odd.
    "--version": 0,
    "--help": 0,
    "-h": 0,
    "": 2,
    "no-such-command": 2,
    "--no-such-option": 2,
    **{f"{name} --help": 0 for name in NAMES},
    **{f"help {name}": 0 for name in NAMES},
    **{f"{name} --no-such-option": 2 for name in NAMES},
    "engine start --help": 0,
    "plugin install --help": 0,
    "check --schema": 0,
    "lint --rules": 0,
    "engine status": 125,
    "engine status --json": 125,
    "plugin status": 1,
    "plugin status --json": 1,
    "down web": 125,
    "down --all": 125,
    "prune": 125,
    "run web:1": 125,
    "up web:1": 125,
    "up -d web:1": 125,
    "check web:1 --expect x": 125,
    "lint web:1": 125,
    "load /no/such/archive.tar": 2,
    "build /no/such/file.nix": 2,
    "lint /no/such/file.nix": 2,
    "init --force /dev/null/x": 2,
}
FULL = "cannot write to standard output: No space left on device"
SILENT = (
    "no-such",
    "down",
    "prune",
    "run",
    "up web",
    "up -d",
    "check web",
    "lint web",
    "/no/such",
    "init --f",
)
"""What writes no result here."""

RUN_ALL = """
import json, os, sys, tempfile
from nixdock.cli import main
for name in main.program.list_commands(None):
    # Each child would do it.
    main.program.get_command(None, name)

surroundings = json.loads(sys.argv[1])
answers = {}
for line in json.loads(sys.argv[2]):
    out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
    child = os.fork()
    if not child:
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        sys.stdin.close()
        for descriptor, how in surroundings.items():
            if how == "gone":
                folder = tempfile.mkdtemp()
                os.chdir(folder)
                os.rmdir(folder)
            elif how == "full":
                os.dup2(os.open("/dev/full", os.O_WRONLY), int(descriptor))
            else:
                os.close(int(descriptor))
                # As Python begins with it.
                setattr(sys, ("stdin", "stdout", "stderr")[int(descriptor)], None)
        sys.argv = ["nixdock", *line.split()]
        try:
            main.main()
        except SystemExit as end:
            status = end.code
            for stream in (sys.stdout, sys.stderr):
                try:
                    stream.flush()
                except OSError:
                    status = 120
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    err.seek(0)
    answers[line] = (os.waitstatus_to_exitcode(ended), err.read().decode())
print(json.dumps(answers))
"""


def run_all(lines: list[str], surroundings: dict[str, str], folder: Path) -> dict[str, tuple[int, str]]:
    """Run command lines in one process's children, each in these surroundings; return statuses and stderr."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DOCKER", "NIX"))}
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL, json.dumps(surroundings), json.dumps(lines)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**kept, "HOME": str(folder), "DOCKER_HOST": f"unix://{folder}/none.sock"},
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, tuple[int, str]] = json.loads(done.stdout)
    return answers


@pytest.mark.parametrize(
    ("surroundings", "sentence"),
    [
        ({}, None),
        ({"0": "closed"}, None),
        ({"1": "closed"}, "standard output is closed"),
        ({"2": "closed"}, None),
        ({"0": "closed", "1": "closed", "2": "closed"}, "standard output is closed"),
        ({"1": "full"}, FULL),
        ({"2": "full"}, None),
        ({"1": "full", "2": "full"}, FULL),
        ({"1": "closed", "2": "full"}, "standard output is closed"),
        ({"cwd": "gone"}, None),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_odd_surroundings_have_their_sentence_and_status(
    surroundings: dict[str, str], sentence: str | None, tmp_path: Path
) -> None:
    # Every line where a result cannot be written, and some of them elsewhere.
    lines = list(COMMANDS)[:: {"1": 2, "cwd": 2}.get("".join(surroundings), 7)]
    for line, (status, err) in run_all(lines, surroundings, tmp_path).items():
        usual = COMMANDS[line]
        writes = "help" in line or (line and not any(word in line for word in SILENT))
        expected = UsageError.exit_code if sentence and writes else usual
        assert status == expected, (line, err)
        assert "Traceback" not in err
        assert "a fault of nixdock" not in err
        if sentence and writes and surroundings.get("2") is None:
            assert f"nixdock: {sentence}\n" in err, line


@pytest.mark.parametrize(
    "line", ["build", "up", "build web.nix", "up ./web.nix", "init", "up -d .", "lint .#web"]
)
def test_what_needs_a_folder_that_is_gone_says_so(line: str, tmp_path: Path) -> None:
    ((status, err),) = run_all([line], {"cwd": "gone"}, tmp_path).values()
    assert status == 2, err
    assert "the working directory has been removed" in err


@pytest.mark.parametrize(
    ("script", "status", "err"),
    [
        (
            "nixdock --version >/dev/full",
            2,
            "nixdock: cannot write to standard output: No space left on device\n",
        ),
        ("nixdock --version >&-", 2, "nixdock: standard output is closed\n"),
        ("nixdock --version 2>&-", 0, ""),
        ("nixdock no-such-command >&- 2>&-", 2, ""),
        ("nixdock no-such-command 2>/dev/full", 2, ""),
        ("docker-nixdock docker-cli-plugin-metadata >/dev/full", 2, ""),
    ],
)
def test_so_it_is_for_the_program(script: str, status: int, err: str, installed: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", script],
        # Buffered, as programs are.
        env={**os.environ, "PYTHONUNBUFFERED": "", "PATH": f"{installed}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (status, err)
