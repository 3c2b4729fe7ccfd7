"""`run`: a container of its own, from its start to its end."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from nixdock.checks.expectations import judge_outcome
from nixdock.checks.running.bench import command_settings, keep
from nixdock.checks.running.commands import COMMAND_FAILURES, failed_command
from nixdock.checks.running.hardening import with_refusals
from nixdock.checks.running.reproduce import docker_run
from nixdock.checks.verdict import CheckResult, Finding
from nixdock.engine.containers.attendance import Attendance
from nixdock.engine.containers.container import Streams
from nixdock.outcome import Capture, RunOutcome

if TYPE_CHECKING:
    from nixdock.checks.kinds.run import RunCheck
    from nixdock.checks.model import Command, ContainerSettings
    from nixdock.checks.running.bench import Bench
    from nixdock.engine.containers.container import Container


def perform_run(bench: Bench, check: RunCheck, timeout: float) -> CheckResult:
    """Run a container of the image and judge how it ended and what it wrote.

    Args:
        bench: The image.
        check: What to run, and what is expected.
        timeout: Seconds after which it is killed.

    Raises:
        EngineError: The engine refused, or is gone.
    """
    settings = command_settings(check.command).over(check.settings)
    request, given_up = bench.request(settings, stdin=check.command.stdin is not None)
    notes = list(given_up)
    reproduce = docker_run(bench.name, check.settings.over(bench.settings), check.command)
    with bench.opened(request) as container:
        try:
            outcome = run_to_end(container, check.command, timeout)
        except COMMAND_FAILURES as error:
            meant = failed_command(error, check.command)
            if isinstance(meant, Finding):
                return with_refusals(CheckResult([meant], notes, reproduce), request.body)
            outcome = meant
        result = judge_outcome(check.command.expected, outcome)
        result.notes, result.reproduce = notes, reproduce
        if result.findings and bench.keep and (note := keep(container)):
            notes.append(note)
        return with_refusals(result, request.body)


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
