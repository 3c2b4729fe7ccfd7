"""docker's options for a container on the command line, made from the table that gives them meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from nixdock.engine.run_options.table import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nixdock.engine.run_options.table import Option

Function = TypeVar("Function", bound="Callable[..., Any]")


def container_options(function: Function) -> Function:
    """Add docker's options; the command gets each by its key and hands them to `take_options`."""
    for option in reversed(OPTIONS):
        function = _to_click(option)(function)
    return function


def take_options(parameters: dict[str, Any]) -> Mapping[str, tuple[str, ...]]:
    """Take what was given of docker's options out of a command's parameters."""
    given: dict[str, tuple[str, ...]] = {}
    for option in OPTIONS:
        value = parameters.pop(option.key)
        if option.metavar is None:
            value = ("true",) if value else ()
        if value:
            given[option.key] = tuple(value)
    return given


def _to_click(option: Option) -> Callable[[Function], Function]:
    words = (*option.flags, *option.aliases, option.key)
    if option.metavar is None:
        return click.option(*words, is_flag=True, help=option.help)
    # The last one of an option that counts once is found by the table: all are kept here.
    return click.option(*words, metavar=option.metavar, multiple=True, help=option.help)
