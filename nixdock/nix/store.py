"""Facts about store paths, and links that keep them from Nix's garbage collector."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nixdock import process, settings
from nixdock.errors import BuildError
from nixdock.hints import as_root
from nixdock.nix.command import check_validity, query_requisites, query_sizes
from nixdock.text import split_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BASE_NAME: Final = re.compile(r"(?P<hash>[0-9a-df-np-sv-z]{32})-(?P<name>[0-9A-Za-z+\-._?=]+)")
"""What a store path is called: 160 bits in Nix's own base 32, then a name."""

_AT_ONCE: Final = 2000
"""Paths in one question: two megabytes are the most that a program's arguments may have."""

_NEW: Final = "new-"
_LOCK: Final = "lock"


def store_dir() -> Path:
    """Return the directory of the store paths, as they are written in artefacts."""
    return Path(os.environ.get("NIX_STORE_DIR") or "/nix/store")


def store_path_of(path: Path) -> Path | None:
    """Return the store path that a path is, or lies in; None outside of the store."""
    try:
        inner = path.relative_to(store_dir())
    except ValueError:
        return None
    return store_dir() / inner.parts[0] if inner.parts and _BASE_NAME.fullmatch(inner.parts[0]) else None


def name_of(path: Path | str) -> str:
    """Return the name in a store path, without the `.drv` of a derivation."""
    base = Path(path).name
    found = _BASE_NAME.fullmatch(base)
    return (found["name"] if found else base).removesuffix(".drv")


def locate(path: Path, store: str | None = None) -> Path | None:
    """Return where a store path's file is on this machine, or None where it is not.

    Args:
        path: The store path, as artefacts name it.
        store: The store it was built in, as `--store` takes it: a directory is a root of its own, with
            the store paths below it.
    """
    if store is None and "root=" in os.environ.get("NIX_REMOTE", ""):
        store = os.environ["NIX_REMOTE"]
    if store is None or store in ("auto", "daemon", "local"):
        # Since 2.10 a user without daemon and without /nix gets such a root below the home.
        data = os.environ.get("XDG_DATA_HOME") or Path(os.environ.get("HOME") or "/") / ".local" / "share"
        roots = [Path("/"), Path(data) / "nix" / "root"]
    elif store.startswith("/"):
        roots = [Path(store)]
    else:
        from urllib.parse import unquote  # noqa: PLC0415  # few stores are named so

        found = re.search(r"[?&]root=([^&]+)", store)
        roots = [Path(unquote(found[1]))] if found else []
    for root in roots:
        file = root / path.relative_to("/")
        if _is_registered(file):
            return file
    return None


def lies_elsewhere(store: str | None = None) -> bool:
    """Whether a store's files are not where their names say: what names them cannot be read by these.

    Args:
        store: As `--store` takes it; Nix's own choice when None.
    """
    named = store or os.environ.get("NIX_REMOTE") or "auto"
    if named in ("auto", "daemon", "local"):
        return not store_dir().is_dir()
    return named.startswith("/") or "root=" in named


def _is_registered(file: Path) -> bool:
    """Whether a store path's file is whole: the time of what Nix has registered is 1.

    What a build leaves behind that was interrupted, or that failed, has the time of its making.
    """
    try:
        return file.lstat().st_mtime == 1
    except OSError:
        return False


def list_requisites(paths: Sequence[Path], *, store: str | None = None) -> tuple[Path, ...]:
    """Return store paths and all that they need, what is needed before what needs it.

    Args:
        paths: Where to start.
        store: The store that has them, as `--store` takes it; Nix's own choice when None.

    Raises:
        BuildError: One of them is not there any more, or there is no Nix.
    """
    return tuple(map(Path, _ask(query_requisites(paths, store=store)).split()))


def find_invalid(paths: Sequence[str]) -> frozenset[str]:
    """Return those of some paths that are not valid in the store: nothing that Nix made, or no longer.

    In Nix's sandbox nobody can ask it; who starts nixdock there says what is valid.

    Raises:
        BuildError: Nix cannot be asked, or has its store elsewhere.
    """
    listed = settings.store_paths_file()
    if listed is not None:
        try:
            return frozenset(paths).difference(split_lines(listed.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise BuildError(f"{listed}, which NIXDOCK_STORE_PATHS names, cannot be read: {error}") from error
    invalid: set[str] = set()
    for start in range(0, len(paths), _AT_ONCE):
        outcome = _call(check_validity(paths[start : start + _AT_ONCE]))
        if not outcome:
            raise BuildError(_last_error(outcome), hint="look what is missing: nixdock doctor")
        invalid.update(split_lines(outcome.text))
    return frozenset(invalid)


def find_sizes(paths: Sequence[str]) -> dict[str, int]:
    """Return the bytes of valid store paths, as Nix counts them.

    Raises:
        BuildError: One of them is not there any more, or there is no Nix.
    """
    sizes: dict[str, int] = {}
    for start in range(0, len(paths), _AT_ONCE):
        some = paths[start : start + _AT_ONCE]
        sizes |= dict(zip(some, map(int, _ask(query_sizes(some)).split()), strict=True))
    return sizes


def _ask(argv: Sequence[str]) -> str:
    outcome = _call(argv)
    if outcome:
        return outcome.text
    raise BuildError(
        f"Nix does not know these store paths: {_last_error(outcome)}",
        hint="build again; Nix's garbage collector may have removed them",
    )


def _call(argv: Sequence[str]) -> process.Outcome:
    try:
        return process.run(argv)
    except FileNotFoundError as error:
        raise no_nix() from error


def _last_error(outcome: process.Outcome) -> str:
    from nixdock.nix.build_log import strip_escapes  # noqa: PLC0415  # for those who meet an error

    lines = [line for line in split_lines(strip_escapes(outcome.error_text)) if line.startswith("error:")]
    return lines[-1].removeprefix("error: ") if lines else f"it ended with status {outcome.status}"


def no_nix() -> BuildError:
    """Return the error of a machine without Nix."""
    return BuildError("Nix is not installed here", hint=as_root("apt-get install nix-bin"))


@contextmanager
def hold_roots() -> Iterator[Path]:
    """Keep store paths from the garbage collector while a block runs.

    A link to a store path that a Nix program makes in the directory is a root of the collector; when
    the block ends the directory goes, and the root with it. What a killed process left is removed by
    the next one.

    Yields:
        The directory.
    """
    base = Path(tempfile.gettempdir()) / f"nixdock-roots-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        base.mkdir(mode=0o700)
    if not _is_private(base):
        # In a directory that everybody writes to: not to be trusted.
        with tempfile.TemporaryDirectory(prefix="nixdock-roots-") as private:
            yield Path(private)
        return
    _sweep(base)
    new = Path(tempfile.mkdtemp(prefix=_NEW, dir=base))
    with settings.locked(new / _LOCK):
        # Only now is it another process's business whether the lock is held.
        directory = new.rename(base / new.name.removeprefix(_NEW))
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def _is_private(directory: Path) -> bool:
    """Whether a directory is one of this user's, in which nobody else can put something."""
    status = directory.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022


def _sweep(base: Path) -> None:
    """Remove the directories whose process has died: their lock is free."""
    for directory in base.iterdir():
        if directory.name.startswith(_NEW):
            # Being made right now, or left by a process that died within that moment.
            with contextlib.suppress(OSError):
                if time.time() - directory.stat().st_mtime > 60:
                    shutil.rmtree(directory, ignore_errors=True)
            continue
        try:
            with settings.locked(directory / _LOCK, wait=False):
                shutil.rmtree(directory, ignore_errors=True)
        except OSError:
            continue
