"""Directories made for Nix to read: whole or not at all, by one process at a time, kept a while."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nixdock import settings
from nixdock.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

_KEPT_SECONDS: Final = 14 * 24 * 3600


def list_homes(name: str) -> tuple[Path, Path]:
    """Return where a kind of directories is kept: in the user's cache, and where that cannot be written."""
    private = Path(tempfile.gettempdir()) / f"nixdock-{os.getuid()}"
    return settings.cache_dir() / name, private / name


def find_home(name: str, what: str) -> Path:
    """Return the directory that a kind of directories is kept in, one that can be written to.

    Args:
        name: Its name in the cache.
        what: What is kept there, in words for the user.

    Raises:
        BuildError: There is none.
    """
    wanted, fallback = list_homes(name)
    with suppress(OSError):
        settings.make_private(wanted)
        if os.access(wanted, os.W_OK) and wanted.stat().st_uid == os.getuid():
            return wanted
    with suppress(OSError):
        # In /tmp others look on, and could have been there first.
        fallback.parent.mkdir(mode=0o700, exist_ok=True)
        status = fallback.parent.lstat()
        if stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid():
            fallback.mkdir(exist_ok=True)
            return fallback
    raise BuildError(
        f"no folder for {what}: {wanted} cannot be written to",
        hint="set NIXDOCK_CACHE_DIR to a folder of yours",
    )


def work_alone(home: Path) -> AbstractContextManager[None]:
    """Be the only process that makes something below the directory."""
    return settings.locked(home / ".lock")


@contextmanager
def new_directory(directory: Path) -> Iterator[Path]:
    """Give a directory to fill that takes its place when it is whole, and vanishes when it never is."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=directory.parent))
    try:
        temporary.chmod(0o755)
        yield temporary
        temporary.rename(directory)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def remove_old(directories: Iterable[Path], *, keep: Path) -> None:
    """Remove what was made or used two weeks ago or earlier, and is not in use now."""
    now = time.time()
    for directory in directories:
        if directory != keep and now - directory.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(directory, ignore_errors=True)
