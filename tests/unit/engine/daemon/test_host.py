"""What a bare machine is given for an engine, and what is left alone."""

from __future__ import annotations

import os
import shutil
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from nixdock import process
from nixdock.engine.daemon import host
from nixdock.errors import EngineError
from nixdock.events import Event, Notice, Warned

CGROUPS_V1 = "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t4\t1\nmemory\t4\t19\t1\nrdma\t0\t1\t0\n"
CGROUPS_V2 = "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t0\t4\t1\nmemory\t0\t19\t1\n"


class Machine:
    """A machine of files; programs are written down, and end as told."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "cgroup"
        self.proc = folder / "proc"
        self.root.mkdir()
        (self.proc / "self").mkdir(parents=True)
        self.mounted("/dev/vda / ext4 rw 0 0")
        self.calls: list[str] = []
        self.failing: set[str] = set()
        self.told: list[Event] = []

    def mounted(self, *lines: str) -> None:
        (self.proc / "self" / "mounts").write_text("".join(f"{line}\n" for line in lines))

    def run(self, argv: list[str | Path], **_options: object) -> process.Outcome:
        words = [str(word) for word in argv]
        self.calls.append(" ".join(words).replace(str(self.root), "ROOT"))
        failed = any(word in self.failing for word in (words[0], Path(words[0]).name))
        return process.Outcome(tuple(words), int(failed), b"", b"not permitted\n" if failed else b"")

    def prepare(self) -> None:
        host.prepare_cgroups(self.root, self.proc, listener=self.told.append)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path)
    monkeypatch.setattr(process, "run", machine.run)
    return machine


def test_mounted_groups_are_left_alone(machine: Machine) -> None:
    (machine.proc / "cgroups").write_text(CGROUPS_V1)
    machine.mounted(f"tmpfs {machine.root} tmpfs rw 0 0", f"cgroup {machine.root}/cpu cgroup rw,cpu 0 0")
    machine.prepare()
    machine.mounted(f"cgroup2 {machine.root} cgroup2 rw 0 0")
    machine.prepare()
    assert machine.calls == []
    assert machine.told == []


def test_a_mount_point_in_another_encoding_is_passed_over(machine: Machine) -> None:
    lines = f"tmpfs /srv/\udcff tmpfs rw 0 0\ncgroup2 {machine.root} cgroup2 rw 0 0\n"
    (machine.proc / "self" / "mounts").write_bytes(os.fsencode(lines))
    machine.prepare()
    assert machine.calls == []


def test_a_program_whose_name_is_no_text_is_no_engine(machine: Machine) -> None:
    program = machine.proc / "7"
    program.mkdir()
    (program / "comm").write_bytes(b"\xff\n")
    assert not host.is_another_running(machine.proc)


def test_a_kernel_with_version_1_gets_its_controllers(machine: Machine) -> None:
    (machine.proc / "cgroups").write_text(CGROUPS_V1)
    machine.prepare()
    assert machine.calls == [
        "mount -t tmpfs -o mode=755 cgroup ROOT",
        "mount -t cgroup -o cpu cgroup ROOT/cpu",
        "mount -t cgroup -o memory cgroup ROOT/memory",
    ]
    assert machine.told == [Notice(f"control groups were not mounted: they are now, on {machine.root}")]


@pytest.mark.parametrize("table", [CGROUPS_V2, None])
def test_another_kernel_gets_version_2(machine: Machine, table: str | None) -> None:
    if table:
        (machine.proc / "cgroups").write_text(table)
    machine.prepare()
    assert machine.calls == ["mount -t cgroup2 cgroup2 ROOT"]


def test_a_machine_that_lets_nobody_mount_is_said(machine: Machine) -> None:
    machine.failing.add("mount")
    with pytest.raises(EngineError) as caught:
        machine.prepare()
    assert caught.value.message == f"control groups cannot be mounted on {machine.root}: not permitted"
    assert "--privileged" in str(caught.value.hint)


def mount_version_2(machine: Machine, *, nested: bool, given: str) -> None:
    machine.mounted(f"cgroup2 {machine.root} cgroup2 rw 0 0")
    (machine.root / "cgroup.controllers").write_text("cpu memory pids\n")
    (machine.root / "cgroup.subtree_control").write_text(given)
    (machine.root / "cgroup.procs").write_text("1\n7\n")
    if nested:
        (machine.root / "cgroup.type").write_text("domain\n")


def test_a_containers_own_groups_get_controllers_once_its_processes_moved(machine: Machine) -> None:
    mount_version_2(machine, nested=True, given="cpu\n")
    machine.prepare()
    assert (machine.root / "cgroup.subtree_control").read_text() == "+memory +pids"
    assert (machine.root / "init" / "cgroup.procs").read_text() == "7"  # a real one takes them one by one


@pytest.mark.parametrize(("nested", "given"), [(False, ""), (True, "cpu memory pids\n")])
def test_groups_that_need_nothing_are_left_alone(machine: Machine, nested: bool, given: str) -> None:
    mount_version_2(machine, nested=nested, given=given)
    machine.prepare()
    assert (machine.root / "cgroup.subtree_control").read_text() == given
    assert not (machine.root / "init").exists()


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with both kinds of iptables."""
    folder = tmp_path / "sbin"
    folder.mkdir()
    for name in ("iptables", "ip6tables", "iptables-legacy", "ip6tables-legacy"):
        (folder / name).touch(mode=0o755)
    monkeypatch.setattr(host, "search_path", lambda: str(folder))
    return folder


def test_iptables_that_work_are_taken(machine: Machine, programs: Path, tmp_path: Path) -> None:
    assert host.choose_iptables(tmp_path / "bin", listener=machine.told.append) == host.PacketRules()
    assert not (tmp_path / "bin").exists()


def test_legacy_iptables_stand_in_for_our_engine_alone(
    machine: Machine, programs: Path, tmp_path: Path
) -> None:
    machine.failing.add("iptables")
    folder = tmp_path / "bin"
    for _time in range(2):
        tables = host.choose_iptables(folder, listener=machine.told.append)
        assert tables == host.PacketRules(directories=(folder,))
    assert (folder / "iptables").readlink() == programs / "iptables-legacy"
    assert (folder / "ip6tables").readlink() == programs / "ip6tables-legacy"
    assert machine.told == []


def test_without_any_iptables_the_engine_does_without(
    machine: Machine, programs: Path, tmp_path: Path
) -> None:
    machine.failing |= {"iptables", "iptables-legacy"}
    tables = host.choose_iptables(tmp_path / "bin", listener=machine.told.append)
    assert tables == host.PacketRules(options=("--iptables=false", "--ip6tables=false"))
    assert [type(event) for event in machine.told] == [Warned]


def add_process(machine: Machine, pid: str, name: str, network: str) -> None:
    folder = machine.proc / pid
    (folder / "ns").mkdir(parents=True)
    (folder / "ns" / "net").symlink_to(network)
    if pid != "self":
        (folder / "comm").write_text(f"{name}\n")


def test_another_dockerd_in_our_network_is_noticed(machine: Machine) -> None:
    (machine.proc / "self" / "ns").mkdir()
    (machine.proc / "self" / "ns" / "net").symlink_to("net:[1]")
    add_process(machine, "10", "bash", "net:[1]")
    add_process(machine, "11", "dockerd", "net:[2]")
    (machine.proc / "12").mkdir()
    assert not host.is_another_running(machine.proc)
    add_process(machine, "13", "dockerd", "net:[1]")
    assert host.is_another_running(machine.proc)


def test_a_network_that_is_in_use_is_not_chosen() -> None:
    assert str(host.choose_network([])) == "10.213.0.0/24"
    used = [IPv4Network("10.213.0.0/23"), IPv4Network("172.17.0.0/16")]
    assert str(host.choose_network(used)) == "10.213.2.0/24"
    with pytest.raises(EngineError, match="no network is free"):
        host.choose_network([IPv4Network("10.0.0.0/8")])


def test_a_bridge_that_cannot_be_made_is_taken_away_again(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, path: f"/sbin/{name}")
    made: list[str] = []
    original = machine.run

    def run(argv: list[str | Path], **options: object) -> process.Outcome:
        outcome = original(argv, **options)
        made.append(machine.calls[-1])
        return process.Outcome(outcome.argv, 2, b"", b"RTNETLINK answers: no\n") if "up" in argv else outcome

    process.run = run  # type: ignore[assignment]
    with pytest.raises(EngineError, match=r"cannot make the network bridge nixdock0: RTNETLINK answers: no"):
        host.add_bridge("nixdock0")
    assert made[-1] == "ip link delete nixdock0"


def test_system_programs_are_found_whatever_the_users_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/my/bin::/usr/bin")
    assert host.search_path().split(os.pathsep)[:4] == ["/my/bin", "/usr/bin", "/usr/local/sbin", "/usr/sbin"]
