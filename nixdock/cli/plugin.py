"""The `docker-nixdock` program: the same commands as `docker nixdock`, a plugin of the Docker CLI.

The CLI asks every plugin for its metadata at each `docker --help`, so that answer imports neither
click nor docker nor anything else that takes time. To run a command it starts the plugin with its
own original arguments: its global flags, which are ours to read, then `nixdock`, then the rest.
(docker/cli: cli-plugins/manager, cli-plugins/socket, cli/flags/options.go; cobra: completions.go.)
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

    from nixdock.cli.docker_flags import DockerFlags
    from nixdock.cli.options import Session

NAME: Final = "nixdock"
METADATA_WORD: Final = "docker-cli-plugin-metadata"
COMPLETION_WORDS: Final = ("__complete", "__completeNoDesc")
SOCKET_VARIABLE: Final = "DOCKER_CLI_PLUGIN_SOCKET"


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
            return 2
        return 0
    if words and words[0] in COMPLETION_WORDS:
        from nixdock.cli.completion import complete_for_docker  # noqa: PLC0415

        return complete_for_docker(_after_name(words[1:]), described=words[0] == COMPLETION_WORDS[0])

    from nixdock.cli.docker_flags import parse_flags  # noqa: PLC0415
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
