"""`run`: a container of its own, with arguments as after the image in `docker run`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nixdock.checks.format.records import Field
from nixdock.checks.format.settings_shapes import SettingsShape
from nixdock.checks.format.shapes import Nullable
from nixdock.checks.model import WORDS, CheckKind, Command, ContainerSettings


@dataclass(frozen=True, slots=True)
class RunCheck(CheckKind):
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
