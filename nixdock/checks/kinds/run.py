"""`run`: a container of its own, with arguments as after the image in `docker run`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nixdock.checks.expectations import judge_outcome
from nixdock.checks.format.records import Field
from nixdock.checks.format.settings_shapes import SettingsShape
from nixdock.checks.format.shapes import Nullable
from nixdock.checks.model import COMMAND_FAILURES, WORDS, Command, ContainerSettings
from nixdock.checks.running.bench import Bench, ContainerKind, command_settings, keep, run_to_end
from nixdock.checks.running.hardening import with_refusals
from nixdock.checks.running.reproduce import docker_run
from nixdock.checks.verdict import CheckResult, Finding


@dataclass(frozen=True, slots=True)
class RunCheck(ContainerKind):
    """A container of its own."""

    command: Command
    settings: ContainerSettings = field(default_factory=ContainerSettings)

    kind = "run"
    about = "arguments as after the image in `docker run`; `[]` is its own Cmd; a container of its own"
    polls = True

    @classmethod
    def record_keys(cls) -> tuple[Field, ...]:
        """The command's, and how the container is made."""
        return (
            Field(cls.kind, Nullable(WORDS), cls.about, attribute="argv", required=True),
            *Command.keys(),
            Field("options", SettingsShape("options"), "How the container is made."),
        )

    @classmethod
    def make(
        cls,
        argv: tuple[str, ...] | None = None,
        options: ContainerSettings | None = None,
        **values: Any,  # noqa: ANN401 - of Command
    ) -> RunCheck:
        """Make one of the values of its keys."""
        return cls(Command.make(argv or (), values), options or ContainerSettings())

    def run(self, bench: Bench, timeout: float) -> CheckResult:
        """Run a container of the image and judge how it ended and what it wrote."""
        settings = command_settings(self.command).over(self.settings)
        request, given_up = bench.request(settings, stdin=self.command.stdin is not None)
        notes = list(given_up)
        by_hand = docker_run(bench.name, self.settings.over(bench.settings), self.command)
        reproduce = bench.by_hand(by_hand)
        with bench.opened(request) as container:
            try:
                outcome = run_to_end(container, self.command, timeout)
            except COMMAND_FAILURES as error:
                meant = self.command.failed(error)
                if isinstance(meant, Finding):
                    return with_refusals(CheckResult([meant], notes, reproduce), request.body)
                outcome = meant
            result = judge_outcome(self.command.expected, outcome)
            result.notes, result.reproduce = notes, reproduce
            if result.findings and bench.keep and (note := keep(container, bench.listener)):
                notes.append(note)
            return with_refusals(result, request.body)
