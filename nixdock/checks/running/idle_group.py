"""The command checks that ask no service: run by the agent in idle containers, one for each user."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any

from nixdock.checks.agent import MACHINES
from nixdock.checks.model import ContainerSettings, ExecCheck, WritesCheck
from nixdock.checks.running.asking import ask_writes
from nixdock.checks.running.commands import perform_exec
from nixdock.checks.running.idle import Idle, idle_container
from nixdock.checks.running.job import perform_fresh
from nixdock.checks.running.performed import Performed
from nixdock.checks.running.reproduce import docker_run
from nixdock.errors import CheckError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nixdock.checks.model import Check, Command
    from nixdock.checks.outcome import RunOutcome
    from nixdock.checks.running.bench import Bench


class IdleGroup:
    """Runs commands in idle containers, which are made when they are first needed.

    Args:
        bench: The image.
        own: Further members of the containers' requests: mounts of tools.
    """

    def __init__(self, bench: Bench, own: Mapping[str, Any]) -> None:
        self._bench = bench
        self._own = own
        self._stack = ExitStack()
        self._lock = Lock()
        self._idle: dict[str | None, Idle] = {}

    def close(self) -> None:
        """Remove the containers."""
        self._stack.close()

    def attempt(self, check: Check) -> Performed:
        """Do once what a check asks.

        Raises:
            NixdockError: It could not be done.
        """
        if isinstance(check.what, WritesCheck):
            return self._ask_writes(check.what)
        if not isinstance(check.what, ExecCheck):
            raise CheckError(f"a check of the kind {check.kind} runs no command")
        return self._execute(check.what, check.timeout)

    def _execute(self, check: ExecCheck, timeout: float) -> Performed:
        command = check.command
        reproduce = docker_run(self._bench.name, self._bench.settings, command, replace=True)
        if self._bench.engine.version.architecture not in MACHINES:
            return self._without_agent(check, timeout, reproduce)
        settings = _settings_of(command)
        if check.fresh or check.setup or check.teardown:
            # What it sets up must not be there for other checks.
            with idle_container(self._bench, settings, self._own) as idle:
                return _noted(perform_exec(check, idle.run, timeout, reproduce=reproduce), idle)
        idle = self._shared(command.user, settings)
        return _noted(perform_exec(check, idle.run, timeout, reproduce=reproduce), idle)

    def _shared(self, user: str | None, settings: ContainerSettings) -> Idle:
        with self._lock:
            idle = self._idle.get(user)
            if idle is None or not idle.is_usable:
                idle = self._stack.enter_context(idle_container(self._bench, settings, self._own))
                self._idle[user] = idle
            return idle

    def _without_agent(self, check: ExecCheck, timeout: float, reproduce: str) -> Performed:
        if check.setup or check.teardown:
            machine = self._bench.engine.version.architecture
            raise CheckError(f"setup and teardown need nixdock's agent, and there is none for {machine}")

        def run(command: Command, seconds: float) -> RunOutcome:
            return perform_fresh(self._bench, command, ContainerSettings(), seconds)

        return perform_exec(check, run, timeout, reproduce=reproduce)

    def _ask_writes(self, check: WritesCheck) -> Performed:
        with self._lock:
            idle = self._idle.get(None)
        if idle is None:
            return Performed(notes=("no command was run in a container that could have written anything",))
        engine = self._bench.engine
        details = engine.find_container(idle.container.id)
        if details is None:
            raise CheckError("the idle container is gone")
        return ask_writes(check, details, engine.changes(idle.container.id))


def _settings_of(command: Command) -> ContainerSettings:
    return ContainerSettings(() if command.user is None else (("user", command.user),))


def _noted(performed: Performed, idle: Idle) -> Performed:
    return replace(performed, notes=(*performed.notes, *idle.notes)) if idle.notes else performed
