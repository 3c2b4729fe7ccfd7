"""The command checks that ask no service: run by the agent in idle containers, which they share.

They run one after the other in a container for each user, and what one leaves running is killed before
the next. A further container is made when all are busy for long, and in the place of one that is
not as it was, or whose commands may have more rights than docker gives by itself.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Condition
from typing import TYPE_CHECKING, Any, ClassVar, Final

from nixdock.checks.agent import FOLDER, MACHINES
from nixdock.checks.running.bench import ContainerKind
from nixdock.checks.running.idle import Idle, idle_container
from nixdock.checks.running.live import ServiceKind
from nixdock.errors import CheckError, NixdockError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nixdock.checks.model import Check, ContainerSettings
    from nixdock.checks.running.bench import Bench
    from nixdock.checks.verdict import CheckResult
    from nixdock.engine.connection.responses import ContainerDetails


_BUSY_SECONDS: Final = 0.3
"""Seconds in which no container gets free, after which another is made: about what that takes."""

_WRITTEN_IN: Final = 3
"""Containers that commands wrote in, after which each command gets one of its own."""


class IdleKind(ServiceKind, ABC):
    """A kind that asks the service where there is one, and idle containers where there is none."""

    __slots__ = ()

    needs_service = False

    asks_writes: ClassVar[bool] = False
    """Whether it asks what commands wrote in them."""

    @property
    def prefers_service(self) -> bool:
        """It does."""
        return True

    @abstractmethod
    def ask_idle(self, group: IdleGroup, timeout: float) -> CheckResult:
        """Do once what it asks, without a service.

        Args:
            group: The idle containers.
            timeout: Seconds that it may take.

        Raises:
            NixdockError: It could not be done, which says nothing about the image.
        """


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
        keeps_files: Whether each command finds the image's files as they are: a container that one wrote in
            is not used again, and after a few of those each gets a container of its own.
    """

    def __init__(
        self, bench: Bench, own: Mapping[str, Any], *, notes_writes: bool = False, keeps_files: bool = False
    ) -> None:
        self.bench = bench
        self.keeps_files = keeps_files
        self._own = own
        self._notes_writes = notes_writes
        self._written_in = 0
        self._changed = Condition()
        self._ended: list[ExitStack] = []
        self._pools: dict[tuple[tuple[str, str], ...], _Pool] = {}
        self._lost: list[Idle] = []
        """Those that ended between two commands, and are still to be asked what was written in them."""
        self._written: set[tuple[int, str]] = set()
        self._writer: ContainerDetails | None = None
        self._unseen: NixdockError | None = None
        self._confirm: Callable[[], bool] | None = None
        self.was_shared = False
        """Whether a command ran in a shared container since it was said who asks what was written."""
        self._doubted: list[Idle] = []
        """Those in which commands ran since it was asked what is written there."""
        self._spoilt: list[Idle] = []
        self._is_one_lost = False
        """Whether one was written in that is gone since."""

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
        """Do once what a check asks that asks no service: in a container of its own, or in these.

        Raises:
            NixdockError: It could not be done.
        """
        if isinstance(check.what, ContainerKind):
            return check.what.run(self.bench, check.timeout)
        if isinstance(check.what, IdleKind):
            return check.what.ask_idle(self, check.timeout)
        raise CheckError(f"a check of the kind {check.kind} starts no container")

    @property
    def has_agent(self) -> bool:
        """Whether nixdock's agent runs on the engine's machine."""
        return self.bench.engine.version.architecture in MACHINES

    @property
    def serves_apart(self) -> bool:
        """Whether each command must have a container of its own from now on."""
        return not self.has_agent or self._written_in >= _WRITTEN_IN

    def own(self, settings: ContainerSettings) -> AbstractContextManager[Idle]:
        """Have an idle container that is removed afterwards."""
        return idle_container(self.bench, settings, self._own)

    @contextmanager
    def shared(self, settings: ContainerSettings) -> Iterator[Idle]:
        """Have a container to oneself, and then leave it to others if it is fit for them."""
        pool, (idle, opened) = self._take(settings)
        self.was_shared = True
        idle.confirm = self._confirm if idle in self._doubted else None
        try:
            yield idle
        finally:
            is_fit = False
            try:
                is_fit = self._is_fit(idle)
            finally:
                self._give_back(pool, idle, opened, is_fit=is_fit)

    def defer(self, confirm: Callable[[], bool] | None) -> None:
        """Leave it to somebody to ask what commands wrote, by `ask_writes`; None has it asked after each.

        Args:
            confirm: Asks at once, and says whether nothing was written.
        """
        self._confirm = confirm
        self.was_shared = self.was_shared and confirm is None

    def ask_writes(self, *, alone: bool) -> bool:
        """Whether commands wrote anything since this was asked; where they did is not used again.

        Args:
            alone: Whether it was one command, which is then known as one that writes.

        Raises:
            EngineError: It cannot be asked.
        """
        doubted, self._doubted = self._doubted, []
        # Not to be used again where it cannot be asked either.
        self._spoilt += doubted
        clean = [idle for idle in doubted if not self._was_written_in(idle)]
        self._spoilt = [idle for idle in self._spoilt if idle not in clean]
        is_written = len(clean) < len(doubted) or self._is_one_lost
        self._is_one_lost = False
        self._written_in += is_written and alone
        return is_written

    def _is_fit(self, idle: Idle) -> bool:
        """Whether a container is fit for the next command."""
        is_fit = idle.sweep()
        if not self.keeps_files:
            return is_fit
        if self._confirm is None:
            return is_fit and not self._was_written_in(idle)
        if idle in self._spoilt:
            return False
        if is_fit and idle not in self._doubted:
            self._doubted.append(idle)
        elif not is_fit and idle in self._doubted:
            # It is removed before others are asked.
            self._doubted.remove(idle)
            self._is_one_lost = True
            self._is_one_lost = self._was_written_in(idle)
        return is_fit

    def _was_written_in(self, idle: Idle) -> bool:
        """Whether anything is there, not there or different that was otherwise in the image."""
        changes = self.bench.engine.changes(idle.container.id)
        return any(path != FOLDER and not path.startswith(f"{FOLDER}/") for _, path in changes)

    def _give_back(self, pool: _Pool, idle: Idle, opened: ExitStack, *, is_fit: bool) -> None:
        with self._changed:
            pool.moved_at = time.monotonic()
            if is_fit:
                pool.free.append((idle, opened))
            else:
                pool.count -= 1
                # Of several commands none is known as the one that wrote.
                self._written_in += self.keeps_files and idle not in self._spoilt
            self._changed.notify_all()
        if is_fit:
            return
        with opened:
            try:
                if self._notes_writes:
                    self._note_writes(idle)
            except NixdockError as error:
                self._unseen = error

    def _take(self, settings: ContainerSettings) -> tuple[_Pool, tuple[Idle, ExitStack]]:
        with self._changed:
            pool = self._pools.setdefault(settings.options, _Pool())
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
                idle = stack.enter_context(self.own(settings))
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
            if idle.is_usable and idle not in self._spoilt:
                return idle, opened
            pool.count -= 1
            self._ended.append(opened)
            if self._notes_writes:
                self._lost.append(idle)
        return None

    def _note_writes(self, idle: Idle) -> None:
        engine, ident = self.bench.engine, idle.container.id
        details = engine.find_container(ident)
        if details is None:
            raise CheckError("the idle container is gone")
        self._writer = details
        self._written.update(engine.changes(ident))

    def written(self) -> tuple[ContainerDetails, set[tuple[int, str]]] | None:
        """Return what was written in all idle containers, and one of them; None where there was none.

        Raises:
            NixdockError: It cannot be asked any more.
        """
        if self._unseen is not None:
            raise CheckError(f"what was written cannot be asked any more: {self._unseen.message}")
        for idle in (*self._lost, *(idle for pool in self._pools.values() for idle, _ in pool.free)):
            self._note_writes(idle)
        return None if self._writer is None else (self._writer, self._written)
