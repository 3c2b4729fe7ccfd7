"""`exec`: a command in the running service, or else in an idle container."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from nixdock.checks.expectations import judge_outcome
from nixdock.checks.format.records import Field, fields_of, key
from nixdock.checks.format.shapes import Flag, ListOf
from nixdock.checks.model import COMMAND_FAILURES, WORDS, Command, ContainerSettings
from nixdock.checks.running.bench import after_steps, fresh_container, run_to_end
from nixdock.checks.running.hardening import with_refusals
from nixdock.checks.running.idle_group import IdleGroup, IdleKind
from nixdock.checks.running.reproduce import docker_exec, docker_run
from nixdock.checks.verdict import CheckResult, Finding
from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.errors import CheckError, EngineError, NixdockError
from nixdock.outcome import RunOutcome, tail_of

if TYPE_CHECKING:
    from nixdock.checks.running.live import LiveService

RunCommand = Callable[[Command, float], RunOutcome]

STEP_SECONDS: Final = 60.0
"""Seconds that a step of a setup or teardown may take."""

_COMMANDS = ListOf(WORDS)


@dataclass(frozen=True, slots=True)
class ExecCheck(IdleKind):
    """A command in the running container, or in an idle one.

    Args:
        command: What is run.
        setup: Commands before it, each of which must succeed.
        teardown: Commands after it, come what may.
        fresh: Whether it wants an idle container of its own.
        alone: Whether it is the first process of a container of its own; no key says so.
        settings: How its container is made; no key says so.
        steps: Commands that each run in a container of their own before it, on the files that the one
            before left, whatever their exit status; no key says so.
        made_by: What it is said of that the engine refuses to make its container; no key says so.
    """

    command: Command
    setup: tuple[tuple[str, ...], ...] = key(_COMMANDS, "Commands before it, each of which must succeed.", ())
    teardown: tuple[tuple[str, ...], ...] = key(_COMMANDS, "Commands after it, come what may.", ())
    fresh: bool = key(Flag(), "An idle container of its own.", default=False)
    alone: bool = False
    settings: ContainerSettings = field(default_factory=ContainerSettings)
    steps: tuple[Command, ...] = ()
    made_by: str = ""

    kind = "exec"
    about = "argv, in the running service, or else in an idle container"
    polls = True

    @property
    def prefers_service(self) -> bool:
        """It does, unless it wants a container of its own."""
        return not self.fresh

    @classmethod
    def record_keys(cls) -> tuple[Field, ...]:
        """The command's, and what goes with it."""
        own = Field(cls.kind, WORDS, cls.about, attribute="argv", required=True)
        return (own, *Command.keys(), *fields_of(cls))

    @classmethod
    def make(cls, argv: tuple[str, ...] = (), **values: Any) -> ExecCheck:  # noqa: ANN401 - of Command, and ours
        """Make one of the values of its keys.

        Raises:
            ValueError: It has no word.
        """
        if not argv:
            raise ValueError("exec needs at least one word")
        own = {one.name: values.pop(one.name) for one in fields_of(cls) if one.name in values}
        return cls(Command.make(argv, values), **own)

    def ask(self, live: LiveService, timeout: float) -> CheckResult:
        """Run it beside the service's own processes."""
        reproduce = live.by_hand(docker_exec(live.word, self.command))
        return self.perform(live.execute, timeout, reproduce=reproduce)

    def ask_idle(self, group: IdleGroup, timeout: float) -> CheckResult:
        """Run it in an idle container, or in a container of its own."""
        try:
            return self._run_idle(group, timeout)
        except EngineRefusedError as error:
            if not self.command.expected.starts:
                raise
            return CheckResult([Finding("", error.message, error.hint)])

    def _run_idle(self, group: IdleGroup, timeout: float) -> CheckResult:
        settings = self.settings.over(group.bench.settings)
        by_hand = docker_run(group.bench.name, settings, self.command, replace=True)
        reproduce = group.bench.by_hand(by_hand)
        if self.alone or group.serves_apart:
            return self._run_apart(group, timeout, reproduce)
        settings = self.settings
        if self.command.user is not None:
            settings = ContainerSettings((("user", self.command.user),)).over(settings)
        # What it sets up must not be there for other checks.
        is_own = self.fresh or self.setup or self.teardown
        try:
            with group.own(settings) if is_own else group.shared(settings) as idle:
                result = self.perform(idle.run, timeout, reproduce=reproduce)
                result.notes += idle.notes
                return with_refusals(result, idle.container.request.body)
        except CheckError:
            if is_own or not group.keeps_files:
                raise
            # The container ended with it, or the request is too long: it may fare better alone.
            return self._run_apart(group, timeout, reproduce)

    def _run_apart(self, group: IdleGroup, timeout: float, reproduce: str) -> CheckResult:
        """Run it as the first process of a container of its own, after its steps."""
        if self.setup or self.teardown:
            machine = group.bench.engine.version.architecture
            raise CheckError(f"setup and teardown need nixdock's agent, and there is none for {machine}")
        is_made = False
        with ExitStack() as stack:
            try:
                bench, notes = stack.enter_context(
                    after_steps(group.bench, self.steps, self.settings, timeout)
                )
            except EngineError as error:
                return CheckResult([Finding("setup", error.message)])

            def run(command: Command, seconds: float) -> RunOutcome:
                nonlocal is_made
                with fresh_container(bench, command, self.settings) as container:
                    is_made = True
                    return run_to_end(container, command, seconds)

            try:
                result = self.perform(run, timeout, reproduce=reproduce)
            except EngineRefusedError as error:
                if is_made or not self.made_by:
                    raise
                return CheckResult([Finding(self.made_by, error.message)])
            result.notes = notes + result.notes
            # No one command does by hand what those before it did.
            result.reproduce = None if self.steps else result.reproduce
            return result

    def perform(self, run: RunCommand, timeout: float, *, reproduce: str) -> CheckResult:
        """Run the command between its setup and its teardown, and judge it.

        Args:
            run: Runs a command in the container, for so many seconds at most.
            timeout: Of the command itself.
            reproduce: How to do the same by hand.

        Raises:
            CheckError: A step of its setup failed.
            EngineError: The engine refused.
        """
        try:
            for words in self.setup:
                _take_step("setup", words, run)
            try:
                outcome = run(self.command, timeout)
            except COMMAND_FAILURES as error:
                meant = self.command.failed(error)
                if isinstance(meant, Finding):
                    return CheckResult([meant], reproduce=reproduce)
                outcome = meant
        finally:
            notes = self._tear_down(run)
        result = judge_outcome(self.command.expected, outcome)
        result.notes, result.reproduce = notes, reproduce
        return result

    def _tear_down(self, run: RunCommand) -> list[str]:
        """Take all steps of a teardown; what fails is a remark, for the check has been judged."""
        notes: list[str] = []
        for words in self.teardown:
            try:
                _take_step("teardown", words, run)
            except NixdockError as error:
                notes.append(error.message)
        return notes


def _take_step(what: str, words: tuple[str, ...], run: RunCommand) -> None:
    line = " ".join(words)
    try:
        outcome = run(Command(words), STEP_SECONDS)
    except COMMAND_FAILURES as error:
        raise CheckError(f"{what}: {line}: {error.message}") from error
    if outcome.timed_out:
        raise CheckError(f"{what}: {line}: it ran longer than {STEP_SECONDS:.0f} s")
    if outcome.exit_code:
        raise CheckError(
            f"{what}: {line}: exit status {outcome.exit_code}",
            details=tail_of(outcome.stderr) or tail_of(outcome.stdout) or None,
        )
