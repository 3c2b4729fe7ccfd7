"""Help texts of commands with many options: in sections, the command's own first."""

from __future__ import annotations

from functools import cache
from typing import Final

import click

from nixdock.cli.options import HelpfulCommand

_SHARED: Final = {"context", "host", "progress", "verbose", "debug", "log_json", "quiet"}
_SECTIONS: Final = ("Options", "Nix's options", "Docker's options", "Engine and narration")


class SectionedCommand(HelpfulCommand):
    """A command whose help groups its options by whose they are."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections."""
        sections: dict[str, list[tuple[str, str]]] = {title: [] for title in _SECTIONS}
        for parameter in self.get_params(ctx):
            # An argument is told of in the text above; newer clicks have a record of it as well.
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                sections[section_of(parameter.name or "")].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def section_of(name: str) -> str:
    """Return the section that a parameter's help stands in."""
    if name in _docker_names():
        return "Docker's options"
    if name in _nix_names():
        return "Nix's options"
    return "Engine and narration" if name in _SHARED else "Options"


# Only a help text needs the tables: a command that runs does not wait for their import.


@cache
def _docker_names() -> frozenset[str]:
    from nixdock.engine.containers.options.table import OPTIONS  # noqa: PLC0415

    return frozenset(option.key for option in OPTIONS)


@cache
def _nix_names() -> frozenset[str]:
    from dataclasses import fields  # noqa: PLC0415

    from nixdock.nix.options import NixOptions  # noqa: PLC0415

    return frozenset(field.name for field in fields(NixOptions))
