"""`exec`: a command in the running service, or else in an idle container."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nixdock.checks.format.records import Field, fields_of, key
from nixdock.checks.format.shapes import Flag, ListOf
from nixdock.checks.model import WORDS, CheckKind, Command

_COMMANDS = ListOf(WORDS)


@dataclass(frozen=True, slots=True)
class ExecCheck(CheckKind):
    """A command in the running container, or in an idle one."""

    command: Command
    setup: tuple[tuple[str, ...], ...] = key(_COMMANDS, "Commands before it, each of which must succeed.", ())
    teardown: tuple[tuple[str, ...], ...] = key(_COMMANDS, "Commands after it, come what may.", ())
    fresh: bool = key(Flag(), "An idle container of its own.", default=False)

    kind = "exec"
    about = "argv, in the running service, or else in an idle container"
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
