"""Help texts of commands with many options: in sections, the command's own first."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

import click

from nixdock.engine.run_options.table import OPTIONS
from nixdock.nix.options import NixOptions

_DOCKER: Final = {option.key for option in OPTIONS}
_NIX: Final = {field.name for field in fields(NixOptions)}
_SHARED: Final = {"context", "host", "progress", "verbose", "debug", "log_json"}
_SECTIONS: Final = ("Options", "Nix's options", "Docker's options", "Engine and narration")


class SectionedCommand(click.Command):
    """A command whose help groups its options by whose they are."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections."""
        sections: dict[str, list[tuple[str, str]]] = {title: [] for title in _SECTIONS}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                sections[section_of(parameter.name or "")].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def section_of(name: str) -> str:
    """Return the section that a parameter's help stands in."""
    if name in _DOCKER:
        return "Docker's options"
    if name in _NIX:
        return "Nix's options"
    return "Engine and narration" if name in _SHARED else "Options"
