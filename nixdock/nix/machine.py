"""What Nix needs of this machine, whether it is there, and the command that makes it so."""

from __future__ import annotations

import grp
import os
from pathlib import Path
from typing import Final

from nixdock.hints import as_root, join_group, script_as_root
from nixdock.nixpkgs.debian.builders import elf
from nixdock.settings import is_there

DEFAULT_GROUP: Final = "nixbld"
"""The group of the build users, unless the configuration names another one."""

BUSYBOX: Final = (Path("/bin/busybox"), Path("/usr/bin/busybox"))
_64_BIT: Final = 2
_MACHINES: Final = {"x86_64": 62, "aarch64": 183}
"""EM_X86_64 and EM_AARCH64: the machines that the offline package set is for."""

_MACHINE: Final = slice(18, 20)
"""Where an ELF header has that number."""

SYSTEMD: Final = Path("/run/systemd/system")
"""There while systemd is the machine's init: sd_booted(3)."""

UNITS: Final = tuple(map(Path, ("/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system")))
"""Where a package or an administrator puts what systemd starts."""

GROUP: Final = "nix-users"
"""Debian's daemon listens to members of this group only."""

_ADD_USERS: Final = (
    f"groupadd -r {DEFAULT_GROUP}; for n in 1 2 3 4 5 6 7 8; do"
    f" useradd -r -M -N -g {DEFAULT_GROUP} -G {DEFAULT_GROUP} nixbld$n; done"
)
"""As Nix's manual makes them: each is listed in the group, too."""


def runs_alone(path: Path) -> bool:
    """Whether a path is a program of this machine that needs no libc: an ELF file without interpreter."""
    try:
        with path.open("rb") as file:
            header = file.read(_MACHINE.stop)
            file.seek(0)
            found = elf.read(file)
    except OSError:
        return False
    is_ours = int.from_bytes(header[_MACHINE], "little") == _MACHINES.get(os.uname().machine)
    return found is not None and header[4] == _64_BIT and is_ours and found.interpreter is None


def has_members(group: str) -> bool:
    """Whether a group lists anybody: Nix builds as those."""
    if not group:
        return False
    try:
        found = grp.getgrnam(group)
    except KeyError:
        return False
    # Nix, too, counts only those that the group itself lists.
    return bool(found.gr_mem)


def hint_for_daemon() -> str:
    """Return the command that gives this machine a daemon of root's, and users for it to build as."""
    if SYSTEMD.is_dir():
        if any(is_there(directory / "nix-daemon.socket") for directory in UNITS):
            return as_root("systemctl start nix-daemon")
        return f"use the Nix daemon: {as_root('apt-get install nix-setup-systemd')}, then {join_group(GROUP)}"
    steps = []
    if not any(map(runs_alone, BUSYBOX)):
        steps.append("apt-get install -y busybox-static")
    if not has_members(DEFAULT_GROUP):
        steps.append(_ADD_USERS)
    # A sandbox's /bin/sh is what Debian's Nix comes without.
    steps.append('NIX_CONFIG="extra-sandbox-paths = /bin/sh=/bin/busybox" nix-daemon >/dev/null 2>&1 &')
    return script_as_root("; ".join(steps))


def hint_for_users() -> str:
    """Return the command that makes the users which a daemon builds as."""
    return script_as_root(_ADD_USERS)
