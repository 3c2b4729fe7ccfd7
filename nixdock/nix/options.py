"""What the user may say about a build: nix's own letters, `--nixpkgs` and `--no-scripts`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class NixOptions:
    """Nix's options as they were typed; each means what it means to `nix-build`.

    Args:
        attributes: `-A`, each an attribute path.
        expression: `-E`, the expression that stands in the target's place.
        search_path: `-I`, each `PATH` or `NAME=PATH`.
        nixpkgs: `--nixpkgs`: what `<nixpkgs>` means, before anything else that could say so.
        arguments: `--arg`, names and expressions.
        string_arguments: `--argstr`, names and texts.
        settings: `--option`, names and values.
        max_jobs: `-j`, a number or `auto`.
        keep_going: `-k`, go on with other builds when one fails.
        keep_failed: `-K`, keep the folder of a failed build.
        show_trace: Show where an evaluation error came from, frame by frame.
        builders: The machines to build on.
        store: The store to build in.
        substituters: The binary caches to ask.
        out_link: `-o`, the name of the link to the result; None is the command's own default.
        no_out_link: Make no link whatever the default.
        no_scripts: Run no program that was built to write an image; where one would have to be, that is an
            error.
    """

    attributes: tuple[str, ...] = ()
    expression: str | None = None
    search_path: tuple[str, ...] = ()
    nixpkgs: str | None = None
    arguments: tuple[tuple[str, str], ...] = ()
    string_arguments: tuple[tuple[str, str], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    max_jobs: str | None = None
    keep_going: bool = False
    keep_failed: bool = False
    show_trace: bool = False
    builders: str | None = None
    store: str | None = None
    substituters: str | None = None
    out_link: Path | None = None
    no_out_link: bool = False
    no_scripts: bool = False
