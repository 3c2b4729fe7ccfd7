"""The one door for paths that a file names: what is not valid in the Nix store is neither read nor run.

A conf, a plan, a script or a link may have been written by anybody, and may name whatever this user can
read. So such a path is resolved, links and `..` and all; it must then lie in the store directory that Nix
names, in a store path that Nix knows to be valid. Files that the user names are no business of this door.

The script that streamLayeredImage builds is a short one whose last command runs nixpkgs' streamer with a conf
in the store. Where that conf is understood in full, nothing is run. Any other script that is to write an
image is run only where Nix made it, and what it writes is kept in a temporary file without a name.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from enum import Enum
from typing import TYPE_CHECKING, Final

from nixdock import process
from nixdock.errors import BuildError, LoadError
from nixdock.events import Warned
from nixdock.formats.source import explain_os_error, open_stream
from nixdock.nix.store import find_invalid, list_requisites, store_dir, store_path_of
from nixdock.text import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from nixdock.events import Listener
    from nixdock.formats.memory import Memory
    from nixdock.formats.source import OpenFileBytes

SCRIPT_LIMIT: Final = 64 * 1024
"""Bytes that a wrapper script may have to be looked into."""

_CONF: Final = re.compile(rb"(/[^\s\"'$`]+/[0-9a-z]{32}-[^\s\"'$`]*conf\.json)")
_TAIL: Final = 2000


def _top_of(place: Path, name: str, by: str) -> Path:
    top = store_path_of(place)
    if top is None:
        raise _outside(name, by, str(place))
    return top


def _identify(top: Path) -> str:
    """Return what a store path is known by: as long as it is the same file, it is what it was."""
    status = top.lstat()
    return f"{status.st_dev}:{status.st_ino}:{status.st_ctime_ns}"


def _is_plain(name: str) -> bool:
    """Whether a path lies in the store by its name alone."""
    return os.path.normpath(name) == name and _is_in(name, str(store_dir()))


def _is_in(path: str, directory: str) -> bool:
    return path.startswith(directory.rstrip("/") + "/")


def _outside(name: str, by: str, real: str | None = None) -> LoadError:
    led = f", which is {real}" if real is not None and real != name else ""
    return LoadError(
        f"{by} names {name!r}{led}: that is no path of the Nix store, and nothing else is read for it",
        hint=f"what an image is made of must be in {store_dir()}: build it with Nix",
    )


class StoreDoor:
    """Lets through what is in the Nix store; Nix is asked once for all paths of an image.

    Args:
        memory: What was valid before: a path that is still the same file is not asked for again.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._directories: dict[str, str] = {}

    def admit(self, by: str, *, files: Sequence[str] = (), trees: Iterable[str] = ()) -> tuple[Path, ...]:
        """Make sure that paths may be read, and return where the files really are.

        Args:
            by: What names them, for messages.
            files: Paths that are opened: links are followed, the last one too.
            trees: Paths that are walked without following links, as they are written: no link outside of the
                store may lead to them, which could lead elsewhere by then.

        Raises:
            LoadError: One is not there, is outside of the Nix store, or not valid in it; or Nix cannot be
                asked.
        """
        found = [self._resolve(name, by, whole=True) for name in files]
        tops: dict[Path, str] = {}
        for place, name in [
            *zip(found, files, strict=True),
            *((self._resolve(name, by, whole=False), name) for name in trees),
        ]:
            tops.setdefault(_top_of(place, name, by), name)
        self._ask(tops, by)
        return tuple(found)

    def admit_closure(self, by: str, file: str) -> Path:
        """Make sure that a file may be read, as `admit` does, and learn of all that it refers to.

        Of that, which is as valid as the file, nothing need be asked then.

        Args:
            by: What names it, for messages.
            file: A path that is opened.

        Raises:
            LoadError: As for `admit`.
        """
        place = self._resolve(file, by, whole=True)
        top = _top_of(place, file, by)
        with contextlib.suppress(OSError, BuildError):
            if not self._memory.recall_valid({str(top): _identify(top)}):
                self._memory.keep_valid({str(path): _identify(path) for path in list_requisites([top])})
        (place,) = self.admit(by, files=[file])
        return place

    def _resolve(self, name: str, by: str, *, whole: bool) -> Path:
        """Return a path without links, as the store is called that it lies in."""
        if not name.startswith("/") or "\0" in name or not (whole or _is_plain(name)):
            raise _outside(name, by)
        try:
            if whole:
                real = os.path.realpath(name, strict=True)
            else:
                directory, _, base = name.rpartition("/")
                real = f"{self._real_directory(directory or '/').rstrip('/')}/{base}"
                os.lstat(real)
            store = self._real_directory(str(store_dir()))
        except (OSError, ValueError) as error:
            # Whether a file outside of the store exists is nobody's business either.
            if isinstance(error, ValueError) or not _is_in(os.path.normpath(name), str(store_dir())):
                raise _outside(name, by) from error
            raise explain_os_error(error, clean_line(name)) from error
        if not _is_in(real, store):
            raise _outside(name, by, real)
        return store_dir() / real[len(store) + 1 :]

    def _real_directory(self, directory: str) -> str:
        if directory not in self._directories:
            self._directories[directory] = os.path.realpath(directory, strict=True)
        return self._directories[directory]

    def _ask(self, tops: dict[Path, str], by: str) -> None:
        """Make sure that store paths are valid, asking Nix for those of which that is not known."""
        identities: dict[str, str] = {}
        for top, name in tops.items():
            try:
                identities[str(top)] = _identify(top)
            except OSError as error:
                raise explain_os_error(error, name) from error
        known = self._memory.recall_valid(identities)
        unknown = {path: identity for path, identity in identities.items() if path not in known}
        if not unknown:
            return
        try:
            invalid = find_invalid(tuple(unknown))
        except BuildError as error:
            raise LoadError(
                f"{by} names paths of the Nix store, and Nix cannot be asked whether they are valid: "
                f"{error.message}",
                hint=error.hint,
            ) from error
        self._memory.keep_valid({path: identity for path, identity in unknown.items() if path not in invalid})
        for top, name in tops.items():
            if str(top) in invalid:
                raise LoadError(
                    f"{by} names {name!r}, which Nix did not make: it is not valid in {store_dir()}",
                    hint="build it again",
                )


class Scripts(Enum):
    """What is done with a script of the Nix store that writes an image."""

    RUN = "run"
    """It is run: whoever asks has just built it."""
    ANNOUNCE = "announce"
    """It is run, and told before."""
    REFUSE = "refuse"


def find_conf(script: bytes) -> str | None:
    """Return what a stream script runs its streamer with, or None where there is no single conf.

    Args:
        script: The text of the script.
    """
    command = script.rstrip().rpartition(b"\n")[2]
    named = set(_CONF.findall(command))
    if not command.lstrip().startswith(b"exec") or len(named) != 1:
        return None
    return os.fsdecode(named.pop())


def run_script(path: Path, scripts: Scripts, door: StoreDoor, listener: Listener) -> OpenFileBytes:
    """Run a script of the store and keep the archive that it writes.

    Args:
        path: The script.
        scripts: Whether it is run at all.
        door: Knows what is valid in the store.
        listener: Told of it, and how much it has written.

    Raises:
        LoadError: It is none of the Nix store's, may not be executed, or fails.
    """
    real = path.resolve()
    if store_path_of(real) is None or not os.access(real, os.X_OK):
        raise LoadError(
            f"{path} is a script, not an image, and no script of the Nix store that could be run for one",
            hint=f"if it writes an image: {path} | nixdock load",
        )
    (real,) = door.admit(str(path), files=[str(real)])
    match scripts:
        case Scripts.REFUSE:
            raise LoadError(
                f"{path} is a script that would have to be run for its image, and --no-scripts forbids that",
                hint="leave --no-scripts out, or build an archive",
            )
        case Scripts.ANNOUNCE:
            listener(Warned(f"running {real}, which this command did not build: it writes the image"))
    with tempfile.TemporaryFile() as told:
        running = process.start([real], stdout=process.PIPE, stderr=told)
        try:
            if running.stdout is None:
                raise AssertionError("a pipe was asked for")
            with running.stdout as output:
                archive = open_stream(output, listener)
            status = running.wait()
        finally:
            if running.poll() is None:
                running.kill()
                running.wait()
        if status != 0:
            told.seek(max(0, told.seek(0, os.SEEK_END) - _TAIL))
            raise LoadError(
                f"{path} failed with status {status} while it wrote the image",
                details=told.read().decode(errors="replace").strip() or None,
            )
    archive.name = str(path)
    return archive
