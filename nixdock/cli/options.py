"""What every command shares: the session that goes with one command line, and the options that fill it.

The global options may stand before the command's name or after it (`nixdock --context ci up x.nix`,
`nixdock up --context ci x.nix`); the last one given wins. They are no parameters of the commands:
a command takes the session, `click.pass_obj`, and asks it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from click.core import ParameterSource

from nixdock import log
from nixdock.out import say_text, tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

    from nixdock.engine.connection.address import Address, Tls
    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.docker_files import DockerConfig
    from nixdock.events import Event, Listener
    from nixdock.progress import Console

COMPLETION_VARIABLE: Final = "_NIXDOCK_COMPLETE"
"""Set to `bash_source`, `zsh_source` or `fish_source` it makes nixdock print the shell's completion."""

Function = TypeVar("Function", bound="Callable[..., Any]")


class HelpfulCommand(click.Command):
    """A command whose help leaves by the one way out, as every result does."""

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return the option that shows the help."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.callback = _show_help
        return option

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words; of some errors click forgets whose they are, and with it whose help to name."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise


class CommandGroup(HelpfulCommand, click.Group):
    """A group of such commands."""

    command_class = HelpfulCommand


def _show_help(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        say_text(context.get_help())
        context.exit()


class Progress(StrEnum):
    """How the narration on stderr looks."""

    AUTO = "auto"
    """Bars where stderr is a terminal, plain lines elsewhere."""
    PLAIN = "plain"
    JSON = "json"
    QUIET = "quiet"


@dataclass(slots=True)
class Session:
    """What the user said once for a whole command line."""

    context: str | None = None
    host: str | None = None
    tls: Tls | None = None
    debug: bool = False
    verbose: bool = False
    log_json: bool = False
    progress: Progress = Progress.AUTO
    _console: Console | None = field(default=None, repr=False)
    _docker_config: DockerConfig | None = field(default=None, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    @property
    def listener(self) -> Listener:
        """Whom to tell what happens; made at the first use."""
        return self.tell

    def tell(self, event: Event) -> None:
        """Show one event to the user; any thread may call it."""
        with self._lock:
            if self._console is None:
                self._console = self._open_console()
            self._console.tell(event)

    def tell_note(self, sentence: str) -> None:
        """Tell what a command has to say beside its result, unless it shall be quiet."""
        if self.progress is not Progress.QUIET:
            tell(sentence)

    def _open_console(self) -> Console:
        from nixdock.progress import open_console  # noqa: PLC0415  # many commands narrate nothing

        # Log lines would tear the bars to pieces.
        logs = self.debug or self.verbose or self.log_json
        form = Progress.PLAIN if self.progress is Progress.AUTO and logs else self.progress
        return open_console(form.value, verbose=self.verbose or self.debug)

    def address(self) -> Address:
        """Choose the engine's address, as the options and the environment say.

        Raises:
            UsageError: `--context` and `--host` together, or a context that does not exist.
        """
        from nixdock.engine.connection.address import choose  # noqa: PLC0415  # not every command needs an engine

        self.docker_config()
        return choose(context=self.context, host=self.host, tls=self.tls)

    def docker_config(self) -> DockerConfig:
        """Read docker's config.json; what is wrong with it is told once, as docker does, and ends nothing."""
        from nixdock.engine.connection.docker_files import read_config  # noqa: PLC0415  # as in address
        from nixdock.events import Warned  # noqa: PLC0415

        if self._docker_config is None:
            self._docker_config = read_config()
            if self._docker_config.fault:
                self.tell(Warned(self._docker_config.fault))
        return self._docker_config

    def connect(self, *, seconds: float | None = None) -> Engine:
        """Connect to the engine.

        Args:
            seconds: How long it may be waited for in all (`--timeout`); None is for ever.

        Raises:
            UsageError: As for `address`.
            EngineError: No engine answers there, or it refuses.
        """
        from nixdock.engine.connection.api import connect  # noqa: PLC0415  # as in address

        return connect(self.address(), seconds=seconds)

    def start_log(self) -> None:
        """Write log lines, if the options ask for any."""
        if self.debug:
            log.configure(log.DEBUG, as_json=self.log_json)
        elif self.verbose or self.log_json:
            log.configure(log.INFO, as_json=self.log_json)

    def close(self) -> None:
        """Leave the terminal as it was; may be called again."""
        with self._lock:
            if self._console is not None:
                self._console.close()
                self._console = None


def _remember(context: click.Context, parameter: click.Parameter, value: object) -> None:
    """Keep a global option in the session, unless this is only its default."""
    if context.get_parameter_source(parameter.name) is ParameterSource.DEFAULT:
        return
    session = context.find_object(Session)
    if session is None:
        message = "a command needs a session as its context's object"
        raise TypeError(message)
    setattr(
        session,
        parameter.name,
        Progress(value) if isinstance(value, str) and parameter.name == "progress" else value,
    )
    session.start_log()


def _be_quiet(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    session = context.find_object(Session)
    if value and session is not None:
        session.progress = Progress.QUIET


def together(*options: Callable[[Any], Any]) -> Callable[[Function], Function]:
    """Return a decorator that adds options to a command, in the order in which its help shows them."""

    def add(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def printing_option(flag: str, show: Callable[[], None], about: str) -> Callable[[Function], Function]:
    """Return the option that has something else shown instead of the command run."""

    def answer(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
        if value:
            show()
            context.exit()

    return click.option(flag, is_flag=True, is_eager=True, expose_value=False, callback=answer, help=about)


_global: Final = functools.partial(click.option, expose_value=False, callback=_remember)

engine_options = together(
    _global("--context", metavar="NAME", help="Docker context that names the engine to use."),
    _global(
        "-H",
        "--host",
        metavar="URL",
        help="Engine to use, as unix:///run/docker.sock, tcp://HOST:PORT or ssh://HOST.",
    ),
)
"""Adds the options that choose the engine."""

output_options = together(
    _global(
        "--progress",
        type=click.Choice([form.value for form in Progress]),
        default=Progress.AUTO.value,
        help="How progress is shown on stderr; auto is bars on a terminal, lines elsewhere.",
    ),
    _global("--verbose", is_flag=True, help="Tell each step, and show the builders' own output."),
    _global(
        "-q", "--quiet", is_flag=True, callback=_be_quiet, help="Tell nothing but warnings: --progress quiet."
    ),
    _global(
        "-D",
        "--debug",
        is_flag=True,
        help="Log every call of a program or the engine; show tracebacks.",
    ),
    _global("--log-json", is_flag=True, help="Log to stderr as JSON, one object a line."),
)
"""Adds the options that say how much is told, and how: all of them about stderr."""

session_options = together(engine_options, output_options)
"""Adds all global options."""

show_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
"""Adds `--json`, as the parameter `as_json`: the result on stdout as one JSON document."""


def complete_files(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Propose files, as the shell does it: for what may be a file, as a target may."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415  # completion is rare

    return [CompletionItem(incomplete, type="file")]


def complete_for_shell(program: click.Command, session: Session, instruction: str) -> int:
    """Answer a shell as click does, but through our own door; return the exit status.

    The instruction is what the variable says: `bash_source`, `zsh_complete`.
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415  # completion is rare

    shell, _, wanted = instruction.partition("_")
    kind = get_completion_class(shell)
    if kind is None or wanted not in {"source", "complete"}:
        return 1
    completion = kind(program, {"obj": session}, "nixdock", COMPLETION_VARIABLE)
    say_text(completion.source() if wanted == "source" else completion.complete())
    return 0
