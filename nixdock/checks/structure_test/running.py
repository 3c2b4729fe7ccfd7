"""Running container-structure-test files over one image: choice, time limit, signals, clean-up."""

from __future__ import annotations

import os
import time
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from threading import Event
from typing import TYPE_CHECKING

from nixdock.checks.running.runner import Choice, SuiteResult
from nixdock.checks.running.supervision import supervise
from nixdock.checks.structure_test.engine_runner import EngineRunner
from nixdock.checks.structure_test.rig import Rig
from nixdock.checks.structure_test.shared_runner import SharedRunner
from nixdock.checks.structure_test.suite import judge
from nixdock.checks.verdict import CheckResult, Report, Status, Verdict
from nixdock.events import Warned, ignore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from nixdock.checks.running.bench import Bench
    from nixdock.checks.structure_test.judgement import StructureCheck
    from nixdock.checks.structure_test.rig import CommandRunner
    from nixdock.checks.structure_test.suite import Collection
    from nixdock.checks.subject import Subject
    from nixdock.events import Listener


def needs_engine(collections: Sequence[Collection], choice: Choice) -> bool:
    """Whether any chosen check of these files needs a container."""
    chosen = (item for item in _in_order(collections, choice) if not isinstance(item, Verdict))
    return any(check.needs_engine and not check.faults for check in chosen)


@dataclass(slots=True)
class StructureRun:
    """One run of files over one image.

    Args:
        collections: The files, read.
        subject: Opens the image's own bytes.
        bench: The image in an engine; None where no check needs one, or there is none.
        choice: Which checks are run; they have no tags, and are run one after the other.
        seconds: How long all of it may take; None is without limit.
        tell: Told each verdict as it is known.
        listener: Told what a file says to no effect.
        environ: The caller's environment.
        folder: What `envFile` is relative to; the working directory when None.
    """

    collections: Sequence[Collection]
    subject: Callable[[], Subject]
    bench: Bench | None
    choice: Choice = field(default_factory=Choice)
    seconds: float | None = None
    tell: Callable[[Verdict], None] = lambda _verdict: None
    listener: Listener = ignore
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    folder: Path | None = None

    def run(self) -> SuiteResult:
        """Judge all that is chosen; call it from the main thread to have signals stop it."""
        began = time.monotonic()
        cancelled = Event()
        if self.bench is not None:
            self.bench = replace(self.bench, cancelled=cancelled)
        verdicts: list[Verdict] = []
        for collection in self.collections:
            for warning in collection.warnings:
                self.listener(Warned(warning))

        def seconds_left() -> float:
            spent = time.monotonic() - began
            return float("inf") if self.seconds is None else max(0.0, self.seconds - spent)

        def work() -> None:
            for verdict in self._judge(cancelled, seconds_left):
                verdicts.append(verdict)
                self.tell(verdict)

        stopped_by = supervise(
            work, self.bench, cancelled=cancelled, is_late=lambda: seconds_left() <= 0, look=lambda: None
        )
        late = stopped_by is None and cancelled.is_set()
        return SuiteResult(Report(tuple(verdicts), time.monotonic() - began), stopped_by, timed_out=late)

    def _judge(self, cancelled: Event, seconds_left: Callable[[], float]) -> Iterator[Verdict]:
        failed = False
        with self._runner(seconds_left) as runner:
            rig = Rig(self.subject(), runner, environ=self.environ, folder=self.folder)
            for item in _in_order(self.collections, self.choice):
                if failed and self.choice.fail_fast:
                    not_begun = CheckResult(skipped="not begun: a check before it failed (--fail-fast)")
                    yield item if isinstance(item, Verdict) else _not_judged(item, not_begun)
                    continue
                verdict = self._judge_one(item, rig, cancelled, seconds_left)
                failed = failed or verdict.status in {Status.FAIL, Status.ERROR}
                yield verdict

    @staticmethod
    def _judge_one(
        item: StructureCheck | Verdict, rig: Rig, cancelled: Event, seconds_left: Callable[[], float]
    ) -> Verdict:
        if isinstance(item, Verdict):
            return item
        if not cancelled.is_set() and seconds_left() > 0:
            verdict = judge(item, rig)
            if not cancelled.is_set() and seconds_left() > 0:
                return verdict
        # Whatever it says was said of a container that had been taken away.
        cancelled.set()
        return _not_judged(item, CheckResult.error("the run was stopped, or its time was up (--timeout)"))

    def _runner(self, seconds_left: Callable[[], float]) -> AbstractContextManager[CommandRunner | None]:
        if self.bench is None:
            return nullcontext()
        apart = EngineRunner(self.bench, seconds_left=seconds_left)
        return SharedRunner(self.bench, apart, seconds_left=seconds_left)


def _in_order(collections: Sequence[Collection], choice: Choice) -> Iterator[StructureCheck | Verdict]:
    """Yield the chosen checks file by file, and the verdict on each file that cannot be read."""
    for collection in collections:
        if collection.unreadable is not None:
            yield collection.unreadable
        yield from (check for check in collection.checks if choice.includes_name(check.full_name))


def _not_judged(check: StructureCheck, result: CheckResult) -> Verdict:
    return result.verdict(check.full_name, check.kind, suite=check.suite, place=check.place)
