"""`lint`: from a target to what is wrong with its images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixdock.checks.lint.linting import lint_image
from nixdock.checks.lint.rules import RULES
from nixdock.errors import UsageError
from nixdock.usecases.check import candidates

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixdock.checks.lint.rules import Remark
    from nixdock.checks.model import LintCheck
    from nixdock.engine.connection.api import Engine
    from nixdock.events import Listener
    from nixdock.nix.options import NixOptions
    from nixdock.nix.target import Target


def lint(
    target: Target,
    nix: NixOptions,
    connect: Callable[[], Engine],
    check: LintCheck,
    listener: Listener,
) -> tuple[tuple[str, tuple[Remark, ...]], ...]:
    """Apply the lint's rules to every image that a target names.

    Args:
        target: What the user named.
        nix: What the user said about the build.
        connect: Connects to the engine; called only for an image that nobody but an engine has.
        check: The rules.
        listener: Whom to tell what happens.

    Returns:
        For each image its name, and what was found.

    Raises:
        UsageError: There is no such rule.
        BuildError: The target cannot be built.
        LoadError: An image cannot be read.
    """
    for rule in (*check.only, *check.skip):
        if rule not in RULES:
            raise UsageError(f"there is no rule {rule!r}", hint=f"there are {', '.join(RULES)}")
    with candidates(target, nix, connect, listener) as images:
        return tuple((image.name, lint_image(check, image.subject())) for image in images)
