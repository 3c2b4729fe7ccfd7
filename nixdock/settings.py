"""Where nixdock keeps things, and what the environment says.

- `NIXDOCK_CACHE_DIR` (default: the user's cache directory, `nixdock` below it): what can be made again.
- `NIXDOCK_STATE_DIR` (default: the user's state directory, `nixdock` below it): what nixdock remembers.
- `NIXDOCK_HOST_STORE` (default: no): whether store paths are mounted, as by `--host-store`.
- `NIXDOCK_STORE_PATHS` (default: Nix is asked): a file with the valid store paths, one a line, for where
  Nix cannot be asked: in its own sandbox.
- `NIXDOCK_EVAL_CACHE` (default: no): yes is `--eval-cache` in every command that builds.

The directories are the user's alone: what is in them says what the user builds and runs, and is believed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nixdock.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOWHERE: Final = Path("/dev/null")
"""The home of who has none: nothing can be made below it, and nothing of others is found there."""

_YES: Final = frozenset({"1", "true", "yes", "on"})
_NO: Final = frozenset({"", "0", "false", "no", "off"})

GONE: Final = Path("/proc/self/cwd")
"""How a working directory that has been removed is named: below it nothing is found."""


def cache_dir() -> Path:
    """Return the directory of what can be made again; it may not exist yet, and may be one that cannot."""
    return _find_directory("NIXDOCK_CACHE_DIR", "XDG_CACHE_HOME", ".cache")


def state_dir() -> Path:
    """Return the directory of what nixdock remembers; it may not exist yet, and may be one that cannot."""
    return _find_directory("NIXDOCK_STATE_DIR", "XDG_STATE_HOME", ".local/state")


def here() -> Path:
    """Return the working directory; of one that has been removed a name below which nothing is found."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return GONE


def home_dir() -> Path:
    """Return the user's home, by HOME or as the machine knows it; below `/dev/null` where there is none."""
    named = os.environ.get("HOME")
    try:
        # Python itself takes an empty HOME for the root directory.
        return Path(named or pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:
        return _NOWHERE


def is_there(path: Path) -> bool:
    """Whether something is at a path, for this user: in a directory that may not be searched nothing is."""
    try:
        return path.exists()
    except OSError:
        return False


def make_private(directory: Path) -> None:
    """Make a directory that only its owner sees into, or let no one else see into one that is there.

    So is that of all of ours which it is in: who may write there could put another in its place. One that
    the user named and that is there already is left as it is: it may hold more than ours.

    Raises:
        OSError: It cannot be made.
    """
    for whole in (cache_dir(), state_dir()):
        if whole in directory.parents:
            make_private(whole)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    named = [os.environ.get(variable) for variable in ("NIXDOCK_CACHE_DIR", "NIXDOCK_STATE_DIR")]
    if str(directory) not in named:
        close_to_others(directory)


def close_to_others(path: Path) -> None:
    """Take from everybody but its owner every right to a file or directory of ours; it may not be there."""
    with contextlib.suppress(OSError):
        status = path.stat()
        if status.st_uid == os.geteuid() and status.st_mode & 0o077:
            path.chmod(status.st_mode & 0o700)


@contextlib.contextmanager
def locked(file: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a file's lock, which one process at a time can have; the file is made where it is not there.

    Args:
        file: The file, on which nothing but the lock counts.
        wait: Whether to wait for somebody else who holds it.

    Raises:
        BlockingIOError: Somebody else holds it, and it is not to be waited for.
        OSError: The file cannot be made or written to.
    """
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _find_directory(ours: str, base: str, below_home: str) -> Path:
    given = os.environ.get(ours)
    if given:
        return Path(given)
    found = Path(os.environ.get(base) or "")
    # A relative one counts as none: XDG Base Directory Specification.
    return (found if found.is_absolute() else home_dir() / below_home) / "nixdock"


def store_paths_file() -> Path | None:
    """Return the file that lists the valid store paths; None where Nix is to be asked."""
    named = os.environ.get("NIXDOCK_STORE_PATHS")
    return Path(named) if named else None


def wants_host_store() -> bool:
    """Whether the user's setting is that store paths are mounted in containers, rather than loaded.

    Raises:
        UsageError: It is neither yes nor no.
    """
    return _is_switched_on("NIXDOCK_HOST_STORE")


def wants_eval_cache() -> bool:
    """Whether the user's setting is that nothing is evaluated of which nothing has changed.

    Raises:
        UsageError: It is neither yes nor no.
    """
    return _is_switched_on("NIXDOCK_EVAL_CACHE")


def _is_switched_on(variable: str) -> bool:
    said = os.environ.get(variable, "").strip().lower()
    if said in _YES or said in _NO:
        return said in _YES
    raise UsageError(f"{variable} is {said!r}, and must be yes or no", hint="or leave it unset")
