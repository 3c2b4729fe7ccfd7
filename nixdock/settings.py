"""Where nixdock keeps things, and what the environment says.

- `NIXDOCK_CACHE_DIR` (default: the user's cache folder, `nixdock` below it): what can be made again.
- `NIXDOCK_STATE_DIR` (default: the user's state folder, `nixdock` below it): what nixdock remembers.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_dir() -> Path:
    """Return the folder of what can be made again; it may not exist yet."""
    return Path(os.environ.get("NIXDOCK_CACHE_DIR") or platformdirs.user_cache_dir("nixdock"))


def state_dir() -> Path:
    """Return the folder of what nixdock remembers; it may not exist yet."""
    return Path(os.environ.get("NIXDOCK_STATE_DIR") or platformdirs.user_state_dir("nixdock"))
