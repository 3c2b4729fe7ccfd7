"""Bare and configured machines: what is missing is passed, and what is configured is respected."""

from __future__ import annotations

import ast
import json
import re
import socket
from typing import TYPE_CHECKING

import pytest

from support import nix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.nix import NixMachine

from .conftest import LIBRARY

SEES = """
with import ./toy.nix;
run "sees" "(printf '\\\\037\\\\213'; id; ls -d /bin/* /home /root 2>&1) > $out || true"
"""


def commands_of(log: str) -> list[list[str]]:
    """Return the argument lists of the Nix programs that a debug log tells of."""
    found = re.findall(r"process\.(?:start|run)\s.*?argv=(\[.*?\])(?= logger=| \w+=|$)", log, re.MULTILINE)
    return [ast.literal_eval(argv) for argv in found]


def passed_options(log: str) -> set[str]:
    """Return the settings that were passed; that no sandbox is an error is wanted of all our builds."""
    return {
        argv[place + 1] for argv in commands_of(log) for place, word in enumerate(argv) if word == "--option"
    }


def test_a_bare_machine_builds_in_a_sandbox_with_a_shell(machine: NixMachine) -> None:
    machine.write("x.nix", SEES)
    done = machine.nixdock("build", "x.nix")
    assert done.status == 0, done.stderr
    assert "warning" not in done.stderr
    seen = (machine.root / done.stdout.strip().removeprefix("/")).read_bytes()
    assert b"\n/bin/sh\n" in seen
    # The sandbox is on: of the machine's own programs and folders there is nothing.
    assert b"/bin/ls" not in seen
    assert b"/home: No such file" in seen
    # nix-build alone cannot do it here.
    assert machine.run("nix-build", "x.nix", "--no-out-link", "--check").status != 0


def test_a_binary_cache_that_does_not_answer_is_not_waited_for(machine: NixMachine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:
        port = closing.getsockname()[1]
    machine.write("x.nix", f'with import ./toy.nix; archive "uncached-{port}"')
    env = {"NIX_CONFIG": f"substituters = http://127.0.0.1:{port}/"}
    done = machine.nixdock("build", "x.nix", env=env)
    assert done.status == 0, done.stderr
    assert "unable to download" not in done.stderr


def test_a_binary_cache_that_answers_is_used(machine: NixMachine) -> None:
    machine.write("x.nix", 'with import ./toy.nix; archive "cached"')
    path = machine.nixdock("build", "x.nix", "--no-out-link").stdout.strip()
    cache = f"file://{machine.work}/cache"
    feature = ["--extra-experimental-features", "nix-command"]
    assert machine.run("nix", *feature, "copy", "--to", cache, path).status == 0
    assert machine.run("nix-store", "--delete", path).status == 0
    env = {"NIX_CONFIG": f"substituters = {cache}\nrequire-sigs = false"}
    done = machine.nixdock("build", "x.nix", "--verbose", env=env)
    assert done.status == 0, done.stderr
    assert "fetched cached" in done.stderr
    assert "built cached" not in done.stderr


def test_the_users_own_settings_win_over_ours(machine: NixMachine) -> None:
    machine.write("x.nix", SEES.replace("sees", "unboxed"))
    done = machine.nixdock("build", "x.nix", "--option", "sandbox", "false")
    assert done.status == 0, done.stderr
    assert b"/bin/ls" in (machine.root / done.stdout.strip().removeprefix("/")).read_bytes()


def test_root_with_an_own_configuration_gets_only_what_it_lacks(machine: NixMachine) -> None:
    machine.write("x.nix", 'with import ./toy.nix; archive "configured"')
    config = "build-users-group =\nsandbox-paths = /bin/sh=/bin/busybox\nsubstituters =\n"
    done = machine.nixdock("build", "x.nix", "--debug", env={"NIX_CONFIG": config})
    assert done.status == 0, done.stderr
    assert passed_options(done.stderr) <= {"sandbox-fallback"}


@pytest.fixture(scope="module", params=nix.VERSIONS)
def shared(request: pytest.FixtureRequest) -> Iterator[tuple[NixMachine, int]]:
    """A machine with a daemon, build users, and an ordinary user."""
    with nix.machine(request.param, users=True) as machine, nix.daemon(machine) as user:
        machine.write("toy.nix", LIBRARY)
        yield machine, user


def test_an_ordinary_user_builds_through_the_daemon(shared: tuple[NixMachine, int]) -> None:
    machine, user = shared
    machine.write("x.nix", SEES)
    done = machine.nixdock("build", "x.nix", "--debug", user=user)
    assert done.status == 0, done.stderr
    assert "warning" not in done.stderr
    seen = (machine.root / done.stdout.strip().removeprefix("/")).read_bytes()
    assert b"(nixbld)" in seen
    # Nothing is passed that a daemon would ignore, and nothing is asked that costs a process.
    commands = commands_of(done.stderr)
    assert [argv[0] for argv in commands] == ["nix-instantiate", "nix-build", "nix-build"]
    assert all("--option" not in argv for argv in commands)
    assert (machine.work / "result").readlink().as_posix() == done.stdout.strip()


def test_an_ordinary_user_sees_what_a_builder_wrote(shared: tuple[NixMachine, int]) -> None:
    machine, user = shared
    machine.write("bad.nix", 'with import ./toy.nix; run "bad" "echo why; exit 4"')
    done = machine.nixdock("build", "bad.nix", user=user)
    assert done.status == 120
    assert "nixdock: building bad failed: the builder failed with exit code 4\n  bad> why\n" in done.stderr


def test_the_link_of_an_ordinary_user_holds_what_it_leads_to(shared: tuple[NixMachine, int]) -> None:
    machine, user = shared
    machine.write("held.nix", 'with import ./toy.nix; archive "held"')
    path = machine.nixdock("build", "held.nix", "-o", "held", user=user).stdout.strip()
    dead = machine.run("nix-store", "--gc", "--print-dead", user=user)
    assert path not in dead.stdout.split()
    (machine.work / "held").unlink()
    assert path in machine.run("nix-store", "--gc", "--print-dead", user=user).stdout.split()


def test_root_beside_a_daemon_is_passed_nothing(shared: tuple[NixMachine, int]) -> None:
    machine, _ = shared
    machine.write("x.nix", 'with import ./toy.nix; archive "by-root"')
    env = {"NIX_CONF_DIR": str(machine.root / "etc"), "HOME": "/root"}
    done = machine.nixdock("build", "x.nix", "--debug", "--no-out-link", env=env)
    assert done.status == 0, done.stderr
    assert "warning" not in done.stderr
    assert passed_options(done.stderr) <= {"sandbox-fallback"}


def test_a_daemon_that_is_gone_or_forbidden_is_said(shared: tuple[NixMachine, int]) -> None:
    machine, user = shared
    machine.write("x.nix", 'with import ./toy.nix; archive "unreachable"')
    socket_file = machine.root / "nix/var/nix/daemon-socket/socket"
    socket_file.chmod(0o600)
    try:
        done = machine.nixdock("build", "x.nix", user=user)
        assert done.status == 120
        assert "nixdock: the Nix daemon cannot be used: its socket is not for this user" in done.stderr
        assert "usermod -aG nix-users user" in done.stderr
    finally:
        socket_file.chmod(0o666)
    elsewhere = machine.nixdock(
        "build", "x.nix", user=user, env={"NIX_DAEMON_SOCKET_PATH": f"{machine.work}/none"}
    )
    assert elsewhere.status == 120
    assert "nixdock: the Nix store /nix/store is not writable for this user" in elsewhere.stderr


@pytest.mark.parametrize("home", ["read-only", "/nonexistent"])
def test_a_home_that_cannot_be_written(machine: NixMachine, home: str) -> None:
    toy = LIBRARY.replace("builtins.currentSystem", '"x86_64-linux"')
    machine.write("flake/toy.nix", toy)
    machine.write(
        "flake/flake.nix", '{ outputs = { self }: { image = (import ./toy.nix).archive "from-a-flake"; }; }'
    )
    folder = machine.work / home
    mount = f"mkdir -p {folder} && mount -t tmpfs -o ro tmpfs {folder} && " if home == "read-only" else ""
    script = f"{mount}HOME={folder} exec nixdock build --json ./flake#image"
    done = machine.run("unshare", "--mount", "sh", "-ec", script)
    assert done.status == 0, done.stderr
    assert "warning" not in done.stderr
    assert json.loads(done.stdout)[0]["attribute"] is None
    assert not [entry for entry in machine.temporary.iterdir() if "cache" in entry.name]


@pytest.mark.parametrize("version", nix.VERSIONS)
def test_a_user_without_daemon_is_told_how_to_get_one(version: str) -> None:
    with nix.machine(version, users=True) as machine:
        machine.write("toy.nix", LIBRARY)
        machine.write("x.nix", 'with import ./toy.nix; archive "image"')
        assert machine.run("nix-store", "--init").status == 0
        done = machine.nixdock("build", "x.nix", user=60001)
        assert done.status == 120
        assert "nixdock: the Nix store /nix/store is not writable for this user" in done.stderr
        (remedy,) = [line for line in done.stderr.splitlines() if line.startswith("hint: ")]
        assert "nix-daemon" in remedy
        # Whoever is asked names the same.
        told = machine.nixdock("doctor", "--json", user=60001)
        (found,) = [part for part in json.loads(told.stdout)["findings"] if part["part"] == "nix"]
        assert f"hint: {found['mend']}" == remedy


def test_a_current_nix_without_a_store_makes_one_below_the_users_home() -> None:
    with nix.machine("current", users=True) as machine:
        machine.write("toy.nix", LIBRARY)
        machine.write("x.nix", 'with import ./toy.nix; archive "mine"')
        done = machine.nixdock("build", "x.nix", "--json", user=60001)
        assert done.status == 0, done.stderr
        path = json.loads(done.stdout)[0]["path"]
        file = machine.root / "home/.local/share/nix/root" / path.removeprefix("/")
        assert file.read_bytes() == b"\x1f\x8bmine"


FORBIDS = "echo 0 > /proc/sys/user/max_user_namespaces; echo 0 > /proc/sys/user/max_mnt_namespaces"


@pytest.mark.parametrize(
    ("words", "status"),
    [((), 120), (("--option", "sandbox", "false"), 0), (("--option", "sandbox-fallback", "true"), 0)],
    ids=["as it is", "allowed", "allowed to fall back"],
)
def test_a_sandbox_that_cannot_be_had_is_not_done_without_in_silence(
    machine: NixMachine, words: tuple[str, ...], status: int
) -> None:
    machine.write("x.nix", f'with import ./toy.nix; archive "boxed-{"-".join(words)}"')
    # As in a container without privileges: a user namespace in which no other can be made.
    inside = ("unshare", "--user", "--map-root-user", "sh", "-c", f'{FORBIDS}; exec "$@"', "sh")
    done = machine.run(*inside, nix.PROGRAM, "build", "x.nix", *words)
    assert done.status == status, done.stderr
    if status:
        assert "nixdock: Nix's sandbox cannot be set up here" in done.stderr
        remedy = "without it, where that is acceptable: --option sandbox false"
        assert f"hint: {remedy}\n" in done.stderr
        # Whoever is asked names the same.
        told = machine.run(*inside, nix.PROGRAM, "doctor", "--json")
        (found,) = [part for part in json.loads(told.stdout)["findings"] if part["part"] == "builds"]
        assert found["message"].startswith("Nix's sandbox cannot be set up here: ")
        assert found["mend"] == remedy
        assert done.stdout == ""
