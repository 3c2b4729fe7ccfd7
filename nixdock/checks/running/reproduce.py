"""The docker command that does by hand what a check did."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace as replace_settings
from typing import TYPE_CHECKING, Final

from nixdock.engine.containers.options.table import OPTIONS

if TYPE_CHECKING:
    from nixdock.checks.model import Command, ContainerSettings, HttpRequest

_VALUED: Final = frozenset(option.name for option in OPTIONS if option.metavar is not None)
"""The options that are no switches: `true` and `false` are values of theirs like any other."""

_SECRET: Final = re.compile("auth|cookie|credential|key|passw|secret|session|token", re.IGNORECASE)
"""Found in the names of headers whose values reports, which are kept, do not show."""


def docker_run(image: str, settings: ContainerSettings, command: Command, *, replace: bool = False) -> str:
    """Return `docker run` for a command in a container of its own.

    Args:
        image: The image's name.
        settings: How the container is made.
        command: What is run.
        replace: Whether the words replace the image's Entrypoint too, as those of `exec` do.
    """
    words = ["docker", "run", "--rm"]
    if command.stdin is not None:
        words.append("-i")
    words += option_words(settings)
    words += _command_options(command)
    argv = list(command.words) or list(settings.command or ())
    if replace and argv:
        words += ["--entrypoint", argv[0]]
        argv = argv[1:]
    return _with_stdin(shlex.join([*words, image, *argv]), command)


def docker_run_service(
    image: str, settings: ContainerSettings, ports: tuple[int, ...], *, local: bool
) -> str:
    """Return `docker run -d` for a service, which prints what names its container.

    Args:
        image: The image's name.
        settings: How the container is made.
        ports: What is published for the checks.
        local: Whether the engine is on this machine, whose loopback address is enough then.
    """
    # It is the shell that names it, so that the line can be run again.
    nameless = replace_settings(
        settings, options=tuple(item for item in settings.options if item[0] != "name")
    )
    words = ["docker", "run", "-d", *option_words(nameless)]
    for port in ports:
        words += ["-p", f"127.0.0.1::{port}" if local else f"{port}"]
    return shlex.join([*words, image, *(settings.command or ())])


def docker_exec(container: str, command: Command) -> str:
    """Return `docker exec` for a command in a running container.

    Args:
        container: What names the container in a shell.
        command: What is run.
    """
    words = ["docker", "exec", *(["-i"] if command.stdin is not None else []), *_command_options(command)]
    return _with_stdin(f"{shlex.join(words)} {container} {shlex.join(command.words)}", command)


def curl(request: HttpRequest, base: str) -> str:
    """Return the curl command for a request.

    Args:
        request: The request.
        base: Scheme, host and port that it is sent to, as they stand in double quotes in a shell: with a
            command in it, it has just been started, and has a few seconds to answer.
    """
    words = ["curl", "-i"]
    if "$" in base:
        words += ["--retry", "5", "--retry-delay", "1", "--retry-all-errors"]
    if request.scheme == "https":
        words.append("-k")
    if request.method != "GET":
        words += ["-X", request.method]
    headers = [_header(name, value) for name, value in request.headers.items()]
    body = [] if request.body is None else ["--data-binary", request.body.decode(errors="replace")]
    line = " ".join(filter(None, (shlex.join(words), *headers, shlex.join(body))))
    if "$" not in base:
        return f"{line} {shlex.quote(f'{base}{request.path}')}"
    return f'{line} "{base}"{shlex.quote(request.path)}'


def _header(name: str, value: str) -> str:
    """Return curl's option for a header; what may be a secret is taken from a variable of the shell."""
    if not _SECRET.search(name):
        return shlex.join(["-H", f"{name}: {value}"])
    variable = re.sub("[^A-Z0-9]", "_", name.upper())
    return f'-H {shlex.quote(f"{name}: ")}"${variable}"'


def option_words(settings: ContainerSettings) -> list[str]:
    """Return a container's settings as docker's options."""
    words: list[str] = []
    for name, value in settings.options:
        if name == "env":
            # Its value may be a secret, and reports are kept: docker takes it from the shell's environment.
            words += ["-e", value.partition("=")[0]]
        elif name in _VALUED:
            words += [f"--{name}", value]
        elif value == "true":
            words.append(f"--{name}")
    for bind in (settings.raw.get("HostConfig") or {}).get("Binds") or ():
        words += ["-v", bind]
    return words


def _command_options(command: Command) -> list[str]:
    words: list[str] = []
    for name in command.env:
        words += ["-e", name]
    if command.user is not None:
        words += ["-u", command.user]
    if command.workdir is not None:
        words += ["-w", command.workdir]
    return words


def _with_stdin(line: str, command: Command) -> str:
    if command.stdin is None:
        return line
    return f"printf %s {shlex.quote(command.stdin.decode(errors='replace'))} | {line}"
