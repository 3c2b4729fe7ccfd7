"""What a round of `watch` leaves standing until the next one takes its place."""

from __future__ import annotations

import signal
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from queue import Empty
from typing import TYPE_CHECKING

from nixdock.engine.connection.stream import STDERR, STDOUT
from nixdock.engine.containers.attendance import Attendance
from nixdock.engine.containers.container import Exited, Happening
from nixdock.engine.containers.stopping import stop
from nixdock.errors import EngineError
from nixdock.outcome import RunOutcome
from nixdock.services.identity import read_logs
from nixdock.usecases.output import DescriptorSink, tell_verdict

if TYPE_CHECKING:
    from nixdock.checks.expectations import RunExpectation
    from nixdock.checks.model import Suite
    from nixdock.engine.containers.attendance import ContainerEnd
    from nixdock.engine.containers.container import Container
    from nixdock.events import Listener
    from nixdock.usecases.prepare import TargetImage
    from nixdock.usecases.run import RunOptions
    from nixdock.usecases.wishes import Desk


@dataclass(slots=True, eq=False)
class Standing:
    """What a round made, and whoever keeps that: an image, and what runs of it.

    Args:
        desk: Where a wish may call the round off.
        life: Ends all of it when it is closed: the container first, at last what keeps its store paths.
        image: The image.
        suite: What the target says must hold.
        listener: Told of a container that does not end.
        container: The container; None until it is there.
        attendance: At the container, where it is a service.
        name: What the service is called.
    """

    desk: Desk
    life: ExitStack
    image: TargetImage
    suite: Suite | None
    listener: Listener
    container: Container | None = None
    attendance: Attendance | None = None
    name: str = ""

    def take(self, container: Container, life: ExitStack) -> None:
        """Have a container from now on."""
        self.container = container
        self.life.push(life)
        self.life.callback(self._end)

    def attend(self, container: Container) -> None:
        """Note which container is attended to by now."""
        self.desk.attended = container

    def calls_off(self) -> bool:
        """Whether nobody wants the round to go on."""
        return self.desk.calls_off()

    def stay(self) -> ContainerEnd | None:
        """Attend to the service until there is a wish: None then, and how it ended if that came first."""
        if self.attendance is None:
            return None
        self.desk.attended = self.container
        try:
            return self.attendance.until(self.desk.is_waited_for)
        finally:
            self.desk.attended = None

    def resume(self, options: RunOptions, listener: Listener) -> bool:
        """Attend to the service anew after another one failed to take its place; whether it runs.

        Raises:
            EngineError: The engine does not answer.
        """
        container = self.container
        if container is None:
            return False
        details = container.engine.find_container(container.id)
        if details is None or not details.is_running:
            return False
        if _was_stopped(container):
            # It was started again already: this connects to it.
            container.start(options.streams())
            self.attendance = Attendance(container, listener=listener)
        return True

    def judge(self, expectation: RunExpectation | None, listener: Listener) -> bool:
        """Ask of the service what is expected of it; whether that is anything.

        Args:
            expectation: What must hold of its output so far.
            listener: Told the verdicts.

        Raises:
            KeyboardInterrupt: Ctrl-C came meanwhile.
            NixdockError: It cannot be asked.
        """
        container = self.container
        if container is None or (expectation is None and self.suite is None):
            return False
        details = container.engine.find_container(container.id)
        if expectation is not None and details is not None:
            from nixdock.checks.expectations import judge_outcome  # noqa: PLC0415  # as in up: most expect nothing

            outcome = RunOutcome(0, *read_logs(container.engine, details))
            tell_verdict(judge_outcome(expectation, outcome).verdict(self.name, "run"), listener)
        if self.suite is not None:
            from nixdock.usecases.expected import Expected  # noqa: PLC0415  # as above

            expected = Expected(self.suite, self.image, listener)
            ended = expected.judge(expected.live(container.id, self.name))
            if ended.stopped_by is not None:
                signal.raise_signal(ended.stopped_by)
        return True

    def show_logs(self) -> None:
        """Write to our output all that the container has written so far.

        Raises:
            EngineError: The engine does not answer.
            OSError: It cannot be written.
        """
        container = self.container
        if container is None:
            return
        sinks = {STDOUT: DescriptorSink(1), STDERR: DescriptorSink(2)}
        with closing(container.engine.logs(container.id, tty=container.request.tty)) as logs:
            for number, piece in logs.read():
                sinks[number](piece)

    def _end(self) -> None:
        """Have the container end by itself, before it is removed."""
        container = self.container
        with suppress(EngineError):
            details = None if container is None else container.engine.find_container(container.id)
            if container is not None and details is not None:
                stop(container.engine, details, self.listener, name=self.name or None)


def _was_stopped(container: Container) -> bool:
    """Whether a container has ended since it was last attended to; what else happened is left to be told."""
    seen: list[Happening] = []
    with suppress(Empty):
        while True:
            happening = container.happenings.get_nowait()
            if happening is not None:
                seen.append(happening)
    stopped = any(isinstance(happening, Exited) for happening in seen)
    for happening in () if stopped else seen:
        container.happenings.put(happening)
    return stopped
