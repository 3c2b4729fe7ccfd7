"""Running commands one after the other in one idle container, as long as they leave it as it was.

The original gives every command a container of its own, which takes a third of a second. A command that
nixdock's agent runs in an idle container takes a hundredth. The two differ in the files that earlier
commands left: so after each command the engine is asked what changed, and a container that a command
wrote in is not used again. What cannot be seen so is never shared: volumes, mounts, terminals, setup.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self

from nixdock.checks.agent import FOLDER, MACHINES
from nixdock.checks.model import Command, ContainerSettings
from nixdock.checks.running.idle import idle_container
from nixdock.checks.structure_test.rig import CommandAnswer
from nixdock.errors import CheckError, CommandNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixdock.checks.running.bench import Bench
    from nixdock.checks.running.idle import Idle
    from nixdock.checks.structure_test.container_files import Files
    from nixdock.checks.structure_test.engine_runner import EngineRunner
    from nixdock.checks.structure_test.rig import CommandRequest, ContainerNeeds

_WRITTEN_IN: Final = 3
"""Containers that commands wrote in, after which each command gets one of its own."""

_LONG: Final = 86400.0
"""Seconds after which a command is given up, come what may."""


class SharedRunner:
    """Runs commands in an idle container where that makes no difference, and otherwise apart.

    Args:
        bench: The image in its engine.
        apart: Runs each command in a container of its own.
        seconds_left: Says how many seconds a command may take.
    """

    def __init__(
        self, bench: Bench, apart: EngineRunner, *, seconds_left: Callable[[], float] = lambda: _LONG
    ) -> None:
        self._bench = bench
        self._apart = apart
        self._seconds_left = seconds_left
        self._stack = ExitStack()
        self._idle: tuple[ContainerNeeds, Idle] | None = None
        self._written_in = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the idle container."""
        self._idle = None
        self._stack.close()

    def files(self, needs: ContainerNeeds) -> Files:
        """Return the files of a container that is not started."""
        return self._apart.files(needs)

    def run(self, request: CommandRequest) -> CommandAnswer:
        """Run a command to its end.

        Raises:
            NotReachedError: A command before it could not be run, or a mount cannot be had.
            EngineError: It could not be run.
        """
        if not self._may_share(request):
            return self._apart.run(request)
        if not request.argv[0]:
            raise CommandNotFoundError(f"the first word of the command is empty in {self._bench.name}")
        idle = self._idle_for(request.needs)
        command = Command(
            request.argv, env=dict(word.partition("=")[::2] for word in request.needs.environment)
        )
        try:
            outcome = idle.run(command, min(_LONG, self._seconds_left()))
        except CheckError:
            # The container ended with it, or the request is too long: it may fare better alone.
            self.close()
            return self._apart.run(request)
        if outcome.timed_out or not idle.sweep() or self._was_written_in(idle):
            self._written_in += 1
            self.close()
        return CommandAnswer(outcome)

    def _may_share(self, request: CommandRequest) -> bool:
        needs = request.needs
        return not (
            request.setup
            or needs.tty
            or needs.privileged
            or needs.bind_mounts
            or self._bench.details.config.get("Volumes")
            or self._bench.engine.version.architecture not in MACHINES
            or self._written_in >= _WRITTEN_IN
        )

    def _idle_for(self, needs: ContainerNeeds) -> Idle:
        """Return the idle container, a new one where there is none with these rights."""
        wanted = replace(needs, environment=())
        if self._idle is not None and self._idle[0] != wanted:
            self.close()
        if self._idle is None:
            options = [("cap-add", name) for name in needs.capabilities]
            options += [("user", needs.user)] if needs.user else []
            idle = self._stack.enter_context(idle_container(self._bench, ContainerSettings(tuple(options))))
            self._idle = (wanted, idle)
        return self._idle[1]

    def _was_written_in(self, idle: Idle) -> bool:
        """Whether anything is there, not there or different that was otherwise in the image."""
        changes = self._bench.engine.changes(idle.container.id)
        return any(path != FOLDER and not path.startswith(f"{FOLDER}/") for _, path in changes)
