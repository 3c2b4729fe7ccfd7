"""What the tests of a file are judged with: the image, its files, and where commands are run."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from nixdock.checks.structure_test.container_files import ContainerFiles
from nixdock.settings import here

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nixdock.checks.structure_test.container_files import Files
    from nixdock.checks.subject import Subject
    from nixdock.outcome import RunOutcome


@dataclass(frozen=True, slots=True)
class ContainerNeeds:
    """How containers must be made.

    Args:
        environment: Variables on top of the image's own, `NAME=VALUE`; the last of a name counts.
        user: Whom the process runs as; the image's user when "".
        privileged: Whether it gets every right.
        tty: Whether it gets a terminal.
        capabilities: Linux capabilities to add.
        bind_mounts: `SOURCE:TARGET[:ro]`, as the engine takes them.
    """

    environment: tuple[str, ...] = ()
    user: str = ""
    privileged: bool = False
    tty: bool = False
    capabilities: tuple[str, ...] = ()
    bind_mounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """A command to run, in place of entry point and command of the image.

    Args:
        argv: Its words; no shell is there to read them.
        needs: How its container is made.
        setup: Commands to be run before, each in a container of its own with the files that the one
            before it left behind, but not with its processes.
        setup_needs: How their containers are made.
    """

    argv: tuple[str, ...]
    needs: ContainerNeeds = field(default_factory=ContainerNeeds)
    setup: tuple[tuple[str, ...], ...] = ()
    setup_needs: ContainerNeeds = field(default_factory=ContainerNeeds)


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """What came of a command.

    Args:
        outcome: How it ended and what it wrote; with a terminal all of it is standard output.
        setup_codes: How the commands before it ended.
    """

    outcome: RunOutcome
    setup_codes: tuple[int, ...] = ()


class CommandRunner(Protocol):
    """Runs commands in containers of one image."""

    def run(self, request: CommandRequest) -> CommandAnswer:
        """Run a command to its end.

        Raises:
            NotReachedError: A command before it could not be run, or a mount cannot be had.
            EngineError: It could not be run.
        """

    def files(self, needs: ContainerNeeds) -> Files:
        """Return the files of a container that is not started.

        Raises:
            EngineError: It could not be made.
        """


class Rig:
    """All that a test needs to be judged.

    Args:
        subject: The image.
        runner: Runs commands; None where no engine is at hand.
        environ: The caller's environment, for `containerRunOptions.envVars`.
        folder: What `envFile` is relative to; the working directory when None.
    """

    def __init__(
        self,
        subject: Subject,
        runner: CommandRunner | None = None,
        *,
        environ: Mapping[str, str] = os.environ,
        folder: Path | None = None,
    ) -> None:
        self.subject = subject
        self.runner = runner
        self.environ = environ
        self.folder = folder or here()

    @cached_property
    def files(self) -> ContainerFiles:
        """The files of a container of the image.

        Raises:
            LoadError: The image's layers cannot be read.
        """
        return ContainerFiles(self.subject)
