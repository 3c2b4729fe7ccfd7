"""nix-build's own options, for every command that builds: they arrive as one value."""

from __future__ import annotations

import functools
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from nixdock.errors import UsageError
from nixdock.nix.options import NixOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PAIR: Final = (str, str)


def _check_jobs(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value not in {None, "auto"} and not (value or "").isdecimal():
        raise UsageError(
            f"-j {value}: this is neither a number nor auto", hint="-j auto is one for each processor"
        )
    return value


def _check_search_path(
    _context: click.Context, _parameter: click.Parameter, value: tuple[str, ...]
) -> tuple[str, ...]:
    """Refuse a folder that is not there: Nix leaves it out, and says later that a name means nothing."""
    for entry in value:
        from nixdock.nix.search_path import is_remote  # noqa: PLC0415  # for those who give one

        name, equals, path = entry.partition("=")
        path = path if equals else name
        if not is_remote(path) and not Path(path).exists():
            raise UsageError(
                f"-I {entry}: there is no '{path}'", hint="write it as -I NAME=FOLDER or -I FOLDER"
            )
    return value


_NAMING: Final = (
    click.option(
        "-A",
        "--attr",
        "attributes",
        multiple=True,
        metavar="PATH",
        help="Attribute to build of what the file describes; repeatable.",
    ),
    click.option("-E", "--expr", "expression", metavar="NIX", help="A Nix expression in the target's place."),
)
_BUILD: Final = (
    *_NAMING,
    click.option(
        "-I",
        "search_path",
        multiple=True,
        callback=_check_search_path,
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
    click.option(
        "-j", "--max-jobs", callback=_check_jobs, metavar="N", help="Builds at a time; a number, or auto."
    ),
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
    return _add((*_BUILD, *_LINK), function)


def naming_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add those options alone that say which target is meant, for a command that builds nothing."""
    return _add(_NAMING, function)


def _add(options: Sequence[Callable[..., Any]], function: Callable[..., Any]) -> Callable[..., Any]:
    names = {field.name for field in fields(NixOptions)}

    @functools.wraps(function)
    def gather(*args: object, **given: Any) -> Any:  # noqa: ANN401  # whatever the command takes and returns
        nix = NixOptions(**{name: given.pop(name) for name in names if name in given})
        return function(*args, nix=nix, **given)

    for add in reversed(options):
        gather = add(gather)
    return gather


def scripts_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--no-scripts` to a command with `nix_options` that reads images: a part of its `NixOptions`."""
    return click.option(
        "--no-scripts",
        is_flag=True,
        help="Run no script for the image that it writes: refuse it, even one that Nix has made.",
    )(function)
