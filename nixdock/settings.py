"""Where nixdock keeps things, and what the environment says.

- `NIXDOCK_CACHE_DIR` (default: the user's cache folder, `nixdock` below it): what can be made again.
- `NIXDOCK_STATE_DIR` (default: the user's state folder, `nixdock` below it): what nixdock remembers.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import platformdirs

GONE: Final = Path("/proc/self/cwd")
"""How a working directory that has been removed is named: below it nothing is found."""


def cache_dir() -> Path:
    """Return the folder of what can be made again; it may not exist yet."""
    return Path(os.environ.get("NIXDOCK_CACHE_DIR") or platformdirs.user_cache_dir("nixdock"))


def state_dir() -> Path:
    """Return the folder of what nixdock remembers; it may not exist yet."""
    return Path(os.environ.get("NIXDOCK_STATE_DIR") or platformdirs.user_state_dir("nixdock"))


def here() -> Path:
    """Return the working directory; of one that has been removed a name below which nothing is found."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return GONE
