"""The `nixdock` program: the commands by name, and how each command line ends.

Nothing is imported before it is needed: `nixdock --help` shows a table that stands here and imports
no command. Whatever goes wrong ends in `run`, as one sentence on stderr, the next thing to do and
an exit status.
"""

from __future__ import annotations

import atexit
import errno
import gc
import os
import signal
import sys
from typing import TYPE_CHECKING, Final, NoReturn

import click

from nixdock.cli.options import (
    COMPLETION_VARIABLE,
    CommandGroup,
    Session,
    complete_for_shell,
    printing_option,
    session_options,
)
from nixdock.errors import MachineError, NixdockError, UsageError, find_exhaustion
from nixdock.out import STREAMS, say, tell_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from click.shell_completion import CompletionItem

SOFTWARE_STATUS: Final = 70
"""Exit status of a fault that nixdock did not foresee (EX_SOFTWARE of sysexits.h): never a verdict."""

_ELSEWHERE: Final = "the working directory has been removed: cd to one that exists"

_STDERR: Final = 2

_ALLOCATIONS: Final = 50_000
"""Objects made and not freed after which Python looks for cycles; more than the imports of a command make."""

_HANG: Final = "  "
"""What a line begins with that belongs to the one before."""

MODULES: Final = {"plugin": "plugin_command"}
"""Commands whose module has another name than they have."""

_OUT_OF_REACH: Final = frozenset(
    (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
)
"""What the system says of a file that this user cannot get at: no fault of ours."""

COMMANDS: Final = {
    "From a file to a checked container": {
        "up": "Build, load, run and check what a .nix file describes.",
        "watch": "The same again whenever something changes that it was made of.",
        "build": "Build images with Nix and print their store paths.",
        "load": "Load images into the engine, sending only the layers it lacks.",
        "run": "Run a command in a new container, as docker run does.",
        "check": "Check an image or a running container against expectations.",
        "lint": "Look for the usual faults of an image; needs no engine.",
        "down": "Stop and remove what up left running.",
        "device": "Give an image's store paths to any docker run as a device.",
        "prune": "Remove older builds of the images that nixdock loaded.",
    },
    "This machine": {
        "init": "Write a first hello-docker.nix.",
        "doctor": "Say what is missing here, and the command that mends it.",
        "env": "Print what nix-build and docker need in your shell.",
        "library": "Print the directory that holds nixdock for Nix expressions.",
        "engine": "Start, stop and ask about an engine of nixdock's own.",
        "plugin": "Make all this available as docker nixdock.",
    },
}

_RUNS: Final = "docker ps --all --filter label=io.nixdock.run"
OTHER_WORDS: Final = {
    **dict.fromkeys(("ps", "ls", "list", "status"), _RUNS),
    **dict.fromkeys(("stop", "kill", "rm", "remove", "delete"), "nixdock down NAME"),
    **dict.fromkeys(("start", "restart", "serve", "dev"), "nixdock up"),
    **dict.fromkeys(("rmi", "gc", "clean", "cleanup"), "nixdock prune"),
    **dict.fromkeys(("test", "verify", "validate", "assert"), "nixdock check"),
    **dict.fromkeys(("shell", "develop", "nix-shell"), "nixdock env"),
    **dict.fromkeys(("logs", "exec", "attach", "cp", "top", "stats"), "docker {} NAME"),
    **dict.fromkeys(("images", "push", "pull", "tag", "save", "compose", "login"), "docker {}"),
    **dict.fromkeys(("inspect", "history", "diff"), "docker {} NAME"),
    **dict.fromkeys(("import", "copy"), "nixdock load"),
    **dict.fromkeys(("create", "new"), "nixdock init"),
    "install": "nixdock plugin install",
    "version": "nixdock --version",
    "eval": "nixdock build",
}
"""Words of docker's and nix's commands, and of others, and what does that here."""

EXAMPLES: Final = """\
Examples:
  nixdock init                              write hello-docker.nix
  nixdock up hello-docker.nix               build it, load it, run it
  nixdock up hello-docker.nix --expect 'Hello, world!'
  docker nixdock up hello-docker.nix        the same, after: nixdock plugin install
"""


class Program(CommandGroup):
    """The group of all commands, which imports a command's module only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names, in the order of the help text."""
        del ctx
        return [name for section in COMMANDS.values() for name in section]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in self.list_commands(ctx):
            return None
        from importlib import import_module  # noqa: PLC0415

        module = import_module(f"nixdock.cli.{MODULES.get(cmd_name, cmd_name)}")
        found: click.Command = module.command
        return found

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take `help COMMAND`, which docker's users type, for `COMMAND --help`."""
        if args[:1] == ["help"]:
            args = [*args[1:], "--help"]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which ones have a name like it."""
        name = args[0]
        if name not in self.list_commands(ctx) and not name.startswith("-"):
            raise click.UsageError(_explain_unknown(name, self.list_commands(ctx)), ctx)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Propose commands from the table, and the global options."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415

        return [
            *(
                CompletionItem(name, help=text)
                for section in COMMANDS.values()
                for name, text in section.items()
                if name.startswith(incomplete)
            ),
            *click.Command.shell_complete(self, ctx, incomplete),
        ]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table above; asking each command for its text would import them all."""
        del ctx
        for title, section in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl(list(section.items()), col_max=12)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, line by line."""
        del ctx
        formatter.write("\n" + EXAMPLES)


def _explain_unknown(name: str, names: list[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415

    message = f"there is no command '{name}'"
    if name.endswith(".nix") or "/" in name or "#" in name:
        return f"{message}; to build and run it: nixdock up {name}"
    if name in OTHER_WORDS:
        return f"{message}; what you look for may be: {OTHER_WORDS[name].format(name)}"
    # Two letters that changed places are the commonest slip, and of short words no match at all.
    swapped = [one for one in names if sorted(one) == sorted(name)]
    close = swapped or get_close_matches(name, names, n=2, cutoff=0.6)
    return f"{message}; did you mean {' or '.join(close)}?" if close else message


def _print_version() -> None:
    from nixdock import __version__  # noqa: PLC0415

    say(f"nixdock {__version__}")


@click.group(
    cls=Program,
    help="From a .nix file to a checked Docker container, in one command.",
    # docker's -h is the host name where a command has docker's options; it is help everywhere else.
    context_settings={"max_content_width": 100, "help_option_names": ["-h", "--help"]},
)
@session_options
@printing_option("--version", _print_version, "Print the version.")
def program() -> None:
    """Carry the options that stand before the command's name."""


def run(arguments: Sequence[str], *, session: Session | None = None, name: str = "nixdock") -> int:
    """Run one command line to its end.

    Args:
        arguments: The words after the program's name.
        session: What is already known, by the Docker CLI for instance.
        name: What the user typed to get here, for help texts.

    Returns:
        The exit status; whatever went wrong has been told on stderr.
    """
    session = session or Session()
    if None in {sys.stdin, sys.stdout, sys.stderr}:
        fill_standard_streams()
    try:
        status = _invoke(arguments, session, name)
        sys.stdout.flush()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except BrokenPipeError:
        # As a program that SIGPIPE ended: the reader of our output has what it wanted.
        return 128 + signal.SIGPIPE
    except BaseException as error:  # noqa: BLE001  # the one place where everything ends
        session.close()
        return _explain(error, session)
    finally:
        session.close()
        _let_go_of_streams()
    return status


def _invoke(arguments: Sequence[str], session: Session, name: str) -> int:
    instruction = os.environ.get(COMPLETION_VARIABLE)
    if instruction and name == "nixdock":
        return complete_for_shell(program, session, instruction)
    try:
        with program.make_context(name, list(arguments), obj=session) as context:
            status = program.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    return status if isinstance(status, int) else 0


def _explain(error: BaseException, session: Session) -> int:
    """Tell what went wrong, and return the exit status."""
    if isinstance(error, KeyboardInterrupt | click.exceptions.Abort):
        return 128 + signal.SIGINT
    if session.debug and not isinstance(error, click.ClickException):
        import traceback  # noqa: PLC0415

        tell_text("".join(traceback.format_exception(error)))
    if isinstance(error, NixdockError):
        hint = _ELSEWHERE if _has_no_directory() else error.hint
        tell_error(error.message, details=error.details, hint=hint)
        return error.exit_code
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        tell_text(error.format_message())
        return error.exit_code
    if isinstance(error, click.ClickException):
        tell_error(_lower_first(error.format_message()).rstrip("."), hint=_help_command(error))
        return error.exit_code
    return _explain_unforeseen(error, session)


def _explain_unforeseen(error: BaseException, session: Session) -> int:
    """Tell what went wrong in our surroundings, or in ourselves."""
    if isinstance(error, FileNotFoundError) and _has_no_directory():
        tell_error("the working directory has been removed", hint="cd to one that exists")
        return UsageError.exit_code
    if isinstance(error, OSError) and error.filename in STREAMS.values():
        # A result that nobody gets.
        closed = error.errno == errno.EBADF
        tell_error(
            f"{error.filename} is closed" if closed else f"cannot write to {error.filename}: {error.strerror}"
        )
        return UsageError.exit_code
    known = _explain_machine(error)
    if known is not None:
        tell_error(known.message, hint=known.hint)
        return known.exit_code
    what = f"a fault of nixdock itself: {type(error).__name__}: {error}"
    if isinstance(error, OSError) and error.strerror:
        what = f"{error.filename or 'a file or stream'}: {error.strerror}"
    tell_error(what, hint=_debug_hint(session))
    return SOFTWARE_STATUS


def _explain_machine(error: BaseException) -> NixdockError | None:
    """Return what to say where a program is refused what it takes for granted; None where that is not it."""
    if isinstance(error, OSError) and error.filename and error.errno in _OUT_OF_REACH:
        return UsageError(f"{os.fsdecode(error.filename)}: {error.strerror}")
    if not isinstance(error, FileNotFoundError) or error.filename is not None:
        return find_exhaustion(error)
    if "temporary" in str(error.strerror):
        return MachineError(
            "there is no folder for temporary files that can be written to",
            hint="set TMPDIR to a folder of yours",
        )
    return None


def tell_error(message: str, *, details: str | None = None, hint: str | None = None) -> None:
    """Write an error to stderr as every command does: the sentence, what belongs to it, what to do next."""
    # What is more than a line came from others, as a log's tail does: it must not look like a line of ours.
    tell_text(f"nixdock: {message}", hang=_HANG)
    if details:
        tell_text(_HANG + details.rstrip("\n"), hang=_HANG)
    if hint:
        tell_text(f"hint: {hint}", hang=_HANG)


def _help_command(error: click.ClickException) -> str | None:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"{context.command_path} --help" if context else None


def _debug_hint(session: Session) -> str | None:
    return None if session.debug else "run again with --debug to see where it happened"


def _lower_first(text: str) -> str:
    """Continue `nixdock: ` in lower case, unless the word is an abbreviation."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _has_no_directory() -> bool:
    """Whether the working directory has been removed."""
    try:
        os.getcwd()  # noqa: PTH109  # pathlib is not needed here
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def _let_go_of_streams() -> None:
    """Drop what cannot be written: the interpreter would try again at exit, and fail with its own status."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def catch_signals() -> None:
    """Let SIGTERM and SIGHUP unwind the stack as Ctrl-C does, so that every clean-up runs.

    A signal that whoever started us wants ignored (nohup) stays ignored; but one that tells of a program's
    end is not for others to take away: every program would seem to have ended well.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end_on_signal)


def _end_on_signal(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


def keep_own_rights() -> None:
    """Let what we make be ours to use, whatever else the umask takes away."""
    os.umask(os.umask(0o077) & 0o077)


def fill_standard_streams() -> None:
    """Open what of the standard streams is closed, or a socket of ours would take its place.

    The narration goes nowhere then; but a result that nobody can get is an error when it is written.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest number that is free is this one.
            os.open(os.devnull, os.O_WRONLY if descriptor == _STDERR else os.O_RDONLY)
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            mode = "w" if descriptor else "r"
            opened = open(descriptor, mode, encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
            setattr(sys, name, opened)


def main() -> NoReturn:
    """Run as a program: the entry point `nixdock`."""
    fill_standard_streams()
    catch_signals()
    keep_own_rights()
    # What is imported stays: looking through it for cycles to free, meanwhile and again at the end, takes a
    # tenth of a short command.
    gc.set_threshold(_ALLOCATIONS)
    atexit.register(gc.freeze)
    sys.exit(run(sys.argv[1:]))
