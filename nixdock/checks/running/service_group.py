"""The checks that ask a service: those that may at a time, then its writes and cost, at last its end."""

from __future__ import annotations

from concurrent.futures import wait
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nixdock.checks.running.hardening import name_refusals, with_refusals
from nixdock.checks.running.live import ServiceKind
from nixdock.checks.running.memory import MemoryWatch
from nixdock.checks.running.service import measure_starts, plan_service, started_service
from nixdock.checks.verdict import CheckResult, Finding
from nixdock.errors import CheckError, NixdockError
from nixdock.events import Notice
from nixdock.services.readiness import NotReadyError
from nixdock.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Executor

    from nixdock.checks.model import Check, Suite
    from nixdock.checks.running.bench import Bench
    from nixdock.checks.running.live import LiveService
    from nixdock.checks.running.service import ServicePlan
    from nixdock.checks.running.trials import Trials

READY: str = "the service is ready"
"""The name of the check that every service has without being asked."""


@dataclass(frozen=True, slots=True)
class ServiceGroup:
    """Starts the service of a suite and asks it.

    Args:
        bench: The image.
        suite: Its service.
        checks: Those that ask it, in their order.
        trials: Takes the verdicts.
        own: Further members of the container's request: mounts of tools.
        live: The service, where somebody has it running already: it is asked, and left running.
    """

    bench: Bench
    suite: Suite
    checks: Sequence[Check]
    trials: Trials
    own: Mapping[str, Any]
    live: LiveService | None = None

    def run(self, pool: Executor) -> None:
        """Have all checks judged; those that may go on at a time do so in the pool."""
        plan = None
        try:
            plan = plan_service(self.bench, self.suite, self.own)
            if self.live is not None:
                self._ask_running(self.live, plan, pool)
                return
            with ExitStack() as stack:
                live = stack.enter_context(started_service(self.bench, plan))
                self._note_ready(plan, live)
                self.ask(live, plan, pool)
                if self.bench.keep and self.trials.ledger.failed(check.key for check in self.checks):
                    self._tell_kept(live.keep())
        except NotReadyError as error:
            self._give_up(error, plan, failed=True)
        except NixdockError as error:
            self._give_up(error, plan, failed=False)

    def _ask_running(self, live: LiveService, plan: ServicePlan, pool: Executor) -> None:
        """Judge by a service that is not ours to stop."""
        self._note_ready(plan, live)
        ends = [check for check in self.checks if check.what.ends_service]
        for check in ends:
            self.trials.note(check, CheckResult(skipped="it would stop the service; nixdock check runs it"))
        group = replace(self, checks=[check for check in self.checks if check not in ends])
        with ExitStack() as stack:
            if plan.watches_memory:
                watch = MemoryWatch(self.bench.engine, live.container)
                stack.callback(watch.stop)
                live = replace(live, peak_memory=watch.peak)
            group.ask(live, plan, pool)

    def ask(self, live: LiveService, plan: ServicePlan, pool: Executor) -> None:
        """Judge the checks by a service that is ready."""
        measured = replace(live, measure_starts=lambda runs: measure_starts(self.bench, plan, live, runs))

        def attempt(check: Check) -> CheckResult:
            if not isinstance(check.what, ServiceKind):
                raise CheckError(f"a check of the kind {check.kind} asks no service")
            return with_refusals(check.what.ask(measured, check.timeout), plan.request.body)

        ends = [check for check in self.checks if check.what.ends_service]
        late = [check for check in self.checks if check.what.is_late]
        early = [check for check in self.checks if check not in ends and check not in late]
        judging = [pool.submit(self.trials.judge, check, attempt, live) for check in early]
        wait(judging)
        for one in judging:
            one.result()  # a fault of ours is no verdict
        for check in late:
            self.trials.judge(check, attempt, live)
        for check in ends:
            self.trials.judge(check, attempt)

    def _tell_kept(self, note: str | None) -> None:
        if note is not None:
            self.bench.listener(Notice(note))

    def _note_ready(self, plan: ServicePlan, live: LiveService) -> None:
        seconds = live.ready_seconds or 0.0
        notes = [*plan.notes, f"ready after {format_duration(seconds)}"]
        self._note(CheckResult(notes=notes, reproduce=plan.reproduce, seconds=seconds))

    def _note(self, result: CheckResult) -> None:
        """Note whether the service is ready."""
        self.trials.ledger.note(result.verdict(READY, "service", suite=self.trials.suite))

    def _give_up(self, error: NixdockError, plan: ServicePlan | None, *, failed: bool) -> None:
        """Note that the service is not ready, and that its checks are not run."""
        result = CheckResult([Finding("", error.message, error.details)], is_error=not failed)
        if error.hint:
            result.notes.append(error.hint)
        if plan is not None:
            refused = name_refusals(plan.request.body, (error.message, error.details))
            result.notes = [*plan.notes, *result.notes, *refused]
            result.reproduce = plan.reproduce
        self._note(result)
        for check in self.checks:
            if failed:
                self.trials.note(check, CheckResult(skipped="the service is not ready"))
            else:
                self.trials.note(check, CheckResult.error("the service could not be started"))
