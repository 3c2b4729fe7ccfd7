"""What a newcomer is told of a wrong value: which option, what is wrong, and how it is written."""

from __future__ import annotations

import click
import pytest

import nixdock
from nixdock.cli import main
from nixdock.engine.connection.refusals import EngineRefusedError

SIZE = "write it as --{} SIZE, a number with b, k, m or g behind it: 512m, 1.5g"
TIME = "write it as --{} TIME, a number with ms, s, m or h behind it: 500ms, 30s, 1m30s"
PORT = "the container's port last: 80, 8080:80, 127.0.0.1:8080:80, 53:53/udp"

WRONG = [
    # The words, what the sentence names, what the hint has.
    (("run", "-m", "5x", "i"), "-m, --memory", SIZE.format("memory")),
    (("run", "-m", "abc", "i"), "-m, --memory", SIZE.format("memory")),
    (("run", "-m", "", "i"), "-m, --memory", SIZE.format("memory")),
    (("run", "--memory-swap", "1q", "i"), "--memory-swap", SIZE.format("memory-swap")),
    (("run", "--memory-reservation", "x", "i"), "--memory-reservation", SIZE.format("memory-reservation")),
    (("up", "--shm-size", "1q", "i"), "--shm-size", SIZE.format("shm-size")),
    (("run", "--health-interval", "5", "i"), "--health-interval", TIME.format("health-interval")),
    (("run", "--health-timeout", "5 s", "i"), "--health-timeout", TIME.format("health-timeout")),
    (("run", "--health-start-period", "x", "i"), "--health-start-period", TIME.format("health-start-period")),
    (("run", "--health-retries", "x", "i"), "--health-retries", "--health-retries N, a number"),
    (("run", "-p", "99999:80", "i"), "-p, --publish", PORT),
    (("run", "-p", "abc", "i"), "-p, --publish", PORT),
    (("up", "-p", "80:", "i"), "-p, --publish", PORT),
    (("up", "-p", "1.2.3:80:80", "i"), "-p, --publish", PORT),
    (("run", "-v", "/a:b:c:d", "i"), "-v, --volume", "a path in the container last"),
    (("run", "--cpus", "many", "i"), "--cpus", "--cpus N, a number"),
    (("run", "--pids-limit", "many", "i"), "--pids-limit", "--pids-limit N, a number"),
    (("run", "-c", "x", "i"), "-c, --cpu-shares", "--cpu-shares N, a number"),
    (("run", "--stop-timeout", "x", "i"), "--stop-timeout", "--stop-timeout SECONDS, a whole number"),
    (("run", "--ulimit", "x", "i"), "--ulimit", "nofile=1024:2048"),
    (("run", "--ip", "1.2.3", "i"), "--ip", "192.0.2.1"),
    (("run", "--dns", "x", "i"), "--dns", "192.0.2.1"),
    (("run", "--mac-address", "x", "i"), "--mac-address", "02:42:ac:11:00:02"),
    (("run", "--add-host", "x", "i"), "--add-host", "db:192.0.2.1"),
    (("run", "--gpus", "x", "i"), "--gpus", "a number"),
    (("run", "--env-file", "/no/such", "i"), "--env-file", "a file that can be read"),
    (("run", "--label-file", "/no/such", "i"), "--label-file", "a file that can be read"),
    (("run", "--mount", "type=x", "i"), "--mount", "--mount type=...,source=..."),
    (("run", "--sysctl", "x", "i"), "--sysctl", "NAME=VALUE"),
    (("run", "--device", "", "i"), "--device", "PATH[:PATH][:rwm]"),
    (("run", "--pid", "x", "i"), "--pid", "--pid MODE"),
    (("run", "--timeout", "abc", "i"), "--timeout", "nixdock run --help"),
    (("run", "--timeout", "-5", "i"), "'500ms', '20s', '1m30s'", "nixdock run --help"),
    (("run", "--timeout", "0", "i"), "leave it out", "nixdock run --help"),
    (("check", "--timeout", "0", "i"), "leave it out", "nixdock check --help"),
    (("check", "--parallel", "0", "i"), "1<=x<=32", "nixdock check --help"),
    (("up", "--expect-exit", "x", "i"), "--expect-exit", "nixdock up --help"),
    (("build", "-j", "many", "x.nix"), "-j many: this is neither a number nor auto", "-j auto"),
    (("up", "-j", "-1", "x.nix"), "-j -1: this is neither a number nor auto", "-j auto"),
    (("build", "-I", "foo=/no/such", "x.nix"), "-I foo=/no/such: there is no '/no/such'", "-I NAME=FOLDER"),
    (("lint", "-I", "/no/such", "x.nix"), "-I /no/such: there is no '/no/such'", "-I FOLDER"),
    (("up", "-h"), "option '-h' requires an argument", "nixdock up --help"),
    (("load", "--tag"), "option '--tag' requires an argument", "nixdock load --help"),
    (("build", "--arg", "x"), "option '--arg' requires 2 arguments", "nixdock build --help"),
    (("engine", "start", "--host"), "option '--host' requires an argument", "nixdock engine start --help"),
    (("-H",), "option '-H' requires an argument", "nixdock --help"),
    (("prune", "--keep", "-1"), "--keep", "nixdock prune --help"),
    (("down", "-j", "4"), "-j", "nixdock down --help"),
    (("down", "--alll"), "--all", "nixdock down --help"),
    (("env", "--shell", "csh"), "'bash', 'fish'", "nixdock env --help"),
    (("--progress", "loud", "init"), "'quiet'", "nixdock --help"),
    (("lint", "--only", "x", "i"), "x", ""),
    (("load", "--platform", "foo", "i"), "linux/arm64", ""),
]


@pytest.mark.parametrize(
    ("words", "sentence", "hint"),
    WRONG,
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_value_is_told_with_the_right_form(
    words: tuple[str, ...],
    sentence: str,
    hint: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
    status = main.run(list(words))
    first, _, rest = capsys.readouterr().err.partition("\n")
    assert status in ({2, 125} if not hint else {2}), first
    if hint:
        assert first.startswith("nixdock: ")
        assert sentence in first
        assert hint in rest


def list_commands() -> list[tuple[str, click.Command]]:
    """Return every command with its name, those of groups too."""
    context = click.Context(main.program, obj=None)
    found: list[tuple[str, click.Command]] = []
    for name in main.program.list_commands(context):
        command = main.program.get_command(context, name)
        assert command is not None
        subcommands = command.commands.items() if isinstance(command, click.Group) else ()
        found += [(f"{name} {word}", sub) for word, sub in subcommands] if subcommands else [(name, command)]
    return found


def test_q_and_h_mean_the_same_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    commands = list_commands()
    assert len(commands) > 15
    for name, command in commands:
        options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
        flags = {flag: option.name for option in options for flag in option.opts}
        assert flags.get("-q") == "quiet", name
        main.run([*name.split(), "--help"])
        helped = "-h, --help" in capsys.readouterr().out
        assert helped is (flags.get("-h") != "hostname"), name


def test_down_has_only_the_options_that_it_uses(capsys: pytest.CaptureFixture[str]) -> None:
    main.run(["down", "--help"])
    text = capsys.readouterr().out
    assert "--attr" in text
    assert not [word for word in ("--max-jobs", "--builders", "--out-link", "--arg") if word in text]


def test_watch_shows_no_option_that_it_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    refused = ("--detach", "--interactive", "--rm", "--keep", "--out-link")
    for name, shown in (("up", list(refused)), ("watch", [])):
        main.run([name, "--help"])
        words = capsys.readouterr().out.replace(",", " ").split()
        assert [flag for flag in refused if flag in words] == shown


def test_whoever_looks_around_in_the_library_finds_it_all() -> None:
    assert {"build", "load", "run", "check", "serve", "connect"} <= set(dir(nixdock))


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("network nope not found", "docker network create"),
        ("unable to find network with name or ID nope: network not found", "docker network create"),
        ("unable to find user nobodyx: no matching entries in passwd file", "-u 1000:1000"),
        ("unable to find group x: no matching entries in group file", "-u 1000:1000"),
        ("uids and gids must be in range 0-2147483647", "-u 1000:1000"),
        ("driver failed programming: Bind for 0.0.0.0:80 failed: port is already allocated", "docker ps"),
        ("listen tcp4 0.0.0.0:80: bind: address already in use", "docker ps"),
        ("listen tcp4 192.0.2.1:80: bind: cannot assign requested address", "127.0.0.1:8080:80"),
        ('Conflict. The container name "/x" is already in use by container "1".', "nixdock down NAME"),
        ('the container name "x" is already in use by 1. You have to remove that', "nixdock down NAME"),
        ("Invalid container name (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", "web-1"),
        ('invalid CapAdd: unknown capability: "CAP_NOPE"', "NET_ADMIN"),
        ("No such container: nope", "docker ps --all"),
        ("Unknown runtime specified nope", "docker info"),
        ("Invalid signal: FOO", "SIGINT"),
        ("invalid restart policy 'sometimes'", "unless-stopped"),
        ('"foo": unknown operating system or architecture: invalid argument', "linux/arm64"),
        ('error looking up logging plugin nope: plugin "nope" not found', "docker info"),
        ('error gathering device information while adding custom device "/dev/x": no such file', "/dev/fuse"),
        ("Invalid IPC mode: nope", "shareable"),
        ("Minimum memory limit allowed is 6MB", "--memory 64m"),
        ('invalid mount config for type "bind": bind source path does not exist: /x', "-v"),
        ("invalid mount path: 'rel' mount path must be absolute", "slash"),
        ("the working directory 'rel' is invalid, it needs to be an absolute path", "slash"),
        ("write /x: no space left on device", "nixdock prune"),
    ],
)
def test_what_an_engine_refuses_has_a_next_step(said: str, hint: str) -> None:
    error = EngineRefusedError(f"the engine refused: {said}", status=500)
    assert hint in (error.hint or "")
    assert EngineRefusedError(said, status=500, hint="ours").hint == "ours"
