"""The lint: the table of its rules, and applying them to an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nixdock.checks.lint import layers, programs, surroundings
from nixdock.checks.lint.programs import Gravity, Programs, Remark

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from nixdock.checks.subject import Subject


@dataclass(frozen=True, slots=True)
class LintRule:
    """What the lint looks for.

    Args:
        holds: What holds where it finds nothing.
        find: Finds what is not so.
    """

    holds: str
    find: Callable[[Programs], Iterator[Remark]]


RULES: Final = {
    "command": LintRule(
        "The command and the health check name programs that are in the image and can be executed.",
        surroundings.find_command,
    ),
    "interpreter": LintRule(
        "The dynamic linker that each program asks for is in the image.",
        programs.find_interpreters,
    ),
    "libraries": LintRule(
        "The shared libraries that each program asks for are found where it looks for them.",
        programs.find_libraries,
    ),
    "shebang": LintRule(
        "The interpreter in the first line of each executable script is in the image.",
        programs.find_shebangs,
    ),
    "architecture": LintRule(
        "Programs are for the architecture that the image's config states.",
        programs.find_architecture,
    ),
    "references": LintRule(
        "Store paths that files refer to are in the image.",
        surroundings.find_references,
    ),
    "shell": LintRule(
        "/bin/sh is there for health checks, docker exec and programs that start others by a shell.",
        surroundings.find_shell,
    ),
    "certificates": LintRule(
        "CA certificates are where TLS libraries look for them.",
        surroundings.find_certificates,
    ),
    "tmp": LintRule(
        "There is a folder /tmp into which everybody may write.",
        surroundings.find_temporary,
    ),
    "users": LintRule(
        "The user that the image runs as is known to /etc/passwd and /etc/group.",
        surroundings.find_users,
    ),
    "timezones": LintRule(
        "Time zone data is there where TZ asks for a zone.",
        surroundings.find_timezones,
    ),
    "order": LintRule(
        "What nothing refers to, such as a file of one's own, lies above larger layers: an edit renews few.",
        layers.find_order,
    ),
    "layers": LintRule(
        "There are no more layers than engines mount by themselves.",
        layers.find_many,
    ),
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
    seen = Programs(subject)
    chosen = [rule for name, rule in RULES.items() if (not only or name in only) and name not in skip]
    remarks = [remark for rule in chosen for remark in rule.find(seen)]
    return tuple(sorted(remarks, key=lambda remark: remark.gravity is not Gravity.FAULT))
