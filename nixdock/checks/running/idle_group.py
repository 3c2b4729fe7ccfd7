"""The command checks that ask no service: run by the agent in idle containers, which they share.

They run one after the other in a container for each user, and what one leaves running is killed before
the next. A further container is made when all are busy for long, and in the place of one that is
not as it was, or whose commands may have more rights than docker gives by itself.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Condition
from typing import TYPE_CHECKING, Any, Final

from nixdock.checks.agent import MACHINES
from nixdock.checks.kinds.exec import ExecCheck
from nixdock.checks.kinds.writes import WritesCheck
from nixdock.checks.model import ContainerSettings
from nixdock.checks.running.bench import perform_fresh
from nixdock.checks.running.hardening import with_refusals
from nixdock.checks.running.idle import Idle, idle_container
from nixdock.checks.running.reproduce import docker_run
from nixdock.checks.verdict import CheckResult
from nixdock.errors import CheckError, NixdockError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nixdock.checks.model import Check, Command
    from nixdock.checks.running.bench import Bench
    from nixdock.engine.connection.responses import ContainerDetails
    from nixdock.outcome import RunOutcome


_BUSY_SECONDS: Final = 0.3
"""Seconds in which no container gets free, after which another is made: about what that takes."""


@dataclass(slots=True)
class _Pool:
    """The idle containers of one user."""

    free: list[tuple[Idle, ExitStack]] = field(default_factory=list)
    count: int = 0
    being_made: int = 0
    moved_at: float = 0.0


class IdleGroup:
    """Runs commands in idle containers, which are made when they are first needed.

    Args:
        bench: The image.
        own: Further members of the containers' requests: mounts of tools.
        notes_writes: Whether a check will ask what was written in them.
    """

    def __init__(self, bench: Bench, own: Mapping[str, Any], *, notes_writes: bool = False) -> None:
        self._bench = bench
        self._own = own
        self._notes_writes = notes_writes
        self._changed = Condition()
        self._ended: list[ExitStack] = []
        self._pools: dict[str | None, _Pool] = {}
        self._lost: list[Idle] = []
        """Those that ended between two commands, and are still to be asked what was written in them."""
        self._written: set[tuple[int, str]] = set()
        self._writer: ContainerDetails | None = None
        self._unseen: NixdockError | None = None

    def close(self) -> None:
        """Remove the containers, all at a time: an engine takes a third of a second for each."""
        opened = [*self._ended, *(one for pool in self._pools.values() for _, one in pool.free)]
        self._ended.clear()
        for pool in self._pools.values():
            pool.free.clear()
        if opened:
            with ThreadPoolExecutor(len(opened)) as removing:
                for removed in [removing.submit(one.close) for one in opened]:
                    removed.result()

    def attempt(self, check: Check) -> CheckResult:
        """Do once what a check asks.

        Raises:
            NixdockError: It could not be done.
        """
        if isinstance(check.what, WritesCheck):
            return self._ask_writes(check.what)
        if not isinstance(check.what, ExecCheck):
            raise CheckError(f"a check of the kind {check.kind} runs no command")
        return self._execute(check.what, check.timeout)

    def _execute(self, check: ExecCheck, timeout: float) -> CheckResult:
        command = check.command
        reproduce = docker_run(self._bench.name, self._bench.settings, command, replace=True)
        if self._bench.engine.version.architecture not in MACHINES:
            return self._without_agent(check, timeout, reproduce)
        settings = _settings_of(command)
        if check.fresh or check.setup or check.teardown:
            # What it sets up must not be there for other checks.
            with idle_container(self._bench, settings, self._own) as idle:
                return _noted(check.perform(idle.run, timeout, reproduce=reproduce), idle)
        with self._shared(command.user, settings) as idle:
            return _noted(check.perform(idle.run, timeout, reproduce=reproduce), idle)

    @contextmanager
    def _shared(self, user: str | None, settings: ContainerSettings) -> Iterator[Idle]:
        """Have a container to oneself, and then leave it to others if it is fit for them."""
        pool, (idle, opened) = self._take(user, settings)
        try:
            yield idle
        finally:
            is_fit = False
            try:
                is_fit = idle.sweep()
            finally:
                self._give_back(pool, idle, opened, is_fit=is_fit)

    def _give_back(self, pool: _Pool, idle: Idle, opened: ExitStack, *, is_fit: bool) -> None:
        with self._changed:
            pool.moved_at = time.monotonic()
            if is_fit:
                pool.free.append((idle, opened))
            else:
                pool.count -= 1
            self._changed.notify_all()
        if is_fit:
            return
        with opened:
            try:
                if self._notes_writes:
                    self._note_writes(idle)
            except NixdockError as error:
                self._unseen = error

    def _take(self, user: str | None, settings: ContainerSettings) -> tuple[_Pool, tuple[Idle, ExitStack]]:
        with self._changed:
            pool = self._pools.setdefault(user, _Pool())
            entered = time.monotonic()
            while (free := self._find_free(pool)) is None:
                busy = time.monotonic() - max(entered, pool.moved_at)
                # Nobody waits for long where there is none yet: the first is being made.
                is_ready = pool.count > pool.being_made
                if not pool.count or (is_ready and busy >= _BUSY_SECONDS):
                    pool.count += 1
                    pool.being_made += 1
                    break
                self._changed.wait(_BUSY_SECONDS - busy if is_ready else None)
            else:
                return pool, free
        made = None
        try:
            with ExitStack() as stack:
                idle = stack.enter_context(idle_container(self._bench, settings, self._own))
                made = idle, stack.pop_all()
        finally:
            with self._changed:
                pool.being_made -= 1
                pool.count -= made is None
                pool.moved_at = time.monotonic()
                self._changed.notify_all()
        return pool, made

    def _find_free(self, pool: _Pool) -> tuple[Idle, ExitStack] | None:
        while pool.free:
            idle, opened = pool.free.pop()
            if idle.is_usable:
                return idle, opened
            pool.count -= 1
            self._ended.append(opened)
            if self._notes_writes:
                self._lost.append(idle)
        return None

    def _without_agent(self, check: ExecCheck, timeout: float, reproduce: str) -> CheckResult:
        if check.setup or check.teardown:
            machine = self._bench.engine.version.architecture
            raise CheckError(f"setup and teardown need nixdock's agent, and there is none for {machine}")

        def run(command: Command, seconds: float) -> RunOutcome:
            return perform_fresh(self._bench, command, ContainerSettings(), seconds)

        return check.perform(run, timeout, reproduce=reproduce)

    def _note_writes(self, idle: Idle) -> None:
        engine, ident = self._bench.engine, idle.container.id
        details = engine.find_container(ident)
        if details is None:
            raise CheckError("the idle container is gone")
        self._writer = details
        self._written.update(engine.changes(ident))

    def _ask_writes(self, check: WritesCheck) -> CheckResult:
        if self._unseen is not None:
            raise CheckError(f"what was written cannot be asked any more: {self._unseen.message}")
        for idle in (*self._lost, *(idle for pool in self._pools.values() for idle, _ in pool.free)):
            self._note_writes(idle)
        if self._writer is None:
            return CheckResult(notes=["no command was run in a container that could have written anything"])
        return check.judge(self._writer, self._written)


def _settings_of(command: Command) -> ContainerSettings:
    return ContainerSettings(() if command.user is None else (("user", command.user),))


def _noted(result: CheckResult, idle: Idle) -> CheckResult:
    result.notes += idle.notes
    return with_refusals(result, idle.container.request.body)
