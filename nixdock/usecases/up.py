"""`up`: from a target to a container that did what was expected, or a service that runs."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from nixdock.checks.verdict import EXIT_FAILED, EXIT_PASSED, Status
from nixdock.engine.containers.attendance import Attendance
from nixdock.errors import DeadlineError, UsageError
from nixdock.events import Notice, Work, WorkFinished, WorkStarted
from nixdock.outcome import Recorder, RunOutcome
from nixdock.services import identity
from nixdock.services.readiness import NotReadyError, Readiness, await_ready, explain_end
from nixdock.services.replacing import Replacement
from nixdock.units import format_duration
from nixdock.usecases.output import DescriptorSink, discard, tell_verdict
from nixdock.usecases.run import created, run_to_end, status_of, tell_ports

if TYPE_CHECKING:
    from nixdock.checks.expectations import RunExpectation
    from nixdock.checks.model import Suite
    from nixdock.checks.running.runner import SuiteResult
    from nixdock.checks.verdict import Verdict
    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ContainerDetails
    from nixdock.engine.containers.attendance import ContainerEnd
    from nixdock.engine.containers.container import Container
    from nixdock.engine.containers.options.request import CreateRequest
    from nixdock.events import Listener
    from nixdock.services.identity import WantedService
    from nixdock.usecases.expected import Expected
    from nixdock.usecases.prepare import TargetImage
    from nixdock.usecases.run import RunOptions

SETTLING: Final = 10.0
"""Seconds that a service has, once it is ready, to write what is expected of its output."""

TIMEOUT_STATUS: Final = DeadlineError.exit_code

_KEEP: Final = "--keep leaves it for a look"
_MOST: Final = 3
"""How many checks are named as the reason why a service is taken away."""

_STOPPED: Final = (TIMEOUT_STATUS, 128 + signal.SIGINT, 128 + signal.SIGTERM)
"""Exit statuses after which nothing more is run."""


@dataclass(frozen=True, slots=True)
class UpResult:
    """What `up` came to.

    Args:
        status: The exit status.
        name: The name of the service that runs on, or None.
        attendance: At the service, where a keeper has it from now on.
    """

    status: int
    name: str | None = None
    attendance: Attendance | None = None


def up(
    image: TargetImage,
    options: RunOptions,
    expectation: RunExpectation | None,
    listener: Listener,
    *,
    suite: Suite | None = None,
) -> UpResult:
    """Run an image and judge it: a job to its end, a service until it is ready and then on.

    Args:
        image: What to run.
        options: How to run it.
        expectation: What must hold; None where nothing is expected, and the exit status is the container's.
        listener: Whom to tell what happens, verdicts among it.
        suite: What the target itself says must hold; None where it says nothing.

    Raises:
        EngineError: It cannot be created or started; of its command with docker's exit status.
        DeadlineError: Its time was up.
        NotReadyError: A service ended, or is unhealthy, before it was ready.
        BrokenPipeError: The reader of our output went away.
    """
    place = image.in_engine()
    expected = None if suite is None else _expected(suite, image, listener)
    if expected is not None:
        options = expected.below(options)
    request = options.request(place.run_as)
    if expected is not None:
        request = expected.complete(request)
    probed = request.is_probed(place.details.config)
    serves = suite is not None and suite.has_service
    if not probed and not serves and not options.detach:
        if expectation is None and expected is not None and not expected.runs_the_image_itself:
            expectation = _expect_success()
        status = _run_job(image, options, expectation=expectation, listener=listener, request=request)
        return UpResult(
            status
            if expected is None or status in _STOPPED
            else _judge_job(expected, status, expectation, options)
        )
    if expectation is not None and expectation.says_exit:
        why = "it has a HEALTHCHECK" if probed else "its checks ask one" if serves else "of -d"
        raise UsageError(
            f"--expect-exit asks for the end of {place.name}, which is a service: {why}",
            hint="leave it out, or add --no-healthcheck" if probed else "leave one of the two out",
        )
    artefact = None if image.artefact is None else image.artefact.store_path
    service = identity.describe_service(place, image.key, request, artefact, options.options)
    run = _ServiceRun(image, options, expectation, listener, service, probed=probed, expected=expected)
    return run.bring_up(request)


def _expected(suite: Suite, image: TargetImage, listener: Listener) -> Expected:
    # Most targets declare nothing, and need none of the checks' machinery.
    from nixdock.usecases.expected import Expected  # noqa: PLC0415

    return Expected(suite, image, listener)


def _expect_success() -> RunExpectation:
    from nixdock.checks.expectations import RunExpectation  # noqa: PLC0415  # as in _expected

    return RunExpectation()


def _judge_outcome(expectation: RunExpectation, outcome: RunOutcome, name: str) -> Verdict:
    from nixdock.checks.expectations import judge_outcome  # noqa: PLC0415  # as in _expected

    return judge_outcome(expectation, outcome).verdict(name, "run")


def _judge_job(
    expected: Expected, status: int, expectation: RunExpectation | None, options: RunOptions
) -> int:
    """Run the checks of a job that has ended, and return the exit status of both."""
    checks = expected.judge(seconds=options.timeout).exit_code
    if checks in _STOPPED:
        return checks
    # Without an expectation of its own the status was the container's, which a check has judged.
    return (status if expectation is not None else EXIT_PASSED) or checks


def _explain_checks(run: SuiteResult) -> str:
    """Say which checks do not hold, or why they were not all asked."""
    if run.stopped_by is not None:
        return "its checks were interrupted"
    if run.timed_out:
        return "its checks took too long"
    words = {Status.FAIL: "does not hold", Status.ERROR: "could not run"}
    bad = [one for one in run.report.verdicts if one.status in words]
    listed = [f"{one.name} {words[one.status]}" for one in bad[:_MOST]]
    more = [f"{len(bad) - _MOST} more"] if len(bad) > _MOST else []
    return ", ".join([*listed, *more]) or "nothing was checked"


def _run_job(
    image: TargetImage,
    options: RunOptions,
    *,
    expectation: RunExpectation | None,
    listener: Listener,
    request: CreateRequest,
) -> int:
    stdout, stderr = _sinks(expectation, shown=True)
    ended = run_to_end(image, options, listener, options.streams(stdout, stderr), request)
    was_cut = ended.sink_error is not None or ended.stopped_by is not None or ended.detached
    if expectation is None or was_cut or not isinstance(stdout, Recorder) or not isinstance(stderr, Recorder):
        return status_of(ended, options)
    outcome = RunOutcome(ended.exit_code, stdout.output, stderr.output, ended.timed_out, ended.seconds)
    verdict = _judge_outcome(expectation, outcome, image.in_engine().name)
    tell_verdict(verdict, listener)
    if ended.timed_out:
        return TIMEOUT_STATUS
    return EXIT_FAILED if verdict.status is Status.FAIL else EXIT_PASSED


@dataclass(frozen=True, slots=True)
class _ServiceRun:
    """The bringing up of one service."""

    image: TargetImage
    options: RunOptions
    expectation: RunExpectation | None
    listener: Listener
    service: WantedService
    probed: bool
    expected: Expected | None = None

    @property
    def engine(self) -> Engine:
        """Where it runs."""
        return self.image.in_engine().engine

    def bring_up(self, request: CreateRequest) -> UpResult:
        """Have it running and ready, judge it, and stay with it unless it is detached."""
        with ExitStack() as lock:
            lock.enter_context(identity.exclusively(self.engine, self.service, self.listener))
            found = identity.find_service(self.engine, self.service, self.listener)
            if (
                found is not None
                and found.difference is None
                and (self.options.detach or identity.is_attended(found.container))
            ):
                return self._leave_running(found.details)
            grace = self.options.stop_timeout
            replacement = Replacement(self.engine, self.service, found, self.listener, grace=grace)
            with (
                closing(replacement),
                created(
                    self.image,
                    self.options,
                    self.listener,
                    request=replace(request, name=replacement.name),
                    labels=replacement.labels,
                    afterwards=replacement.close,
                ) as container,
            ):
                stopped_by = replacement.take_place(container)
                if stopped_by is not None:
                    return UpResult(128 + stopped_by)
                try:
                    return self._attend(container, lock, replacement)
                finally:
                    replacement.give_up(container, kept=self.options.keep)

    def _attend(self, container: Container, lock: ExitStack, replacement: Replacement) -> UpResult:
        shown = not self.options.detach
        stdout, stderr = _sinks(self.expectation, shown=shown)
        # It is the user's only once it is ready and all that is expected holds.
        container.stays = self.options.keep
        deadline = self.options.deadline(self.engine)
        attached = shown or self.expectation is not None
        container.start(self.options.streams(stdout, stderr) if attached else None)
        attendance = Attendance(container, deadline=deadline, listener=self.listener)
        ended = self._await_readiness(attendance, container)
        if ended is not None:
            return self._end_early(ended, container, replacement)
        keeper, called_off = self.options.keeper, self.options.is_called_off()
        fault = None if called_off else self._find_fault(container, attendance, (stdout, stderr), deadline)
        if fault is not None and keeper is None:
            return self._take_away(*fault)
        replacement.finish()
        # Whoever waits for the lock finds it ready now.
        lock.close()
        if not called_off:
            self._tell_ready(container, fault)
        if keeper is not None:
            return UpResult(EXIT_PASSED if fault is None else fault[0], self.service.name, attendance)
        if self.options.detach:
            container.stays = container.was_left = True
            return UpResult(EXIT_PASSED, self.service.name)
        return UpResult(self._status(attendance.until_ended()))

    def _find_fault(
        self,
        container: Container,
        attendance: Attendance,
        sinks: tuple[Recorder | DescriptorSink, ...],
        deadline: float | None,
    ) -> tuple[int, str] | None:
        """Judge a ready service, and return the exit status and what does not hold; None where all does."""
        ready_after = time.monotonic() - container.started_at
        recorders = [sink for sink in sinks if isinstance(sink, Recorder)]
        if self.expectation is not None and recorders:
            verdict = self._judge_running(self.expectation, attendance, *recorders)
            if verdict.status is Status.FAIL:
                return EXIT_FAILED, "its output is not as expected"
        if self.expected is None:
            return None
        seconds = None if deadline is None else max(0.0, deadline - time.monotonic())
        again = None if self.options.keep else self.expected.write_start(self.options)
        live = self.expected.live(container.id, self.service.name, ready_after, again)
        run = self.expected.judge(live, seconds=seconds)
        if run.stopped_by is not None and self.options.keeper is not None:
            signal.raise_signal(run.stopped_by)
        return None if run.exit_code == EXIT_PASSED else (run.exit_code, _explain_checks(run))

    def _tell_ready(self, container: Container, fault: tuple[int, str] | None) -> None:
        """Say that it is there, and where; of one that is kept in spite of a fault, that too."""
        name = self.service.name
        known = self.probed or (self.expected is not None and self.expected.suite.ready is not None)
        state = f"{name} is ready" if known or not self.options.detach else f"{name} is running"
        if fault is not None:
            state += f", though {fault[1]}"
        stays = self.options.detach or self.options.keeper is not None
        self.listener(Notice(state if stays else f"{state}; Ctrl-C stops it"))
        tell_ports(self.engine, self.engine.find_container(container.id), self.listener, name)

    def _take_away(self, status: int, why: str) -> UpResult:
        """Say that it is not left running, and why."""
        if not self.options.keep:
            self.listener(Notice(f"{self.service.name} is stopped and removed: {why}; {_KEEP}"))
        return UpResult(status)

    def _await_readiness(self, attendance: Attendance, container: Container) -> ContainerEnd | None:
        """Attend until it is ready: None then, and how it ended if that came first."""
        name = self.service.name
        declared = None if self.expected is None else self.expected.readiness(container.id, name)
        readiness = declared or Readiness.by_own_account(self.engine, container.id, name)
        last_words, called_off = partial(self._read_last_words, container), self.options.is_called_off
        wait = partial(await_ready, attendance, readiness, last_words, called_off)
        if declared is None and not self.probed:
            return wait()
        self.listener(WorkStarted(name, Work.WAIT, f"{name} to be ready"))
        ready = False
        try:
            ended = wait()
            ready = ended is None
        except NotReadyError as error:
            error.hint = error.hint or self._how_to_look
            raise
        finally:
            self.listener(WorkFinished(name, ok=ready))
        return ended

    def _read_last_words(self, container: Container) -> str | None:
        """Return what it wrote last, where that was not shown."""
        return (identity.read_tail(self.engine, container.id) or None) if self.options.detach else None

    def _end_early(self, ended: ContainerEnd, container: Container, replacement: Replacement) -> UpResult:
        name = self.service.name
        if ended.timed_out:
            limit = format_duration(self.options.timeout or ended.seconds)
            raise DeadlineError(f"{name} was not ready within {limit}", hint="--timeout gives it more time")
        if ended.stopped_by is not None or ended.sink_error is not None or ended.interrupted:
            return UpResult(status_of(ended, self.options))
        if not self.probed and ended.exit_code == 0:
            # A job that was detached, and was quick.
            replacement.finish()
            container.stays = container.was_left = True
            where = "" if self.options.remove else f": docker logs {name}, nixdock down {name}"
            self.listener(Notice(f"{name} has ended with 0 already{where}"))
            return UpResult(EXIT_PASSED, name)
        error = explain_end(name, ended, self._read_last_words(container))
        error.hint = self._how_to_look
        raise error

    @property
    def _how_to_look(self) -> str | None:
        return None if self.options.keep or self.options.keeper else f"it is removed; {_KEEP}"

    def _judge_running(
        self, expectation: RunExpectation, attendance: Attendance, stdout: Recorder, stderr: Recorder
    ) -> Verdict:
        """Judge what a ready service has written, giving it a moment to write it."""
        started = time.monotonic()

        def judge() -> Verdict:
            outcome = RunOutcome(0, stdout.output, stderr.output, seconds=time.monotonic() - started)
            return _judge_outcome(expectation, outcome, self.service.name)

        def is_settled() -> bool:
            return judge().status is Status.PASS or time.monotonic() - started > SETTLING

        attendance.until(is_settled)
        verdict = judge()
        tell_verdict(verdict, self.listener)
        return verdict

    def _leave_running(self, details: ContainerDetails) -> UpResult:
        """Do nothing, for it runs and is ready; but judge what it has written."""
        name = self.service.name
        self.listener(Notice(f"{name} is running already, with the same image and options"))
        if self.expectation is not None:
            stdout, stderr = identity.read_logs(self.engine, details)
            verdict = _judge_outcome(self.expectation, RunOutcome(0, stdout, stderr), name)
            tell_verdict(verdict, self.listener)
            if verdict.status is Status.FAIL:
                self.listener(Notice(f"{name} is left running; nixdock down {name} stops it"))
                return UpResult(EXIT_FAILED)
        tell_ports(self.engine, details, self.listener, name)
        return UpResult(EXIT_PASSED, name if self.options.detach else None)

    def _status(self, ended: ContainerEnd) -> int:
        """Return the exit status for a service that was ready, and has ended."""
        status = status_of(ended, self.options)
        if self.expectation is None or ended.stopped_by is not None:
            return status
        if status and not ended.interrupted:
            self.listener(Notice(f"{self.service.name} ended with exit status {status} after it was ready"))
            return EXIT_FAILED
        return EXIT_PASSED


def _sinks(expectation: RunExpectation | None, *, shown: bool) -> tuple[Recorder | DescriptorSink, ...]:
    """Return what takes standard output and error: recorders where they will be judged."""
    descriptors = (DescriptorSink(1), DescriptorSink(2))
    if expectation is None:
        return descriptors
    return tuple(Recorder(descriptor if shown else discard) for descriptor in descriptors)
