"""The `docker-nixdock` program: the same commands as `docker nixdock`, a plugin of the Docker CLI.

The CLI asks every plugin for its metadata at each `docker --help`, so that answer imports neither
click nor docker nor anything else that takes time. To run a command it starts the plugin with its
own original arguments: its global flags, which are ours to read, then `nixdock`, then the rest.
(docker/cli: cli-plugins/manager, cli-plugins/socket, cli/flags/options.go; cobra: completions.go.)
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence
    from pathlib import Path

    import click

    from nixdock.cli.options import Session
    from nixdock.engine.connection.address import Tls

NAME: Final = "nixdock"
METADATA_WORD: Final = "docker-cli-plugin-metadata"
COMPLETION_WORDS: Final = ("__complete", "__completeNoDesc")
SOCKET_VARIABLE: Final = "DOCKER_CLI_PLUGIN_SOCKET"

_SHORT: Final = {"c": "context", "D": "debug", "H": "host", "l": "log-level", "v": "version", "h": "help"}
_SWITCHES: Final = ("debug", "tls", "tlsverify", "version", "help")
_VALUES: Final = ("config", "context", "host", "log-level", "tlscacert", "tlscert", "tlskey")
_TRUE: Final = ("1", "t", "T", "true", "TRUE", "True")
_FALSE: Final = ("0", "f", "F", "false", "FALSE", "False")
_FILES: Final = 0
"""The shell completes file names where there is no proposal (ShellCompDirectiveDefault)."""
_ERROR: Final = 1
_NO_FILES: Final = 4
_DIRECTORIES: Final = 16


def describe() -> str:
    """Return the metadata, as the CLI wants it: one JSON object."""
    import json  # noqa: PLC0415  # nothing that a run does not need

    from nixdock import __version__  # noqa: PLC0415

    return json.dumps(
        {
            "SchemaVersion": "0.1.0",  # CLIs before 28.4.1 accept exactly this
            "Vendor": "nixdock",
            "Version": __version__,
            "ShortDescription": "From a .nix file to a checked container",
        }
    )


def run(words: Sequence[str], environ: MutableMapping[str, str] = os.environ) -> int:
    """Answer the Docker CLI, or run a command for it.

    Args:
        words: The arguments after the plugin's own path.
        environ: The environment; `--config` goes into it as DOCKER_CONFIG, for whatever we start.

    Returns:
        The exit status.
    """
    if list(words) == [METADATA_WORD]:
        try:
            print(describe(), flush=True)  # noqa: T201  # the door is slower to import
        except OSError:
            # What is left in the buffer cannot be written at the end either.
            sys.stdout = None
            return 2
        return 0
    if words and words[0] in COMPLETION_WORDS:
        from nixdock.cli.main import program  # noqa: PLC0415

        return complete_for_docker(program, _after_name(words[1:]), described=words[0] == COMPLETION_WORDS[0])

    from nixdock.cli.main import run as run_command_line  # noqa: PLC0415
    from nixdock.cli.main import tell_error  # noqa: PLC0415
    from nixdock.errors import UsageError  # noqa: PLC0415

    try:
        flags = parse_flags(words)
        session = _open_session(flags, environ)
    except UsageError as error:
        tell_error(error.message, hint=error.hint)
        return error.exit_code
    rest = flags.rest
    arguments = ["help", *_after_name(rest[1:])] if rest[:1] == ("help",) else _after_name(rest)
    from_docker = "DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND" in environ
    name = f"docker {NAME}" if from_docker else f"docker-{NAME}"
    return run_command_line(arguments, session=session, name=name)


def complete_for_docker(program: click.Command, words: Sequence[str], *, described: bool) -> int:
    """Write the proposals for the last word of a command line in cobra's form; return the exit status.

    That is a line for each, `value<tab>description`, and a last line `:N` that says what the shell may add.

    The words are those after `docker nixdock`; the last one is what stands there so far.
    """
    from click.shell_completion import ShellComplete  # noqa: PLC0415

    from nixdock.cli.options import COMPLETION_VARIABLE, Session  # noqa: PLC0415
    from nixdock.out import say  # noqa: PLC0415

    if not words:
        say(f":{_ERROR}")
        return 0
    finder = ShellComplete(program, {"obj": Session()}, "docker nixdock", COMPLETION_VARIABLE)
    lines: list[str] = []
    directive = _NO_FILES
    for item in finder.get_completions(list(words[:-1]), words[-1]):
        if item.type in {"file", "dir"}:
            directive = _FILES if item.type == "file" else _DIRECTORIES
        else:
            lines.append(f"{item.value}\t{item.help}" if described and item.help else str(item.value))
    for line in [*lines, f":{directive}"]:
        say(line)
    return 0


def _after_name(words: Sequence[str]) -> list[str]:
    """Drop our own name, which the CLI passes on; by hand people leave it out."""
    return list(words[1:] if words[:1] == (NAME,) or words[:1] == [NAME] else words)


def _open_session(flags: DockerFlags, environ: MutableMapping[str, str]) -> Session:
    from nixdock.cli import options  # noqa: PLC0415

    if flags.config:
        environ["DOCKER_CONFIG"] = flags.config
    session = options.Session(
        context=flags.context, host=flags.host, tls=flags.tls(environ), debug=flags.debug
    )
    session.start_log()
    return session


class DockerFlags(NamedTuple):
    """What the flags say, and the words after them."""

    values: Mapping[str, str]
    switches: Mapping[str, bool]
    rest: tuple[str, ...]

    @property
    def config(self) -> str | None:
        """The directory of docker's configuration."""
        return self.values.get("config")

    @property
    def context(self) -> str | None:
        """The name of the context."""
        return self.values.get("context")

    @property
    def host(self) -> str | None:
        """The engine's address."""
        return self.values.get("host")

    @property
    def debug(self) -> bool:
        """Whether debugging was asked for."""
        return self.switches.get("debug", False) or self.values.get("log-level") == "debug"

    def tls(self, environ: Mapping[str, str]) -> Tls | None:
        """Return what the TLS flags say, with docker's own defaults; None where they say nothing."""
        from pathlib import Path  # noqa: PLC0415

        from nixdock.engine.connection.address import Tls  # noqa: PLC0415
        from nixdock.engine.connection.docker_files import config_dir  # noqa: PLC0415

        # As in docker: --tlsverify, even switched off, means TLS; so does no other flag but --tls.
        if not (self.switches.get("tls") or "tlsverify" in self.switches):
            return None
        directory = Path(environ.get("DOCKER_CERT_PATH") or self.config or config_dir(environ))

        def find(flag: str, default: str) -> Path | None:
            if self.values.get(flag):
                return Path(self.values[flag])
            path = directory / default
            return path if path.is_file() else None

        return Tls(
            ca=find("tlscacert", "ca.pem"),
            cert=find("tlscert", "cert.pem"),
            key=find("tlskey", "key.pem"),
            verify=self.switches.get("tlsverify", False),
        )


def parse_flags(words: Sequence[str]) -> DockerFlags:
    """Read the flags before the plugin's name, as docker's flag library (pflag) takes them.

    That is `--config DIR`, `--config=DIR`, `-c X`, `-cX`, `-c=X`, and short switches in one word (`-DH X`).

    Raises:
        UsageError: A flag is unknown, lacks its value or was given twice.
    """
    from nixdock.errors import UsageError  # noqa: PLC0415

    values: dict[str, str] = {}
    switches: dict[str, bool] = {}
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            break
        name, value, more = _split(word)
        if name in _SWITCHES:
            switches[name] = _read_switch(word, value)
            if more:
                rest.insert(0, "-" + more)
        elif name in _VALUES:
            if value is None and not rest:
                raise UsageError(f"the docker option {word} needs a value")
            if name == "host" and name in values:
                raise UsageError("the docker option --host was given twice")
            values[name] = rest.pop(0) if value is None else value
        else:
            raise UsageError(f"unknown docker option {word}", hint="docker --help")
    if switches.get("help"):
        rest = ["help", *rest]
    return DockerFlags(values, switches, tuple(rest))


def _split(word: str) -> tuple[str, str | None, str]:
    """Return a flag's long name, the value in the same word, and further short flags in it."""
    if word.startswith("--"):
        name, separator, value = word[2:].partition("=")
        return name, value if separator else None, ""
    name, after = _SHORT.get(word[1], word), word[2:]
    if after.startswith("="):
        return name, after[1:], ""
    if name in _SWITCHES:
        return name, None, after
    return name, after or None, ""


def _read_switch(word: str, value: str | None) -> bool:
    if value is None or value in _TRUE:
        return True
    if value in _FALSE:
        return False
    from nixdock.errors import UsageError  # noqa: PLC0415

    raise UsageError(f"the docker option {word} takes true or false")


def watch_cli(name: str) -> None:
    """End this process as SIGTERM does when the Docker CLI wants it to, or is gone.

    The CLI (25.0 and later) keeps a socket open for as long as the plugin may run. On a terminal a
    Ctrl-C reaches us as it reaches the CLI; elsewhere the end of that socket is all we are told.

    Args:
        name: The socket: a path, or a name that begins with `@` in Linux's abstract name space.
    """
    import signal  # noqa: PLC0415
    import socket  # noqa: PLC0415
    import threading  # noqa: PLC0415

    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect("\0" + name[1:] if name.startswith("@") else name)
    except OSError:
        # An older or a foreign CLI: its signals reach us directly.
        connection.close()
        return
    main_thread = threading.main_thread().ident or 0

    def wait_for_end() -> None:
        try:
            while connection.recv(64):
                pass
        except OSError:
            pass
        # To the main thread itself, so that a call which waits there is interrupted.
        signal.pthread_kill(main_thread, signal.SIGTERM)

    threading.Thread(target=wait_for_end, name="docker-cli", daemon=True).start()


def main() -> NoReturn:
    """Run as a program: the entry point `docker-nixdock`."""
    words = sys.argv[1:]
    if words != [METADATA_WORD]:
        from nixdock.cli.main import catch_signals, fill_standard_streams, keep_own_rights  # noqa: PLC0415

        fill_standard_streams()
        catch_signals()
        keep_own_rights()
        if os.environ.get(SOCKET_VARIABLE):
            # What we start must not take itself for the plugin.
            watch_cli(os.environ.pop(SOCKET_VARIABLE))
    sys.exit(run(words))
