"""`exec`: a command in the running service, or else in an idle container."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from nixdock.checks.expectations import judge_outcome
from nixdock.checks.format.records import Field, fields_of, key
from nixdock.checks.format.shapes import Flag, ListOf
from nixdock.checks.model import COMMAND_FAILURES, WORDS, Command, ContainerSettings
from nixdock.checks.running.live import LiveService, ServiceKind
from nixdock.checks.running.reproduce import docker_exec
from nixdock.checks.verdict import CheckResult, Finding
from nixdock.errors import CheckError, NixdockError
from nixdock.outcome import RunOutcome, tail_of

RunCommand = Callable[[Command, float], RunOutcome]

STEP_SECONDS: Final = 60.0
"""Seconds that a step of a setup or teardown may take."""

_COMMANDS = ListOf(WORDS)


@dataclass(frozen=True, slots=True)
class ExecCheck(ServiceKind):
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
    """

    command: Command
    setup: tuple[tuple[str, ...], ...] = key(_COMMANDS, "Commands before it, each of which must succeed.", ())
    teardown: tuple[tuple[str, ...], ...] = key(_COMMANDS, "Commands after it, come what may.", ())
    fresh: bool = key(Flag(), "An idle container of its own.", default=False)
    alone: bool = False
    settings: ContainerSettings = field(default_factory=ContainerSettings)
    steps: tuple[Command, ...] = ()

    kind = "exec"
    about = "argv, in the running service, or else in an idle container"
    needs_service = False
    polls = True

    @property
    def prefers_service(self) -> bool:
        """Unless it wants a container of its own."""
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
