"""How an ordinary user gets Nix to build on this machine: one remedy, whoever finds the fault."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from nixdock.hints import as_root, join_group, script_as_root
from nixdock.nix.elf import runs_alone
from nixdock.nix.settings import BUSYBOX, DEFAULT_GROUP, has_members
from nixdock.settings import is_there

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


def hint_for_daemon() -> str:
    """Return the command that gives this machine a daemon of root's, and users for it to build as."""
    if SYSTEMD.is_dir():
        if any(is_there(folder / "nix-daemon.socket") for folder in UNITS):
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
