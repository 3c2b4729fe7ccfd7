"""nix-build's own options, for every command that builds: they arrive as one value."""

from __future__ import annotations

import functools
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from nixdock.nix.options import NixOptions

if TYPE_CHECKING:
    from collections.abc import Callable

_PAIR: Final = (str, str)

_BUILD: Final = (
    click.option(
        "-A",
        "--attr",
        "attributes",
        multiple=True,
        metavar="PATH",
        help="Attribute to build of what the file describes; repeatable.",
    ),
    click.option("-E", "--expr", "expression", metavar="NIX", help="A Nix expression in the target's place."),
    click.option(
        "-I",
        "search_path",
        multiple=True,
        metavar="[NAME=]PATH",
        help="Add to Nix's search path, as for nix-build.",
    ),
    click.option("--nixpkgs", metavar="PATH", help="What <nixpkgs> means, before NIX_PATH and channels."),
    click.option(
        "--arg",
        "arguments",
        type=_PAIR,
        multiple=True,
        metavar="NAME NIX",
        help="Pass a Nix value to the expression's function.",
    ),
    click.option(
        "--argstr",
        "string_arguments",
        type=_PAIR,
        multiple=True,
        metavar="NAME TEXT",
        help="Pass a string to the expression's function.",
    ),
    click.option(
        "--option",
        "settings",
        type=_PAIR,
        multiple=True,
        metavar="NAME VALUE",
        help="Override a setting of nix.conf.",
    ),
    click.option("-j", "--max-jobs", metavar="N", help="Builds at a time; a number, or auto."),
    click.option("-k", "--keep-going", is_flag=True, help="Go on with other builds when one fails."),
    click.option("-K", "--keep-failed", is_flag=True, help="Keep the folder of a failed build."),
    click.option("--show-trace", is_flag=True, help="Show where an evaluation error came from."),
    click.option("--builders", metavar="MACHINES", help="Machines to build on, as for Nix."),
    click.option("--store", metavar="URL", help="Nix store to build in."),
    click.option("--substituters", metavar="URLS", help="Binary caches to ask."),
)
_LINK: Final = (
    click.option(
        "-o",
        "--out-link",
        type=click.Path(path_type=Path),
        metavar="NAME",
        help="Name of the link to the result.",
    ),
    click.option("--no-out-link", is_flag=True, help="Make no link to the result."),
)


def nix_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add nix-build's options; the command gets them as the parameter `nix`, a `NixOptions`."""
    names = {field.name for field in fields(NixOptions)}

    @functools.wraps(function)
    def gather(*args: object, **given: Any) -> Any:  # noqa: ANN401  # whatever the command takes and returns
        nix = NixOptions(**{name: given.pop(name) for name in names if name in given})
        return function(*args, nix=nix, **given)

    for add in reversed([*_BUILD, *_LINK]):
        gather = add(gather)
    return gather


def scripts_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--no-scripts` to a command with `nix_options` that reads images: a part of its `NixOptions`."""
    return click.option(
        "--no-scripts",
        is_flag=True,
        help="Run no script for the image that it writes: refuse it, even one that Nix has made.",
    )(function)
