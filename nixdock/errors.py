"""The errors that a user can meet, as one tree.

Each carries one sentence in the user's words, a hint (the next thing to type or to look at) and
the exit status of the process that ends with it.
"""

from __future__ import annotations

import errno
from typing import ClassVar, Final


class NixdockError(Exception):
    """What went wrong, what to do next, and the exit status that says so; never raised itself.

    Args:
        message: One sentence without a final period: what is wrong, and where.
        hint: The next action, as one line, or None where there is none to give.
        details: Further lines to show below the message, indented (a log's tail, a diff).
    """

    exit_code: ClassVar[int] = 1

    def __init_subclass__(cls, *, exit_code: int | None = None) -> None:
        super().__init_subclass__()
        if exit_code is not None:
            cls.exit_code = exit_code

    def __init__(self, message: str, *, hint: str | None = None, details: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details


class UsageError(NixdockError, exit_code=2):
    """The command line, or a file of ours that cannot be read."""


class MachineError(NixdockError, exit_code=71):
    """The machine has no more of something that every program needs (EX_OSERR of sysexits.h)."""


class BuildError(NixdockError, exit_code=120):
    """Nix could not evaluate or build, or what it built is not an image."""


class LoadError(NixdockError, exit_code=121):
    """An artefact could not be read, or the engine did not take it."""


class DamagedError(LoadError):
    """An image's bytes are not what it says of itself: damaged, cut short, or not all there."""

    def __init__(self, message: str, *, details: str | None = None) -> None:
        super().__init__(message, hint="build or download it again", details=details)


class CheckError(NixdockError, exit_code=122):
    """A check could not run, or nothing ran."""


class DeadlineError(NixdockError, exit_code=124):
    """`--timeout` passed."""


class EngineError(NixdockError, exit_code=125):
    """The engine refused, or is not there (and `--timeout` did not pass meanwhile)."""


class CommandNotExecutableError(EngineError, exit_code=126):
    """The container's command is there but cannot be executed."""


class CommandNotFoundError(EngineError, exit_code=127):
    """The container's command is not in the image."""


_EXHAUSTED: Final = {
    errno.EMFILE: ("this process may have no more open files", "ulimit -n allows more"),
    errno.ENFILE: ("this machine has no more open files", None),
    errno.ENOMEM: ("this machine has no more memory", None),
    errno.ENOSPC: ("there is no room left", "make room, or name another folder"),
    errno.EDQUOT: ("this user may have no more room", "make room, or name another folder"),
    errno.EFBIG: ("no file may be that large", "ulimit -f allows more"),
}


def find_exhaustion(error: BaseException) -> MachineError | None:
    """Return what a failure says of the machine: that it has no more of something; None where it does not.

    What came of the failure says the same.
    """
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        if isinstance(cause, MachineError):
            return cause
        if isinstance(cause, OSError) and cause.errno in _EXHAUSTED:
            sentence, hint = _EXHAUSTED[cause.errno]
            return MachineError(f"{cause.filename}: {sentence}" if cause.filename else sentence, hint=hint)
        if isinstance(cause, MemoryError):
            return MachineError("this machine has no more memory")
        if isinstance(cause, RuntimeError) and "can't start new thread" in str(cause):
            return no_more_processes("threads")
        cause = cause.__cause__ or cause.__context__
    return None


def no_more_processes(what: str) -> MachineError:
    """Return the error of a process or a thread that cannot be started."""
    return MachineError(
        f"no more {what} can be started: this user, or the machine, has too many",
        hint="end what need not run, or allow more: ulimit -u, or the tasks of the service or container",
    )
