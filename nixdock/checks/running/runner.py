"""Running a suite: static checks, commands in idle containers, containers of their own, the service.

All of it goes on at a time, as far as the number of jobs allows. Whatever happens, every container
is removed: at the end of its own check, and all of a run's when it is stopped or its time is up.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from nixdock.checks.running.bench import lend_tools
from nixdock.checks.running.idle_group import IdleGroup, IdleKind
from nixdock.checks.running.in_order import InOrder
from nixdock.checks.running.service_group import READY, ServiceGroup
from nixdock.checks.running.trials import Choice, Trials, VerdictLedger
from nixdock.checks.static import judge_static
from nixdock.checks.verdict import CheckResult, Report
from nixdock.engine.containers.owner import RUN, find_ours
from nixdock.engine.containers.terminal import caught
from nixdock.errors import CheckError, DeadlineError, EngineError, NixdockError
from nixdock.workers import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event, Thread

    from nixdock.checks.model import Check, Suite
    from nixdock.checks.running.bench import Bench
    from nixdock.checks.running.live import LiveService
    from nixdock.checks.running.passes import Remembered
    from nixdock.checks.subject import Subject
    from nixdock.checks.verdict import Verdict


_LOOK: Final = 0.1
_END_SECONDS: Final = 8.0
_ORDERLY_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """What a checking came to.

    Args:
        report: The verdicts.
        stopped_by: The signal that stopped it, or None.
        timed_out: Whether its time was up before all checks were judged.
    """

    report: Report
    stopped_by: int | None = None
    timed_out: bool = False

    @property
    def exit_code(self) -> int:
        """The exit status that it gives: of the verdicts, unless it was cut short."""
        if self.stopped_by is not None:
            return 128 + self.stopped_by
        return DeadlineError.exit_code if self.timed_out else self.report.exit_code


@dataclass(slots=True)
class SuiteRun:
    """One run of a suite over one image.

    Args:
        suite: What is expected.
        name: What reports call the image.
        subject: The image's own bytes, for checks that need no engine; None where they cannot be had.
        bench: The image in an engine; None where there is none.
        choice: Which checks are run.
        seconds: How long all of it may take; None is without limit.
        tell: Told each verdict, in the order of the checks.
        live: The service, where somebody has it running already; one is started when None.
        remembered: The checks that held in an earlier run, which are not run again; none when None.
        signals: Filled with the signals that are to stop it, by somebody who runs others beside it.
    """

    suite: Suite
    name: str
    subject: Callable[[], Subject] | None
    bench: Bench | None
    choice: Choice = field(default_factory=Choice)
    seconds: float | None = None
    tell: Callable[[Verdict], None] = lambda _verdict: None
    live: LiveService | None = None
    remembered: Remembered | None = None
    signals: list[int] | None = None

    @property
    def _held(self) -> frozenset[str]:
        """The keys of the checks that held in an earlier run."""
        return frozenset() if self.remembered is None else self.remembered.held

    def run(self) -> SuiteResult:
        """Run the suite; call it from the main thread to have signals stop it."""
        began = time.monotonic()
        chosen = [check for check in self.suite.checks if self.choice.includes(check)]
        serves = self._serves(chosen)
        tells_ready = serves or (READY in self._held and self._wants_service(chosen))
        names = [*((READY,) if tells_ready else ()), *(check.key for check in chosen)]
        ledger = VerdictLedger(names, fail_fast=self.choice.fail_fast)
        deadline = None if self.seconds is None else began + self.seconds
        trials = Trials(self.name, ledger, deadline)
        if tells_ready and not serves:
            ledger.note(CheckResult(is_cached=True).verdict(READY, "service", suite=self.name))
        if self.bench is not None:
            # Whoever makes containers must know when the run is stopped.
            self.bench = replace(self.bench, cancelled=trials.cancelled)
        stopped_by = supervise(
            lambda: self._work(chosen, trials, serves),
            self.bench,
            cancelled=trials.cancelled,
            is_late=lambda: trials.seconds_left <= 0,
            look=lambda: self._tell_ready(ledger),
            signals=self.signals,
        )
        self._note_missing(chosen, trials)
        self._tell_ready(ledger)
        if self.remembered is not None:
            self.remembered.keep(ledger.by_key())
        report = Report(ledger.verdicts(), time.monotonic() - began)
        late = stopped_by is None and trials.seconds_left <= 0 and trials.cancelled.is_set()
        return SuiteResult(report, stopped_by, timed_out=late)

    def _tell_ready(self, ledger: VerdictLedger) -> None:
        for verdict in ledger.take():
            self.tell(verdict)

    def _serves(self, chosen: Sequence[Check]) -> bool:
        if self.bench is None or not self._wants_service(chosen):
            return False
        pending = [check for check in chosen if check.key not in self._held]
        asked = any(self.suite.asks_service(check) and check.skip is None for check in pending)
        return asked or READY not in self._held

    def _wants_service(self, chosen: Sequence[Check]) -> bool:
        """Whether the service is to be started, unless everything about it is remembered."""
        if not self.suite.has_service:
            return False
        everything = not self.choice.patterns and not self.choice.tags
        asked = any(self.suite.asks_service(check) and check.skip is None for check in chosen)
        return asked or (everything and (self.suite.service or self.suite.ready) is not None)

    def _work(self, chosen: Sequence[Check], trials: Trials, serves: bool) -> None:
        """Have every chosen check judged."""
        pending: list[Check] = []
        for check in chosen:
            if check.skip is not None:
                trials.note(check, CheckResult(skipped=check.skip))
            elif check.key in self._held:
                trials.note(check, CheckResult(is_cached=True))
            else:
                pending.append(check)
        if self.suite.isolated:
            self._work_in_order(pending, trials)
            return
        static = [check for check in pending if check.is_static]
        others = [check for check in pending if not check.is_static]
        with ThreadPoolExecutor(max(1, self.choice.jobs)) as pool:
            looking = pool.submit(self._look, static, trials) if static else None
            if others or serves:
                self._run_containers(others, trials, pool, serves=serves)
            if looking is not None:
                looking.result()

    def _work_in_order(self, checks: Sequence[Check], trials: Trials) -> None:
        """Have checks judged one after the other."""
        with ExitStack() as stack:
            in_order = None
            if self.bench is not None:
                group = IdleGroup(self.bench, {}, keeps_files=True)
                stack.callback(group.close)
                in_order = InOrder(group, trials, fail_fast=self.choice.fail_fast)
            for check in checks:
                if not check.is_static and in_order is not None:
                    in_order.judge(check)
                elif trials.refuse(check):
                    continue
                elif check.is_static:
                    self._look([check], trials)
                else:
                    trials.note(check, _without_engine(check))
            if in_order is not None:
                in_order.settle()

    def _look(self, checks: Sequence[Check], trials: Trials) -> None:
        try:
            if self.subject is None:
                raise CheckError(f"the bytes of {self.name} cannot be read here")
            results = judge_static(checks, self.subject())
        except NixdockError as error:
            results = tuple(CheckResult.of_error(error) for _ in checks)
        for check, result in zip(checks, results, strict=True):
            trials.note(check, result)

    def _run_containers(
        self, checks: Sequence[Check], trials: Trials, pool: ThreadPoolExecutor, *, serves: bool
    ) -> None:
        bench = self.bench
        if bench is None:
            for check in checks:
                trials.note(check, _without_engine(check))
            return
        try:
            own = lend_tools(self.suite.tools, self._store_names(), bench.engine.address)
        except NixdockError as error:
            for check in checks:
                trials.note(check, CheckResult.of_error(error))
            return
        asking = [check for check in checks if self.suite.asks_service(check)]
        with ExitStack() as stack:
            if serves:
                serving = ServiceGroup(bench, self.suite, asking, trials, own, self.live)
                service = Worker(lambda: serving.run(pool))
                service.start()
                stack.callback(service.finish)
            commands = [check for check in checks if check not in asking]
            notes_writes = any(
                isinstance(check.what, IdleKind) and check.what.asks_writes for check in commands
            )
            group = IdleGroup(bench, own, notes_writes=notes_writes)
            stack.callback(group.close)
            self._run_commands(commands, group, trials, pool)

    def _run_commands(
        self, checks: Sequence[Check], group: IdleGroup, trials: Trials, pool: ThreadPoolExecutor
    ) -> None:
        late = [check for check in checks if check.what.is_late]
        early = [pool.submit(trials.judge, check, group.attempt) for check in checks if check not in late]
        for judging in early:
            judging.result()
        for check in late:
            trials.judge(check, group.attempt)

    def _store_names(self) -> frozenset[str]:
        """Return the names of the store paths that the image has itself; nothing where it cannot be read."""
        if not self.suite.tools or self.subject is None:
            return frozenset()
        from nixdock.checks.files.store import list_store_paths  # noqa: PLC0415 - only tools ask

        return frozenset(list_store_paths(self.subject().tree()))

    def _note_missing(self, chosen: Sequence[Check], trials: Trials) -> None:
        missing = set(trials.ledger.missing())
        for check in chosen:
            if check.key in missing:
                trials.note(check, CheckResult.error(trials.why_unfinished()))


def _without_engine(check: Check) -> CheckResult:
    return CheckResult.error(f"a check of the kind {check.kind} needs an engine")


def supervise(
    work: Callable[[], None],
    bench: Bench | None,
    *,
    cancelled: Event,
    is_late: Callable[[], bool],
    look: Callable[[], None],
    signals: list[int] | None = None,
) -> int | None:
    """Have work done in another thread until it is done, a signal comes or its time is up.

    Called from the main thread it has signals stop the work; whatever ends it, its containers are
    removed.

    Args:
        work: Makes containers by the bench, and ends soon once `cancelled` is set.
        bench: Whose run the containers belong to; None where there can be none.
        cancelled: Set when the work is to be stopped.
        is_late: Whether the time is up.
        look: Called now and then.
        signals: Where somebody else notes signals, and has the engine's time, for several at once.

    Returns:
        The signal that stopped it, or None.
    """
    alone = signals is None
    signals = [] if signals is None else signals
    worker = Worker(work)
    with ExitStack() as stack:
        if alone:
            stack.enter_context(caught(signals.append))
        if alone and bench is not None:
            stack.enter_context(bench.engine.patience.apart())
        worker.start()
        try:
            while worker.is_alive() and not signals and not is_late():
                worker.join(_LOOK)
                look()
        finally:
            if worker.is_alive():
                cancelled.set()
                _stop(worker, bench, hurried=alone or bool(signals))
    worker.finish(0)
    return signals[0] if signals else None


def _stop(worker: Thread, bench: Bench | None, *, hurried: bool) -> None:
    """Remove all containers of the run until nobody makes any more; hurried where no other goes on."""
    end = time.monotonic() + _END_SECONDS
    with ExitStack() as stack:
        if bench is not None:
            # What is under way comes to its end by that, and then by force.
            if hurried:
                bench.engine.patience.limit(_ORDERLY_SECONDS)
            stack.enter_context(bench.engine.patience.cleaning())
        while worker.is_alive() and time.monotonic() < end:
            _remove_containers(bench)
            worker.join(_LOOK)
        _remove_containers(bench)


def _remove_containers(bench: Bench | None) -> None:
    if bench is None:
        return
    with suppress(EngineError):
        for container in find_ours(bench.engine, labels=[f"{RUN}={bench.owner.run}"]):
            with suppress(EngineError):
                bench.engine.remove_container(container.id)
