"""The errors that a user can meet, as one tree.

    NixdockError            (never raised itself)
    ├── UsageError          2     the command line, or a file of ours that cannot be read
    ├── BuildError          120   evaluation or build failed
    ├── LoadError           121   the artefact could not be read, or the engine did not take it
    ├── CheckError          122   a check could not run
    ├── DeadlineError       124   `--timeout` passed
    └── EngineError         125   the engine refused, or is not there (124 where `--timeout` passed meanwhile)
        ├── CommandNotExecutableError  126
        └── CommandNotFoundError       127

Each carries one sentence in the user's words, a hint (the next thing to type or to look at) and
the exit status of the process that ends with it.
"""

from __future__ import annotations

from typing import ClassVar


class NixdockError(Exception):
    """What went wrong, what to do next, and the exit status that says so.

    Args:
        message: One sentence without a final period: what is wrong, and where.
        hint: The next action, as one line, or None where there is none to give.
        details: Further lines to show below the message as they are (a log's tail, a diff).
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None, details: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details


class UsageError(NixdockError):
    """The command line, or a file of ours that cannot be read."""

    exit_code = 2


class BuildError(NixdockError):
    """Nix could not evaluate or build, or what it built is not an image."""

    exit_code = 120


class LoadError(NixdockError):
    """An artefact could not be read, or the engine did not take it."""

    exit_code = 121


class CheckError(NixdockError):
    """A check could not run, or nothing ran."""

    exit_code = 122


class DeadlineError(NixdockError):
    """The time that the user allowed has passed."""

    exit_code = 124


class EngineError(NixdockError):
    """The engine refused, or is not there."""

    exit_code = 125


class CommandNotExecutableError(EngineError):
    """The container's command is there but cannot be executed."""

    exit_code = 126


class CommandNotFoundError(EngineError):
    """The container's command is not in the image."""

    exit_code = 127
