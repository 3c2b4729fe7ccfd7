"""Reports of checks, and the table of those that can be asked for by an option."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixdock.checks.verdict import Report


@dataclass(frozen=True, slots=True)
class ReportForm:
    """A form of report; `write` of the module that has its name makes it.

    Args:
        name: Its module in this package, and its option without the dashes.
        help: What its option says in the help.
        to_file: Whether it goes into a file that the option names, beside what is printed.
    """

    name: str
    help: str
    to_file: bool = False

    @property
    def write(self) -> Callable[[Report], str]:
        """Makes a report; its module is imported only when it is asked for."""
        write: Callable[[Report], str] = import_module(f"{__name__}.{self.name}").write
        return write


REPORTS: Final = (
    ReportForm("tap", "Print the report as TAP."),
    ReportForm("junit", "Write the report as JUnit XML, too.", to_file=True),
)
"""In the order of the help."""
