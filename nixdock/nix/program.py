"""Running Nix for one target: with what the user said, what the machine lacks, and errors explained."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nixdock.nix.follower import Follower
from nixdock.nix.invocation import NixOutcome, follow
from nixdock.settings import here

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nixdock.events import Listener
    from nixdock.nix.options import NixOptions
    from nixdock.nix.settings import Settings

_FETCHER: Final = b'"builtin","builtin:fetchurl"'
_URI: Final = re.compile(rb'\("url","([^"\\]+)"\)')
_ENOUGH: Final = 1 << 16
"""Bytes of a derivation that are read to see its builder; one that fetches a file is far smaller."""


@dataclass(frozen=True, slots=True)
class Nix:
    """The Nix programs, as one command line of nixdock uses them.

    Args:
        options: The user's own.
        settings: What the machine's configuration lacks.
        listener: Whom to tell what happens.
        expression: The text of `-E`, for excerpts in errors.
        package_sets: Folders whose faults are told where the user's own file led to them.
        package_names: Asks the offline package set for the names in it; None where it is another set.
        is_flake: Whether the target is a flake.
        flake: The flake's folder, where it is one of this machine.
    """

    options: NixOptions
    settings: Settings
    listener: Listener
    expression: str | None = None
    package_sets: tuple[Path, ...] = ()
    package_names: Callable[[], Sequence[str]] | None = None
    is_flake: bool = False
    flake: Path | None = None
    _warned: set[str] = field(default_factory=set)

    def run(self, argv: Sequence[str], *, cwd: Path | None = None) -> NixOutcome:
        """Run a command of `nixdock.nix.command` to its good end.

        Args:
            argv: The program and its arguments.
            cwd: Its working folder; ours when None.

        Raises:
            BuildError: It failed, for the reason that this says.
        """
        follower = Follower(self.listener, fetched_uri, warned=self._warned)
        ended = follow(argv, follower, cwd=cwd)
        if ended.status == 0:
            return ended
        # Mostly Nix does not fail.
        from nixdock.nix.failure import Circumstances, explain  # noqa: PLC0415
        from nixdock.nix.sources import Sources  # noqa: PLC0415

        circumstances = Circumstances(
            program=ended.program,
            status=ended.status,
            sources=Sources(here(), self.expression, self.package_sets, self.flake),
            package_names=self.package_names,
            is_flake=self.is_flake,
            show_trace=self.options.show_trace,
        )
        raise explain(follower, circumstances)


def fetched_uri(derivation: str) -> str | None:
    """Return what a derivation fetches that does nothing else; None of others."""
    try:
        with Path(derivation).open("rb") as file:
            text = file.read(_ENOUGH)
    except OSError:
        return None
    found = _URI.search(text) if _FETCHER in text else None
    return found[1].decode(errors="replace") if found else None
