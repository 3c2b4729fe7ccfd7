"""The options of commands that take a target: nix-build's, docker's, those of a run, and what is expected."""

from __future__ import annotations

import functools
import os
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from nixdock.cli.options import Function, HelpfulCommand, complete_files, together
from nixdock.errors import UsageError
from nixdock.nix.command import NixOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nixdock.checks.expectations import RunExpectation
    from nixdock.cli.options import Session
    from nixdock.engine.containers.options.request import GivenOptions
    from nixdock.engine.containers.options.table import DockerOption
    from nixdock.usecases.run import RunOptions

WORDS: Final = "nixdock.words"
"""Where a context keeps the words after `--`."""

FILE: Final = click.Path(path_type=Path)
_PAIR: Final = (str, str)
_SHARED: Final = {"context", "host", "progress", "verbose", "debug", "log_json", "quiet"}
_SECTIONS: Final = ("Options", "Nix's options", "Docker's options", "Engine and narration")
_OF_RUN: Final = ("detach", "interactive", "tty", "remove", "keep", "timeout")
_EXPECTED: Final = ("texts", "regexes", "stdout_files", "stderr_files", "exit_codes")


class SectionedCommand(HelpfulCommand):
    """A command whose help groups its options by whose they are."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections, the command's own first."""
        sections: dict[str, list[tuple[str, str]]] = {title: [] for title in _SECTIONS}
        for parameter in self.get_params(ctx):
            # An argument is told of in the text above; newer clicks have a record of it as well.
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                sections[_section_of(parameter.name or "")].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def _section_of(name: str) -> str:
    if name in _docker_names():
        return "Docker's options"
    if name in _nix_names():
        return "Nix's options"
    return "Engine and narration" if name in _SHARED else "Options"


@cache
def _docker_names() -> frozenset[str]:
    return frozenset(option.parameter for option in _table())


@cache
def _nix_names() -> frozenset[str]:
    return frozenset(field.name for field in fields(NixOptions))


class CommandAfterDashes(SectionedCommand):
    """Keeps the words after `--` for the container, so that the target may be left out."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse what stands before the dashes."""
        words: list[str] = []
        if "--" in args:
            position = args.index("--")
            args, words = args[:position], args[position + 1 :]
        ctx.meta[WORDS] = tuple(words)
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return the pieces of the usage line."""
        return [*super().collect_usage_pieces(ctx), "[-- CMD ARG...]"]


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


target_argument = click.argument("target", required=False, shell_complete=complete_files)


def _check_jobs(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value not in {None, "auto"} and not (value or "").isdecimal():
        raise UsageError(
            f"-j {value}: this is neither a number nor auto", hint="-j auto is one for each processor"
        )
    return value


def _check_search_path(
    _context: click.Context, _parameter: click.Parameter, value: tuple[str, ...]
) -> tuple[str, ...]:
    """Refuse a directory that is not there: Nix leaves it out, and says later that a name means nothing."""
    for entry in value:
        from nixdock.nix.package_set import is_remote  # noqa: PLC0415  # for those who give one

        name, equals, path = entry.partition("=")
        path = path if equals else name
        if not is_remote(path) and not Path(path).exists():
            raise UsageError(
                f"-I {entry}: there is no '{path}'", hint="write it as -I NAME=FOLDER or -I FOLDER"
            )
    return value


def _check_inputs(
    _context: click.Context, _parameter: click.Parameter, value: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Refuse a directory that is not there, and name those of this machine from its root."""
    inputs: list[tuple[str, str]] = []
    for name, target in value:
        path = Path(target).absolute()
        if target.startswith(("/", ".")) or path.is_dir():
            if not path.is_dir():
                raise UsageError(f"--override-input {name} {target}: there is no directory '{target}'")
            inputs.append((name, os.path.normpath(path)))
        else:
            inputs.append((name, target))
    return tuple(inputs)


_naming = together(
    click.option(
        "-A",
        "--attr",
        "attributes",
        multiple=True,
        metavar="PATH",
        help="Attribute to build of what the file describes; repeatable, but up and run take one image.",
    ),
    click.option("-E", "--expr", "expression", metavar="NIX", help="A Nix expression in the target's place."),
)
_building = together(
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
        "--override-input",
        "override_inputs",
        type=_PAIR,
        multiple=True,
        callback=_check_inputs,
        metavar="NAME PATH",
        help="What an input of a flake is: a directory, or another flake.",
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
    click.option("-K", "--keep-failed", is_flag=True, help="Keep the directory of a failed build."),
    click.option("--show-trace", is_flag=True, help="Show where an evaluation error came from."),
    click.option("--builders", metavar="MACHINES", help="Machines to build on, as for Nix."),
    click.option("--store", metavar="URL", help="Nix store to build in."),
    click.option("--substituters", metavar="URLS", help="Binary caches to ask."),
    click.option("-o", "--out-link", type=FILE, metavar="NAME", help="Name of the link to the result."),
    click.option("--no-out-link", is_flag=True, help="Make no link to the result."),
    click.option(
        "--eval-cache/--no-eval-cache",
        default=None,
        help="Evaluate again only where something has changed that the last evaluation read; "
        "NIXDOCK_EVAL_CACHE=yes does so always.",
    ),
    click.option(
        "--explain",
        is_flag=True,
        help="Say what has changed since the last evaluation, and what keeps one from being remembered.",
    ),
)


def naming_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add those of nix-build's options alone that say which target is meant, as `nix_options` does."""
    names = {field.name for field in fields(NixOptions)}

    @functools.wraps(function)
    def gather(*args: object, **given: Any) -> Any:  # noqa: ANN401  # whatever the command takes and returns
        nix = NixOptions(**{name: given.pop(name) for name in names if name in given})
        return function(*args, nix=nix, **given)

    return _naming(gather)


def nix_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add nix-build's options; the command gets them as the parameter `nix`, a `NixOptions`."""
    return naming_options(_building(function))


scripts_option = click.option(
    "--no-scripts",
    is_flag=True,
    help="Run no script for the image that it writes: refuse it, even one that Nix has made.",
)
"""Adds a part of its `NixOptions` to a command with `nix_options` that reads images."""

host_store_option = click.option(
    "--host-store/--no-host-store",
    default=None,
    help="Mount the image's store paths from this machine, read-only, rather than load them; "
    "NIXDOCK_HOST_STORE=yes does so always.",
)
"""Adds whether store paths are mounted; None is as the user's setting says."""

run_options = together(
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
"""Adds the options that say how a container is run; the command hands them to `make_options`."""


def _table() -> tuple[DockerOption, ...]:
    # Only a command that starts containers, or shows its help, waits for this import.
    from nixdock.engine.containers.options.table import OPTIONS  # noqa: PLC0415

    return OPTIONS


def container_options(function: Function) -> Function:
    """Add docker's options; the command gets each as a parameter and hands them to `take_options`."""
    return together(*map(_to_click, _table()))(function)


def _to_click(option: DockerOption) -> Callable[[Function], Function]:
    words = (*option.flags, *option.aliases, option.parameter)
    if option.metavar is None:
        return click.option(*words, is_flag=True, help=option.help)
    # Of an option that counts once the last value is found by the table: all are kept here.
    return click.option(*words, metavar=option.metavar, multiple=True, help=option.help)


def take_options(parameters: dict[str, Any]) -> GivenOptions:
    """Take what was given of docker's options out of a command's parameters."""
    given: list[tuple[str, str]] = []
    for option in _table():
        value = parameters.pop(option.parameter)
        if option.metavar is None:
            value = ("true",) if value else ()
        given += [(option.name, text) for text in value]
    return tuple(given)


def make_options(
    session: Session,
    words: tuple[str, ...],
    options: GivenOptions,
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
    from nixdock.engine.connection.proxies import proxy_variables  # noqa: PLC0415  # not for --help
    from nixdock.usecases.run import RunOptions  # noqa: PLC0415

    config = session.docker_config()
    made = RunOptions(
        command=words,
        options=options,
        **{name: given[name] for name in _OF_RUN},
        detach_keys=given["detach_keys"] or (config.detach_keys or None),
        variables=proxy_variables(config, session.address().url),
    )
    # Whatever is wrong with the words is said before anything is built.
    made.request("")
    return made


expect_options = together(
    click.option("--expect", "texts", multiple=True, metavar="TEXT", help="Its output must contain this."),
    click.option(
        "--expect-regex",
        "regexes",
        multiple=True,
        metavar="RE2",
        help="Its output must match this somewhere.",
    ),
    click.option(
        "--expect-stdout",
        "stdout_files",
        multiple=True,
        type=FILE,
        metavar="FILE",
        help="Its whole output must be this file's.",
    ),
    click.option(
        "--expect-stderr",
        "stderr_files",
        multiple=True,
        type=FILE,
        metavar="FILE",
        help="The same of its standard error.",
    ),
    click.option(
        "--expect-exit",
        "exit_codes",
        multiple=True,
        type=int,
        metavar="N",
        help="It must end with this status; 0 where anything else is expected.",
    ),
)
"""Adds the options that say what must hold; the command hands them to `take_expectation`."""

up_options = together(
    *(expect_options, run_options, container_options, host_store_option),
    *(scripts_option, nix_options, target_argument),
)
"""Adds all that `up` takes, and `watch` as well."""


def take_expectation(given: Mapping[str, Any]) -> RunExpectation | None:
    """Return what a command's parameters expect; None where nothing is expected."""
    expected = {name: given[name] for name in _EXPECTED}
    if not any(expected.values()):
        return None
    from nixdock.checks.expectations import expectations_from_options  # noqa: PLC0415  # for those who expect

    return expectations_from_options(**expected)
