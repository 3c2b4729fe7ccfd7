"""What to type next, as it works for this user on this machine."""

from __future__ import annotations

import os
import shutil


def as_root(command: str) -> str:
    """Return a command line that runs a command with root's rights.

    Args:
        command: The command, as root would type it.
    """
    if os.geteuid() == 0:
        return command
    # A machine without sudo has root's password, if it has anything.
    return f"sudo {command}" if shutil.which("sudo") else f"su -c '{command}'"
