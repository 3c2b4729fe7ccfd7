"""Being there while a container runs: its end, our signals, its time limit, and a reader that goes away."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nixdock.engine.containers.container import (
    Container,
    Detached,
    Exited,
    Lost,
    OutputEnded,
    SignalCaught,
    SinkFailed,
)
from nixdock.engine.containers.failures import explain_exec
from nixdock.engine.containers.stopping import KILLED, SOON, advise
from nixdock.engine.containers.terminal import Escalation, SignalAction
from nixdock.events import Notice, ignore

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixdock.engine.containers.container import Happening
    from nixdock.events import Listener

PROBE_PAUSE: Final = 0.1
"""Seconds between two looks at whether a container has become ready."""

OUTPUT_PATIENCE: Final = 10.0
"""Seconds without any output, after the container has ended, when its end is no longer waited for."""


@dataclass(frozen=True, slots=True)
class ContainerEnd:
    """How a container ended.

    Args:
        exit_code: Its process's.
        seconds: From its start to the end of its output.
        timed_out: Whether it was killed for its time was up.
        interrupted: Whether it was sent a SIGINT for us.
        stopped_by: The signal for which we stopped it, or None where it ended by itself.
        sink_error: Why its output could not be passed on; it was killed then.
        detached: Whether the user left it running; the exit code says nothing then.
    """

    exit_code: int
    seconds: float
    timed_out: bool = False
    interrupted: bool = False
    stopped_by: int | None = None
    sink_error: OSError | None = None
    detached: bool = False


class Attendance:
    """Attends to one started container until it has ended.

    Args:
        container: Started, with its streams connected.
        deadline: By the monotonic clock, when its time is up; None is never.
        listener: Told what a signal did.
    """

    def __init__(
        self, container: Container, *, deadline: float | None = None, listener: Listener = ignore
    ) -> None:
        self._container = container
        self._deadline = deadline
        self._listener = listener
        self._escalation = Escalation()
        self._by_force_at = math.inf
        self._exit_code: int | None = None
        self._output_ended = not container.attached
        self._timed_out = False
        self._detached = False
        self._sink_error: OSError | None = None

    def until(self, ready: Callable[[], bool]) -> ContainerEnd | None:
        """Attend until a question is answered with yes.

        Args:
            ready: Asked again and again; it may raise what makes further waiting senseless.

        Returns:
            None once it is; how the container ended, if that came first.

        Raises:
            EngineError: The engine does not answer any more.
        """
        while not self._is_over:
            if not self._timed_out and self._escalation.ended_by is None and ready():
                return None
            self._take(self._container.next(PROBE_PAUSE))
        return self._end()

    def until_ended(self) -> ContainerEnd:
        """Attend until the container has ended and all its output has been passed on.

        Raises:
            EngineError: The engine does not answer any more; or the command could not be executed.
        """
        while not self._is_over:
            self._take(self._container.next(self._patience()))
        return self._end()

    @property
    def _is_over(self) -> bool:
        if self._detached:
            return True
        if self._exit_code is None:
            return False
        return self._output_ended or self._is_silent()

    def _is_silent(self) -> bool:
        return time.monotonic() - self._container.output_at > OUTPUT_PATIENCE

    def _patience(self) -> float | None:
        """Return how long nothing may happen before we look at the clock."""
        if self._exit_code is not None:
            return 1.0
        if self._deadline is None or self._timed_out:
            return None
        return max(0.0, self._deadline - time.monotonic())

    def _take(self, happening: Happening | None) -> None:
        match happening:
            case Exited(exit_code):
                self._exit_code = exit_code
                self._container.output_at = time.monotonic()
                if exit_code == KILLED and time.monotonic() + SOON >= self._by_force_at:
                    self._advise()
            case OutputEnded():
                self._output_ended = True
            case SignalCaught(number):
                self._react(number)
            case SinkFailed(error):
                self._sink_error = self._sink_error or error
                self._container.kill()
            case Detached():
                self._detached = True
            case Lost(error):
                raise error
            case None:
                pass
        if self._is_late():
            self._timed_out = True
            self._container.kill()

    def _is_late(self) -> bool:
        late = self._deadline is not None and time.monotonic() >= self._deadline
        return late and not self._timed_out and self._exit_code is None

    def _react(self, number: int) -> None:
        action = self._escalation.react(number)
        if self._exit_code is not None:
            return
        if action is SignalAction.FORWARD:
            self._container.signal(number)
            if self._escalation.step == 1:
                self._listener(
                    Notice(
                        "SIGINT sent to the container; a process with PID 1 often ignores it. "
                        "Ctrl-C again stops it"
                    )
                )
        elif action is SignalAction.STOP:
            grace = self._container.stop_timeout
            by_force = "" if grace < 0 else f", in {grace} s by force"
            self._listener(Notice(f"stopping the container{by_force}; Ctrl-C kills it now"))
            self._container.begin_stop()
            self._by_force_at = time.monotonic() + grace if grace > 0 else math.inf
        else:
            self._by_force_at = math.inf
            self._container.kill()

    def _advise(self) -> None:
        """Say what would have saved the wait for its end by force."""
        details = self._container.engine.find_container(self._container.id)
        if details is not None:
            advise(self._listener, "the container", details.raw, self._container.stop_timeout)

    def _end(self) -> ContainerEnd:
        ended = ContainerEnd(
            exit_code=self._exit_code if self._exit_code is not None else 0,
            seconds=time.monotonic() - self._container.started_at,
            timed_out=self._timed_out,
            interrupted=self._escalation.step > 0,
            stopped_by=self._escalation.ended_by,
            sink_error=self._sink_error,
            detached=self._detached,
        )
        if ended.exit_code and not (ended.timed_out or ended.stopped_by):
            failure = explain_exec(self._container.head, self._container.subject)
            if failure is not None:
                raise failure
        return ended
