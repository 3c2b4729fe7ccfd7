"""Running commands in containers of an engine, each in one of its own, as the original does."""

from __future__ import annotations

import math
import signal
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from nixdock.checks.model import ContainerSettings
from nixdock.checks.structure_test.judgement import NotReachedError
from nixdock.checks.structure_test.mounted_files import MountedFiles
from nixdock.checks.structure_test.rig import CommandAnswer
from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.engine.containers.container import Exited, Lost, OutputEnded, SignalCaught, SinkFailed, Streams
from nixdock.engine.containers.owner import STEP
from nixdock.errors import CommandNotFoundError, EngineError
from nixdock.outcome import Capture, RunOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nixdock.checks.running.bench import Bench
    from nixdock.checks.structure_test.container_files import Files
    from nixdock.checks.structure_test.rig import CommandRequest, ContainerNeeds
    from nixdock.engine.containers.container import Container

_NEVER_RUN: Final = ("nixdock-looks-at-files",)
_PATIENCE: Final = 10.0
"""Seconds that the output of a container may come late, once it has ended."""


class EngineRunner:
    """Runs commands, each in a container of its own.

    Args:
        bench: The image in its engine.
        seconds_left: Says how many seconds a command may take; for ever, as with the original, unless told.
    """

    def __init__(self, bench: Bench, *, seconds_left: Callable[[], float] = lambda: math.inf) -> None:
        self._bench = bench
        self._seconds_left = seconds_left

    def run(self, request: CommandRequest) -> CommandAnswer:
        """Run a command to its end, the commands before it in containers of their own.

        Raises:
            NotReachedError: A command before it could not be run, or a mount cannot be had.
            EngineError: It could not be run.
        """
        try:
            return self._run(request)
        except _SignalCaughtError as caught:
            # Now that nothing is left of ours, it may mean what it means to the rest of the program.
            self._bench.cancelled.set()
            signal.raise_signal(caught.number)
            raise KeyboardInterrupt from caught

    def files(self, needs: ContainerNeeds) -> Files:
        """Return the files of a container that is not started."""
        return MountedFiles(lambda: _opened(self._bench, _NEVER_RUN, needs))

    def _run(self, request: CommandRequest) -> CommandAnswer:
        bench = self._bench
        codes: list[int] = []
        with ExitStack() as made:
            for argv in request.setup:
                try:
                    bench, code = self._prepare(bench, argv, request.setup_needs, made)
                except EngineError as error:
                    raise NotReachedError("setup", error.message) from error
                codes.append(code)
            with _opened(bench, request.argv, request.needs) as container:
                outcome = _follow(container, self._seconds_left())
        return CommandAnswer(outcome, tuple(codes))

    def _prepare(
        self, bench: Bench, argv: Sequence[str], needs: ContainerNeeds, made: ExitStack
    ) -> tuple[Bench, int]:
        """Run a command; return the image with what it left behind, and how it ended."""
        with _opened(bench, argv, needs) as container:
            outcome = _follow(container, self._seconds_left())
            if outcome.timed_out:
                raise NotReachedError("setup", f"{argv[0]!r} did not end in time")
            image = bench.engine.commit_container(
                container.id,
                labels=bench.owner.labels(),
                repository=STEP,
                tag=f"{bench.owner.run}-{container.id[:12]}",
            )
        made.callback(bench.engine.remove_image, image, force=True, keep_parents=True)
        return replace(bench, run_as=image), outcome.exit_code


class _SignalCaughtError(Exception):
    """A signal came while a container ran, which was killed for it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def _opened(bench: Bench, argv: Sequence[str], needs: ContainerNeeds) -> Iterator[Container]:
    """Create a container for a command, and remove it at the end."""
    if not argv[0]:
        raise CommandNotFoundError(f"the first word of the command is empty in {bench.name}")
    own: dict[str, Any] = {
        "Entrypoint": [argv[0]],
        "Cmd": list(argv[1:]),
        "Env": list(needs.environment),
        "Tty": needs.tty,
        "HostConfig": {
            "Privileged": needs.privileged,
            "CapAdd": list(needs.capabilities),
            "Binds": list(needs.bind_mounts),
        },
    }
    if needs.user:
        own["User"] = needs.user
    request, _given_up = bench.request(ContainerSettings(), own=own)
    with ExitStack() as stack:
        try:
            container = stack.enter_context(bench.opened(request))
        except EngineRefusedError as error:
            if not needs.bind_mounts:
                raise
            raise NotReachedError("containerRunOptions", error.message) from error
        yield container


def _follow(container: Container, seconds: float) -> RunOutcome:
    """Start a container and be there until it has ended."""
    caught: int | None = None
    with Capture() as stdout, Capture() as stderr:
        container.start(Streams(stdout.write, stderr.write))
        exit_code: int | None = None
        complete = timed_out = False
        ends = None if math.isinf(seconds) else time.monotonic() + seconds
        while exit_code is None or not complete:
            happening = container.next(None if ends is None else max(0.0, ends - time.monotonic()))
            match happening:
                case Exited(code):
                    exit_code, ends = code, time.monotonic() + _PATIENCE
                case OutputEnded():
                    complete = True
                case SignalCaught(number):
                    caught = number
                    container.kill()
                case SinkFailed(error) | Lost(error):
                    raise error
                case None if exit_code is None:
                    timed_out, ends = True, None
                    container.kill()
                case None:
                    complete = True
                case _:
                    pass
        outcome = RunOutcome(
            exit_code=exit_code,
            stdout=stdout.output,
            stderr=stderr.output,
            timed_out=timed_out,
            seconds=time.monotonic() - container.started_at,
        )
    if caught is not None:
        raise _SignalCaughtError(caught)
    return outcome
