"""Running Nix for one target: with what the user said, what the machine lacks, and errors explained.

The log is followed as it comes, and no program outlives us.
"""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from nixdock import process
from nixdock.log import get_logger
from nixdock.nix.store import no_nix
from nixdock.settings import here, is_there
from nixdock.text import split_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nixdock.events import Listener
    from nixdock.nix.command import NixOptions
    from nixdock.nix.follower import Follower
    from nixdock.nix.missing import PackageNames
    from nixdock.nix.settings import NixSettings

log = get_logger(__name__)

_LONGEST_LINE: Final = 1 << 20
"""Bytes read as one line: a builder may write without ever ending one."""

_GRACE: Final = 10.0
"""Seconds that Nix gets to end its builders, before it is killed."""

_FETCHER: Final = b'"builtin","builtin:fetchurl"'
_URI: Final = re.compile(rb'\("url","([^"\\]+)"\)')
_ENOUGH: Final = 1 << 16
"""Bytes of a derivation that are read to see its builder; one that fetches a file is far smaller."""


@dataclass(frozen=True, slots=True)
class NixOutcome:
    """How a Nix program ended.

    Args:
        program: Its name.
        status: Its exit status; the negative number of the signal that ended it.
        stdout: What it printed.
    """

    program: str
    status: int
    stdout: bytes

    @property
    def lines(self) -> list[str]:
        """What it printed, line by line."""
        return split_lines(self.stdout.decode(errors="surrogateescape"))


class Listening:
    """A follower that is made at the first line: where nothing is to be done, Nix has nothing to say.

    Args:
        make: Makes it.
    """

    def __init__(self, make: Callable[[], Follower]) -> None:
        self._make = make
        self._made: Follower | None = None

    @property
    def follower(self) -> Follower:
        """The follower."""
        if self._made is None:
            self._made = self._make()
        return self._made

    def feed(self, line: bytes) -> None:
        """Take one line."""
        self.follower.feed(line)

    def close(self) -> None:
        """Tell the end of everything that a process left open when it died."""
        if self._made is not None:
            self._made.close()


def follow(argv: Sequence[str], listening: Listening, *, cwd: Path | None = None) -> NixOutcome:
    """Run a Nix program to its end.

    Whatever ends the wait (Ctrl-C, a signal that became an exception) ends the program too, and with
    it its builders.

    Args:
        argv: The program and its arguments.
        listening: Gets each line of its standard error.
        cwd: Its working directory; ours when None.

    Raises:
        BuildError: There is no such program.
    """
    with ExitStack() as stack:
        # A file, not a pipe: nobody has to read it while the log is followed.
        printed = stack.enter_context(tempfile.TemporaryFile())
        environment = stack.enter_context(_Environment())
        try:
            running = process.start(
                argv, stdout=printed, stderr=process.PIPE, env=environment.variables, cwd=cwd
            )
        except FileNotFoundError as error:
            raise no_nix() from error
        stack.callback(listening.close)
        try:
            if running.stderr is not None:
                with running.stderr as lines:
                    for line in iter(lambda: lines.readline(_LONGEST_LINE), b""):
                        listening.feed(line)
            status = running.wait()
        except BaseException:
            process.end(running, grace=_GRACE)
            raise
        log.debug("process.ended", program=argv[0], status=status)
        printed.seek(0)
        return NixOutcome(argv[0], status, printed.read())


class _Environment:
    """The environment of a Nix program: ours, with a cache directory that can be written.

    Without one Nix cannot fetch a flake, and warns at every build. A home that is read-only, or that
    does not exist, gets a directory for the one call.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self.variables: Mapping[str, str] | None = None

    def __enter__(self) -> Self:
        if not _is_writable(_cache_home(self._environ)):
            self._directory = tempfile.TemporaryDirectory(prefix="nixdock-cache-", ignore_cleanup_errors=True)
            others = {name: value for name, value in self._environ.items() if name != "NIX_CACHE_HOME"}
            self.variables = {**others, "XDG_CACHE_HOME": self._directory.name}
        return self

    def __exit__(self, *_error: object) -> None:
        if self._directory is not None:
            self._directory.cleanup()


def _cache_home(environ: Mapping[str, str]) -> Path:
    if environ.get("NIX_CACHE_HOME"):
        return Path(environ["NIX_CACHE_HOME"])
    home = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME") or "/nonexistent") / ".cache"
    return Path(home) / "nix"


def _is_writable(directory: Path) -> bool:
    """Whether a directory can be written, or made where it is not there yet."""
    return os.access(next(path for path in (directory, *directory.parents) if is_there(path)), os.W_OK)


@dataclass(frozen=True, slots=True)
class Nix:
    """The Nix programs, as one command line of nixdock uses them.

    Args:
        options: The user's own.
        settings: What the machine's configuration lacks.
        listener: Whom to tell what happens.
        expression: The text of `-E`, for excerpts in errors.
        package_sets: Directories whose faults are told where the user's own file led to them.
        package_names: Asks the offline package set for the names in it; None where it is another set.
        is_flake: Whether the target is a flake.
        flake: The flake's directory, where it is one of this machine.
        file: The file that is evaluated, where it is one.
    """

    options: NixOptions
    settings: NixSettings
    listener: Listener
    expression: str | None = None
    package_sets: tuple[Path, ...] = ()
    package_names: Callable[[], PackageNames] | None = None
    is_flake: bool = False
    flake: Path | None = None
    file: Path | None = None
    _warned: set[str] = field(default_factory=set)

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        hear: Callable[[str], bool] = lambda _text: False,
    ) -> NixOutcome:
        """Run a command of `nixdock.nix.command` to its good end.

        Args:
            argv: The program and its arguments.
            cwd: Its working directory; ours when None.
            hear: Takes what Nix says before anybody else does; whether it was for nobody else.

        Raises:
            BuildError: It failed, for the reason that this says.
        """
        listening = Listening(partial(self._make_follower, hear))
        ended = follow(argv, listening, cwd=cwd)
        if ended.status == 0:
            return ended
        # Mostly Nix does not fail.
        from nixdock.nix.failure import Circumstances, explain  # noqa: PLC0415
        from nixdock.nix.sources import Sources  # noqa: PLC0415

        circumstances = Circumstances(
            program=ended.program,
            status=ended.status,
            sources=Sources(here(), self.expression, self.package_sets, self.flake, self.file),
            package_names=self.package_names,
            is_flake=self.is_flake,
            show_trace=self.options.show_trace,
        )
        raise explain(listening.follower, circumstances)

    def _make_follower(self, hear: Callable[[str], bool]) -> Follower:
        from nixdock.nix.follower import Follower  # noqa: PLC0415  # as Listening says

        return Follower(self.listener, fetched_uri, warned=self._warned, hear=hear)


def fetched_uri(derivation: str) -> str | None:
    """Return what a derivation fetches that does nothing else; None of others."""
    try:
        with Path(derivation).open("rb") as file:
            text = file.read(_ENOUGH)
    except OSError:
        return None
    found = _URI.search(text) if _FETCHER in text else None
    return found[1].decode(errors="replace") if found else None
