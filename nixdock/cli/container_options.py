"""docker's options for a container on the command line, made from the table that gives them meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from nixdock.engine.containers.options.table import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nixdock.cli.options import Session
    from nixdock.engine.containers.options.table import DockerOption
    from nixdock.usecases.run import RunOptions

Function = TypeVar("Function", bound="Callable[..., Any]")


class Duration(click.ParamType[float]):
    """Seconds, or a time with units such as `500ms` or `1m30s`."""

    name = "TIME"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        """Read it."""
        from nixdock.units import parse_duration  # noqa: PLC0415  # for those who give one

        if isinstance(value, float):
            return value
        try:
            seconds = parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if not seconds:
            self.fail(f"'{value}' is no time at all: leave it out for no limit of yours", param, ctx)
        return seconds


_RUN: tuple[Callable[[Any], Any], ...] = (
    click.option("-d", "--detach", is_flag=True, help="Leave it running, and print what names it."),
    click.option("-i", "--interactive", is_flag=True, help="Connect its standard input to ours."),
    click.option("-t", "--tty", is_flag=True, help="Give it a terminal."),
    click.option("--rm", "remove", is_flag=True, help="With -d: remove it when it has ended."),
    click.option("--keep", is_flag=True, help="Do not remove it at the end."),
    click.option(
        "--timeout",
        type=Duration(),
        help="Kill it after so long, and wait no longer for the engine: exit status 124.",
    ),
    click.option("--detach-keys", metavar="KEYS", help="Keys that leave a terminal; ctrl-p,ctrl-q."),
)


def run_options(function: Function) -> Function:
    """Add the options that say how a container is run; the command hands them to `make_options`."""
    for add in reversed(_RUN):
        function = add(function)
    return function


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


def make_options(
    session: Session,
    words: tuple[str, ...],
    options: Mapping[str, tuple[str, ...]],
    given: Mapping[str, Any],
) -> RunOptions:
    """Make the value of how a container is run.

    Args:
        session: For the engine's address.
        words: The words of the command.
        options: docker's options, from `take_options`.
        given: The command's parameters, those of `run_options` among them.

    Raises:
        UsageError: A value that docker refuses too, or options that exclude each other.
    """
    from nixdock.engine.containers.options.proxies import proxy_variables  # noqa: PLC0415  # not for --help
    from nixdock.usecases.run import RunOptions  # noqa: PLC0415

    config = session.docker_config()
    made = RunOptions(
        command=words,
        options=options,
        detach=given["detach"],
        interactive=given["interactive"],
        tty=given["tty"],
        remove=given["remove"],
        keep=given["keep"],
        timeout=given["timeout"],
        detach_keys=given["detach_keys"] or (config.detach_keys or None),
        variables=proxy_variables(config, session.address().url),
    )
    # Whatever is wrong with the words is said before anything is built.
    made.request("")
    return made


def _to_click(option: DockerOption) -> Callable[[Function], Function]:
    words = (*option.flags, *option.aliases, option.key)
    if option.metavar is None:
        return click.option(*words, is_flag=True, help=option.help)
    # Of an option that counts once the last value is found by the table: all are kept here.
    return click.option(*words, metavar=option.metavar, multiple=True, help=option.help)
