"""What dockerd needs of the machine and a bare one lacks: control groups, packet rules, a bridge.

Only what is missing is added, and nothing that is configured is changed: mounts go where nothing is
mounted, a choice between two kinds of iptables is made for our engine's own PATH.
"""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nixdock import process
from nixdock.errors import EngineError
from nixdock.events import Listener, Notice, Warned, ignore
from nixdock.log import get_logger
from nixdock.text import read_system_file, split_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

log = get_logger(__name__)

CGROUPS: Final = Path("/sys/fs/cgroup")
PROC: Final = Path("/proc")
_SBIN: Final = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin")
_OCTAL: Final = re.compile(r"\\([0-7]{3})")
_TABLES: Final = ("iptables", "ip6tables")


@dataclass(frozen=True, slots=True)
class PacketRules:
    """How our engine gets at packet rules.

    Args:
        directories: What goes in front of its PATH.
        options: What it is told.
    """

    directories: tuple[Path, ...] = ()
    options: tuple[str, ...] = ()


def search_path() -> str:
    """Return PATH with the directories of system programs, which an ordinary user's may lack."""
    own = os.environ.get("PATH", "").split(os.pathsep)
    return os.pathsep.join(dict.fromkeys([directory for directory in own if directory] + list(_SBIN)))


def prepare_cgroups(root: Path = CGROUPS, proc: Path = PROC, *, listener: Listener = ignore) -> None:
    """Mount control groups where nothing is mounted, and let containers below ours have controllers.

    Args:
        root: Where they belong.
        proc: The proc file system.
        listener: Whom to tell what was changed.

    Raises:
        EngineError: They cannot be mounted: this is a container without the privilege.
    """
    if not any(
        where == root or root in where.parents for where, kind in list_mounts(proc) if "cgroup" in kind
    ):
        controllers = _read_v1_controllers(proc)
        if controllers:
            _mount("tmpfs", root, "cgroup", "mode=755")
            for controller in controllers:
                (root / controller).mkdir()
                _mount("cgroup", root / controller, "cgroup", controller)
        else:
            _mount("cgroup2", root, "cgroup2")
        listener(Notice(f"control groups were not mounted: they are now, on {root}"))
    if (root / "cgroup.controllers").exists():
        _delegate(root)


def list_mounts(proc: Path = PROC) -> list[tuple[Path, str]]:
    """Return what is mounted where: the place, which may be of any bytes, and the kind of file system.

    Args:
        proc: The proc file system.
    """
    # Fields end at a blank and lines at a newline, and nowhere else: these are octal in a place, as are the
    # tab and the backslash (proc(5)); a carriage return is not.
    rows = [line.split(" ") for line in split_lines(read_system_file(proc / "self" / "mounts"))]
    return [(Path(_OCTAL.sub(lambda found: chr(int(found[1], 8)), row[1])), row[2]) for row in rows]


def _read_v1_controllers(proc: Path) -> list[str]:
    """Return the controllers that the kernel has in hierarchies of their own: cgroup version 1."""
    try:
        lines = split_lines(read_system_file(proc / "cgroups"))[1:]
    except OSError:
        return []
    rows = [line.split() for line in lines]
    # name, hierarchy, number of groups, enabled; hierarchy 0 is version 2, or not in use at all.
    return [row[0] for row in rows if row[3] == "1"] if any(row[1] != "0" for row in rows) else []


def _delegate(root: Path) -> None:
    """Let groups below the root of a container's own hierarchy have controllers.

    The kernel refuses that while processes are in that root itself, so they move into a group beside.
    The machine's real root has no `cgroup.type` and is exempt from the rule.
    """
    wanted = set(read_system_file(root / "cgroup.controllers").split())
    given = set(read_system_file(root / "cgroup.subtree_control").split())
    if not (root / "cgroup.type").exists() or wanted <= given:
        return
    group = root / "init"
    group.mkdir(exist_ok=True)
    for pid in read_system_file(root / "cgroup.procs").split():
        try:
            (group / "cgroup.procs").write_text(pid, encoding="utf-8")
        except OSError as error:
            # It has ended meanwhile, or is the kernel's own.
            log.debug("cgroup.not-moved", pid=pid, error=str(error))
    (root / "cgroup.subtree_control").write_text(
        " ".join(f"+{name}" for name in sorted(wanted - given)), encoding="utf-8"
    )


def _mount(kind: str, where: Path, source: str, options: str | None = None) -> None:
    done = process.run(
        ["mount", "-t", kind, *(["-o", options] if options else []), source, where],
    )
    if not done:
        raise EngineError(
            f"control groups cannot be mounted on {where}: {done.error_text.strip()}",
            hint="an engine inside a container needs privileges: docker run --privileged",
        )


def choose_iptables(directory: Path, *, listener: Listener = ignore) -> PacketRules:
    """Find an iptables that this kernel understands.

    Debian's own is the nftables one; kernels without nftables know only the legacy one, which is
    installed beside it.

    Args:
        directory: Where links to the legacy programs go, if these are to be used.
        listener: Whom to tell.
    """
    path = search_path()
    if _lists_rules("iptables", path):
        return PacketRules()
    if _lists_rules("iptables-legacy", path):
        directory.mkdir(parents=True, exist_ok=True)
        for name in _TABLES:
            link = directory / name
            link.unlink(missing_ok=True)
            link.symlink_to(shutil.which(f"{name}-legacy", path=path) or "/bin/false")
        return PacketRules(directories=(directory,))
    listener(
        Warned(
            "no iptables works here: containers reach each other and published ports, but no other network"
        )
    )
    return PacketRules(options=("--iptables=false", "--ip6tables=false"))


def _lists_rules(program: str, path: str) -> bool:
    found = shutil.which(program, path=path)
    if found is None:
        return False
    return bool(process.run([found, "--wait", "10", "-t", "nat", "-n", "-L", "PREROUTING"]))


def is_another_running(proc: Path = PROC) -> bool:
    """Whether another dockerd runs here, which docker's own bridge may belong to.

    Args:
        proc: The proc file system.
    """
    here = _read_network(proc / "self")
    for name in proc.glob("[0-9]*/comm"):
        try:
            found = read_system_file(name).strip() == "dockerd"
        except OSError:
            continue  # it has ended meanwhile
        if found and _read_network(name.parent) == here:
            return True
    return False


def _read_network(directory: Path) -> str | None:
    """Return what tells the network namespace of a process; None where that may not be known."""
    try:
        return str((directory / "ns" / "net").readlink())
    except OSError:
        return None


def add_bridge(name: str) -> None:
    """Make a network bridge with addresses that nobody here uses.

    Args:
        name: What to call it.

    Raises:
        EngineError: It cannot be made.
    """
    if shutil.which("ip", path=search_path()) is None:
        raise EngineError(
            "another engine has the bridge docker0, and without the ip program no other can be made",
            hint="apt-get install iproute2",
        )
    network = choose_network(_networks_in_use())
    address = f"{network[1]}/{network.prefixlen}"
    remove_bridge(name)
    for words in (
        ["link", "add", name, "type", "bridge"],
        ["addr", "add", address, "dev", name],
        ["link", "set", name, "up"],
    ):
        done = process.run(["ip", *words])
        if not done:
            remove_bridge(name)
            raise EngineError(f"cannot make the network bridge {name}: {done.error_text.strip()}")


def remove_bridge(name: str) -> None:
    """Remove a network bridge; one that is not there is no error.

    Args:
        name: Its name.
    """
    process.run(["ip", "link", "delete", name])


def choose_network(used: Iterable[ipaddress.IPv4Network]) -> ipaddress.IPv4Network:
    """Choose a network of 254 addresses that overlaps none in use.

    From 10.213.0.0/16: docker's own pools are in 172.16.0.0/12 and 192.168.0.0/16.

    Args:
        used: The networks in use.

    Raises:
        EngineError: There is none left.
    """
    taken = tuple(used)
    for network in ipaddress.IPv4Network("10.213.0.0/16").subnets(new_prefix=24):
        if not any(network.overlaps(other) for other in taken):
            return network
    raise EngineError("no network is free for another bridge: all of 10.213.0.0/16 is in use here")


def _networks_in_use() -> list[ipaddress.IPv4Network]:
    # A line: `3: docker0    inet 172.17.0.1/16 brd …`, and routes: `default via …`, `10.0.0.0/8 via …`.
    addresses = split_lines(process.run(["ip", "-4", "-o", "addr"]).text)
    routes = split_lines(process.run(["ip", "-4", "route"]).text)
    words = [line.split()[3] for line in addresses] + [line.split()[0] for line in routes if line.strip()]
    networks = []
    for word in words:
        try:
            networks.append(ipaddress.IPv4Interface(word).network)
        except ValueError:
            continue  # `default`, `unreachable`
    return networks
