"""The docker command that does by hand what a check did."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixdock.checks.model import Command, ContainerSettings, Request


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


def docker_run_service(image: str, name: str, settings: ContainerSettings, ports: tuple[int, ...]) -> str:
    """Return `docker run -d` for a service.

    Args:
        image: The image's name.
        name: What the container is called in the other commands.
        settings: How the container is made.
        ports: What is published for the checks.
    """
    words = ["docker", "run", "-d", "--name", name, *option_words(settings)]
    for port in ports:
        words += ["-p", f"{port}"]
    return shlex.join([*words, image, *(settings.command or ())])


def docker_exec(container: str, command: Command) -> str:
    """Return `docker exec` for a command in a running container."""
    words = ["docker", "exec", *(["-i"] if command.stdin is not None else []), *_command_options(command)]
    return _with_stdin(shlex.join([*words, container, *command.words]), command)


def curl(request: Request, base: str) -> str:
    """Return the curl command for a request.

    Args:
        request: The request.
        base: Scheme, host and port that it was sent to.
    """
    words = ["curl", "-i"]
    if request.scheme == "https":
        words.append("-k")
    if request.method != "GET":
        words += ["-X", request.method]
    for name, value in request.headers.items():
        words += ["-H", f"{name}: {value}"]
    if request.body is not None:
        words += ["--data-binary", request.body.decode(errors="replace")]
    return shlex.join([*words, f"{base}{request.path}"])


def option_words(settings: ContainerSettings) -> list[str]:
    """Return a container's settings as docker's options."""
    words: list[str] = []
    for name, value in settings.options:
        if name == "env":
            # Its value may be a secret, and reports are kept: docker takes it from the shell's environment.
            words += ["-e", value.partition("=")[0]]
        elif value == "true":
            words.append(f"--{name}")
        elif value != "false":
            words += [f"--{name}", value]
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
