"""A command in a container of its own, from its start to its end."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from nixdock.checks.running.bench import command_settings
from nixdock.engine.containers.attendance import Attendance
from nixdock.engine.containers.container import Streams
from nixdock.outcome import Capture, RunOutcome

if TYPE_CHECKING:
    from nixdock.checks.model import Command, ContainerSettings
    from nixdock.checks.running.bench import Bench
    from nixdock.engine.containers.container import Container


def perform_fresh(bench: Bench, command: Command, settings: ContainerSettings, timeout: float) -> RunOutcome:
    """Run a command that replaces the image's Entrypoint in a container of its own.

    Raises:
        EngineError: It cannot be created, started or executed.
    """
    request, _ = bench.request(
        command_settings(command).over(settings),
        stdin=command.stdin is not None,
        own={"Entrypoint": list(command.words), "Cmd": [], "Healthcheck": {"Test": ["NONE"]}},
    )
    with bench.opened(request) as container:
        return run_to_end(container, command, timeout)


def run_to_end(container: Container, command: Command, timeout: float) -> RunOutcome:
    """Start a container and stay until it has ended and all its output is here.

    Args:
        container: Created.
        command: What it reads from its standard input.
        timeout: Seconds after which it is killed.

    Raises:
        EngineError: It cannot be started, or the engine is gone.
    """
    with ExitStack() as stack:
        stdout, stderr = stack.enter_context(Capture()), stack.enter_context(Capture())
        stdin = None
        if command.stdin is not None:
            file = stack.enter_context(tempfile.TemporaryFile())
            file.write(command.stdin)
            file.seek(0)
            stdin = file.fileno()
        container.start(Streams(stdout.write, stderr.write, stdin=stdin))
        ended = Attendance(container, deadline=time.monotonic() + timeout).until_ended()
        return RunOutcome(ended.exit_code, stdout.output, stderr.output, ended.timed_out, ended.seconds)
