"""What the doctor makes of machines that are not this one."""

from __future__ import annotations

import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from nixdock import process
from nixdock.cli import doctor
from nixdock.cli.doctor import Diagnosis, State, examine
from nixdock.cli.options import Session
from nixdock.engine.connection.api import Engine
from nixdock.engine.connection.refusals import EngineUnreachableError
from nixdock.errors import BuildError
from nixdock.nix import machine as nix_machine
from nixdock.nix import package_set
from nixdock.nix.failure import explain_text
from nixdock.nix.package_set import ChosenBy, PackageSet

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024  # the shape of shutil.disk_usage's answer


class Unreachable(Session):
    """A session whose engine does not answer."""

    def connect(self, *, seconds: float | None = None) -> Engine:
        del seconds
        raise EngineUnreachableError("no engine answers", hint="nixdock engine start")


class Machine:
    """A machine whose programs answer as told; without an answer they are not there."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, str, str]] = {
            "nix --version": (0, "nix (Nix) 2.8.0\n", ""),
            "nix-store": (0, "", ""),
            "nix-build": (0, "/nix/store/x\n", ""),
            "unshare": (0, "", ""),
            "apt-get": (0, "", ""),
            "apt-cache": (0, "Package: docker-cli\n", ""),
        }

    def which(self, name: str, **_options: object) -> str | None:
        known = {command.split()[0] for command in self.answers}
        return f"/usr/bin/{name}" if name in known else None

    def run(self, argv: list[str | Path], **_options: object) -> process.Outcome:
        words = [str(word) for word in argv]
        for command, (status, out, err) in self.answers.items():
            if words[: len(command.split())] == command.split():
                return process.Outcome(tuple(words), status, out.encode(), err.encode())
        raise FileNotFoundError(words[0])

    def examine(self) -> dict[str, Diagnosis]:
        order = [State.OK, State.OPTIONAL, State.MISSING]
        findings = examine(Unreachable(host="unix:///nowhere/docker.sock"))
        return {found.part: found for found in sorted(findings, key=lambda found: order.index(found.state))}


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    machine = Machine()
    monkeypatch.setattr(process, "run", machine.run)
    monkeypatch.setattr(shutil, "which", machine.which)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(doctor, "SYSTEMD", tmp_path / "systemd")
    monkeypatch.setattr(nix_machine, "SYSTEMD", tmp_path / "systemd")
    monkeypatch.setattr(nix_machine, "UNITS", (tmp_path / "units",))
    chosen = PackageSet(ChosenBy.CONFIGURED, "/nixpkgs", "/nixpkgs (by NIX_PATH)")
    monkeypatch.setattr(package_set, "choose", lambda **_options: chosen)
    return machine


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("nix (Nix) 2.7.1", State.MISSING),
        ("nix (Nix) 1.11.16", State.MISSING),
        ("nix (Nix) 2.8.0", State.OK),
        ("nix (Nix) 2.34pre20260101_abcdef", State.OK),
        ("nix (Lix, like Nix) 2.93.0", State.OK),
        ("nix (Nix) 3.0.1", State.OK),
        ("something new", State.OK),
    ],
)
def test_versions_of_nix(text: str, state: State, machine: Machine) -> None:
    machine.answers["nix --version"] = (0, f"{text}\n", "")
    finding = machine.examine()["nix"]
    assert finding.state is state
    assert finding.message.startswith(text)


def test_a_store_that_refuses_is_quoted(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    machine.answers["nix-store"] = (1, "", "warning: x\nerror: cannot connect to socket at '/s'\n")
    machine.answers["sudo"] = (0, "", "")
    assert machine.examine()["nix"] == Diagnosis(
        "nix",
        State.MISSING,
        "the Nix daemon cannot be used: it does not answer: cannot connect to socket at '/s'",
        nix_machine.hint_for_daemon(),
    )


@pytest.mark.parametrize(
    ("around", "mend"),
    [
        ((True, True, True, True), "sudo systemctl start nix-daemon"),
        ((True, True, False, False), "su - -c 'systemctl start nix-daemon'"),
        ((True, False, False, True), "use the Nix daemon: sudo apt-get install nix-setup-systemd, then sudo"),
        (
            (False, False, True, True),
            'sudo sh -c \'NIX_CONFIG="extra-sandbox-paths = /bin/sh=/bin/busybox" nix-d',
        ),
        (
            (False, False, True, False),
            'su - -c \'NIX_CONFIG="extra-sandbox-paths = /bin/sh=/bin/busybox" nix-daem',
        ),
        (
            (False, False, False, True),
            "sudo sh -c 'groupadd -r nixbld; for n in 1 2 3 4 5 6 7 8; do useradd -r ",
        ),
        (
            (False, False, False, False),
            "su - -c 'groupadd -r nixbld; for n in 1 2 3 4 5 6 7 8; do useradd -r ",
        ),
    ],
)
def test_an_ordinary_user_gets_one_remedy_that_works_here(
    around: tuple[bool, bool, bool, bool],
    mend: str,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    systemd, unit, users, sudo = around
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(nix_machine, "has_members", lambda _: users)
    monkeypatch.setattr(nix_machine, "runs_alone", lambda _: True)
    for wanted, path in ((systemd, "systemd"), (unit, "units")):
        if wanted:
            (tmp_path / path).mkdir()
    if unit:
        (tmp_path / "units" / "nix-daemon.socket").touch()
    if sudo:
        machine.answers["sudo"] = (0, "", "")
    machine.answers["nix-store"] = (
        1,
        "",
        "error:\n       opening lock file '/nix/var/l': Permission denied\n",
    )
    found = machine.examine()["nix"]
    assert found.mend is not None
    assert found.mend.startswith(mend)
    assert found.message.endswith("this user: opening lock file '/nix/var/l': Permission denied")
    error = explain_text("error: cannot connect to socket at '/s'")
    assert error is not None
    assert error.hint == found.mend


def test_a_service_is_started_by_systemd_where_that_runs(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "systemd").mkdir()
    machine.answers["dockerd"] = (0, "", "")
    assert machine.examine()["engine"].mend == "systemctl start docker"


def test_an_engine_is_started_by_nixdock_elsewhere(machine: Machine) -> None:
    machine.answers["dockerd"] = (0, "", "")
    assert machine.examine()["engine"].mend == "nixdock engine start"


def test_an_engine_is_installed_where_there_is_none(machine: Machine) -> None:
    assert machine.examine()["engine"].mend == "apt-get install docker.io"


@pytest.mark.parametrize(("known", "package"), [(True, "docker-cli"), (False, "docker.io")])
def test_the_docker_program_is_in_the_package_that_the_distribution_has(
    known: bool, package: str, machine: Machine
) -> None:
    if not known:
        machine.answers["apt-cache"] = (100, "", "E: No packages found\n")
    finding = machine.examine()["docker"]
    assert finding.state is State.OPTIONAL
    assert finding.mend == f"apt-get install {package}"


def test_a_system_without_apt_gets_no_apt_command(machine: Machine) -> None:
    del machine.answers["apt-get"], machine.answers["apt-cache"]
    assert machine.examine()["engine"].mend == "install docker.io with this system's package manager"


@pytest.mark.parametrize(
    ("free", "state"),
    [(100_000_000, State.MISSING), (1_000_000_000, State.OPTIONAL), (9_000_000_000, State.OK)],
)
def test_free_space(free: int, state: State, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**10, 0, free))
    assert machine.examine()["disk"].state is state


def test_missing_user_namespaces_say_what_cannot_be_built(machine: Machine) -> None:
    machine.answers["unshare"] = (1, "", "unshare: unshare failed: Operation not permitted\n")
    finding = machine.examine()["namespaces"]
    assert finding.state is State.OPTIONAL
    assert "runAsRoot" in finding.message
    assert str(finding.mend).startswith("sysctl -w ")


def test_one_fault_does_not_hide_the_others(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_options: object) -> PackageSet:
        raise BuildError("apt has no lists", hint="apt-get update")

    def hang(argv: list[str | Path], **options: object) -> process.Outcome:
        if str(argv[0]) == "nix-build":
            raise TimeoutError("nix-build ran longer than 60 s")
        return machine.run(argv, **options)

    monkeypatch.setattr(package_set, "choose", refuse)
    monkeypatch.setattr(process, "run", hang)
    found = machine.examine()
    assert found["nixpkgs"] == Diagnosis("nixpkgs", State.MISSING, "apt has no lists", "apt-get update")
    assert found["builds"].message == "builds could not be looked at: nix-build ran longer than 60 s"
    assert found["nix"].state is State.OK
    assert found["disk"].state is not None


def test_a_failing_build_is_quoted(machine: Machine) -> None:
    machine.answers["nix-build"] = (1, "", "building...\nerror: the group 'nixbld' does not exist\n")
    assert machine.examine()["builds"].message == "Nix cannot build here: the group 'nixbld' does not exist"
