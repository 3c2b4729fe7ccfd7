"""Applying the rules to an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixdock.checks.lint.programs import (
    Programs,
    find_architecture,
    find_interpreters,
    find_libraries,
    find_shebangs,
)
from nixdock.checks.lint.rules import RULES, Gravity, Remark
from nixdock.checks.lint.starting import find_command
from nixdock.checks.lint.surroundings import (
    find_certificates,
    find_references,
    find_shell,
    find_temporary,
    find_timezones,
    find_users,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from nixdock.checks.subject import Subject

_FINDERS: dict[str, Callable[[Programs], Iterator[Remark]]] = {
    "command": find_command,
    "interpreter": find_interpreters,
    "libraries": find_libraries,
    "shebang": find_shebangs,
    "architecture": find_architecture,
    "references": find_references,
    "shell": find_shell,
    "certificates": find_certificates,
    "tmp": find_temporary,
    "users": find_users,
    "timezones": find_timezones,
}


def lint_image(
    subject: Subject, only: Collection[str] = (), skip: Collection[str] = ()
) -> tuple[Remark, ...]:
    """Return what the chosen rules find, the faults first.

    Args:
        subject: The image.
        only: The rules to apply; all when empty.
        skip: Rules to leave out.

    Raises:
        LoadError: A layer cannot be read.
    """
    programs = Programs(subject)
    chosen = [rule for rule in RULES if (not only or rule in only) and rule not in skip]
    remarks = [remark for rule in chosen for remark in _FINDERS[rule](programs)]
    return tuple(sorted(remarks, key=lambda remark: remark.gravity is not Gravity.FAULT))
