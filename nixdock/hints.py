"""What to type next, as it works for this user on this machine."""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import sys
from pathlib import Path


def as_root(command: str) -> str:
    """Return a command line that runs a command of root's, as root would type it, with root's rights."""
    if os.geteuid() == 0:
        return command
    # A machine without sudo has root's password, if it has anything. Without the dash su leaves us our PATH,
    # in which Debian's users have no /usr/sbin: no usermod, groupadd or sysctl.
    return f"sudo {command}" if shutil.which("sudo") else f"su - -c {shlex.quote(command)}"


def join_group(group: str) -> str:
    """Return how this user becomes a member of a group."""
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        # By name: in a shell of root's every variable says root.
        user = os.environ.get("USER") or os.environ.get("LOGNAME") or "USER"
    return f"{as_root(f'usermod -aG {group} {user}')}, then log in again"


def script_as_root(script: str) -> str:
    """Return a command line that has a shell of root's run something."""
    return as_root(f"sh -c {shlex.quote(script)}" if os.geteuid() == 0 or shutil.which("sudo") else script)


def ourselves_as_root(arguments: str) -> str:
    """Return a command line that runs this nixdock with root's rights.

    sudo and su have a PATH of their own, in which a virtual environment is not.
    """
    if os.geteuid() == 0:
        return f"nixdock {arguments}"
    beside = Path(sys.executable).parent / "nixdock"
    program = str(beside) if beside.exists() else shutil.which("nixdock") or "nixdock"
    return as_root(f"{shlex.quote(program)} {arguments}")
