"""Reaching a container that runs: by commands in it, by the engine's exec, and by its ports."""

from __future__ import annotations

import math
import re
import threading
import time
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING, Any, Final

from nixdock.engine.connection.address import published_host
from nixdock.engine.connection.refusals import EngineRefusedError
from nixdock.engine.connection.stream import STDERR
from nixdock.errors import CheckError, CommandNotExecutableError, CommandNotFoundError, EngineError
from nixdock.outcome import Capture, RunOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nixdock.engine.connection.address import Address
    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ContainerDetails
    from nixdock.engine.connection.stream import Stream

_EXIT_PATIENCE: Final = 5.0
_HEAD: Final = 4096
_RUNTIME: Final = re.compile(
    r"OCI runtime (?:exec|attempted)|unable to start container process|crun: ", re.IGNORECASE
)
_NOT_FOUND: Final = re.compile(r"executable file .*not found|no such file or directory", re.IGNORECASE)
_NOT_EXECUTABLE: Final = re.compile(r"permission denied|exec format error|is a directory", re.IGNORECASE)

_ANYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - what the engine answers, not what we bind
_LOOPBACK = "127.0.0.1"
_MOST = 5
"""How many ports have a line of their own."""


def execute(
    engine: Engine,
    container: str,
    words: Sequence[str],
    timeout: float,
    *,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
    workdir: str | None = None,
    stdin: bytes | None = None,
) -> RunOutcome:
    """Run a command in a running container.

    A command that is still running when its time is up is left alone, as engines cannot end it; it
    ends with the container.

    Args:
        engine: Where the container is.
        container: Its ID.
        words: The command and its arguments.
        timeout: Seconds that it may take.
        env: Further environment variables.
        user: Whom it runs as; the container's user when None.
        workdir: Where it runs; the container's directory when None.
        stdin: What it reads; nothing when None.

    Raises:
        CommandNotFoundError: It is not in the container.
        CommandNotExecutableError: It cannot be executed.
        EngineError: The engine refused: the container does not run any more, perhaps.
    """
    program = words[0]
    body = _body(words, env, user, workdir, stdin)
    try:
        outcome = run_exec(engine, container, body, timeout, stdin)
    except EngineRefusedError as error:
        raise _explain(error.message, program) or error from error
    if outcome.exit_code in {126, 127}:
        said = (outcome.stdout[:_HEAD] + outcome.stderr[:_HEAD]).decode(errors="replace")
        failure = _explain(said, program) if _RUNTIME.search(said) else None
        if failure is not None:
            raise failure
    return outcome


def run_exec(
    engine: Engine,
    container: str,
    body: Mapping[str, Any],
    timeout: float,
    stdin: bytes | None = None,
    *,
    enough: float = math.inf,
) -> RunOutcome:
    """Run what an exec's request asks for, and return what came of it, in the engine's words.

    Of each stream nothing more is kept once there are enough bytes.

    Raises:
        EngineError: The engine refused.
    """
    began = time.monotonic()
    ident = engine.create_exec(container, body)
    with ExitStack() as stack:
        stream = stack.enter_context(closing(engine.start_exec(ident)))
        stdout, stderr = stack.enter_context(Capture()), stack.enter_context(Capture())
        ended = threading.Event()
        failures: list[Exception] = []

        def begin(work: Callable[[], None]) -> threading.Thread:
            def run() -> None:
                try:
                    work()
                except Exception as error:  # noqa: BLE001 - raised by the one that waits
                    failures.append(error)
                    ended.set()

            thread = threading.Thread(target=run, daemon=True)
            thread.start()
            return thread

        reader = begin(lambda: _copy(stream, stdout, stderr, ended, enough))
        if stdin is not None:
            begin(lambda: _feed(stream, stdin))
        in_time = ended.wait(timeout)
        stream.close()
        reader.join(_EXIT_PATIENCE)
        if failures:
            raise failures[0]
        exit_code = _exit_code(engine, ident) if in_time else 137
        return RunOutcome(exit_code, stdout.output, stderr.output, not in_time, time.monotonic() - began)


def _body(
    words: Sequence[str],
    env: Mapping[str, str] | None,
    user: str | None,
    workdir: str | None,
    stdin: bytes | None,
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "Cmd": list(words),
        "Env": [f"{name}={value}" for name, value in (env or {}).items()],
        "AttachStdin": stdin is not None,
        "AttachStdout": True,
        "AttachStderr": True,
        "Tty": False,
    }
    if user is not None:
        body["User"] = user
    if workdir is not None:
        body["WorkingDir"] = workdir
    return body


def _copy(stream: Stream, stdout: Capture, stderr: Capture, ended: threading.Event, enough: float) -> None:
    for number, piece in stream.pieces():
        capture = stderr if number == STDERR else stdout
        try:
            if len(capture) < enough:
                capture.write(piece)
        except OSError as error:
            raise CheckError(f"its output cannot be kept: {error.strerror or error}") from error
    ended.set()


def _feed(stream: Stream, data: bytes) -> None:
    with suppress(OSError):
        stream.write(data)
    stream.close_input()


def _exit_code(engine: Engine, ident: str) -> int:
    """Ask until it is known: the output's end may come before the engine has noted the process's."""
    end = time.monotonic() + _EXIT_PATIENCE
    pause = 0.002
    while True:
        exit_code = engine.find_exit_code(ident)
        if exit_code is not None:
            return exit_code
        if time.monotonic() > end:
            raise EngineError("the engine does not say how a command ended: its output has, it runs on")
        time.sleep(pause)
        pause = min(pause * 2, 0.1)


def _explain(said: str, program: str) -> EngineError | None:
    if _NOT_FOUND.search(said):
        return CommandNotFoundError(f"there is no {program!r} in the container")
    if _NOT_EXECUTABLE.search(said):
        return CommandNotExecutableError(f"{program!r} in the container cannot be executed")
    return None


def publish(ports: Iterable[int], body: Mapping[str, Any], address: Address) -> dict[str, Any]:
    """Return what a request lacks for these ports to be reached from here.

    An engine on this machine publishes them on its loopback address alone.

    Args:
        ports: TCP ports in the container.
        body: The request so far: a port that it publishes already is left as it is.
        address: The engine's.

    Raises:
        CheckError: The container has no network.
    """
    wanted = sorted(set(ports))
    host = body.get("HostConfig") or {}
    mode = str(host.get("NetworkMode") or "")
    if not wanted or mode == "host":
        return {}
    if mode == "none" or mode.startswith("container:"):
        listed = ", ".join(str(port) for port in wanted)
        raise CheckError(f"port {listed} cannot be reached: the container's network is {mode!r}")
    published = host.get("PortBindings") or {}
    lacking = [f"{port}/tcp" for port in wanted if f"{port}/tcp" not in published]
    binding = {"HostIp": _LOOPBACK if address.is_local else "", "HostPort": ""}
    return {
        "ExposedPorts": {port: {} for port in lacking},
        "HostConfig": {"PortBindings": {port: [binding] for port in lacking}},
    }


def describe_ports(details: ContainerDetails, address: Address) -> tuple[str, ...]:
    """Say where the published ports of a container are, and which of them the whole network reaches.

    Args:
        details: The container.
        address: The engine's.
    """
    asked = (details.raw.get("HostConfig") or {}).get("PortBindings") or {}
    lines: list[str] = []
    for port, bindings in details.ports.items():
        # The same number is listed for IPv4 and for IPv6.
        where, number = bindings[0]
        inside = port.removesuffix("/tcp")
        is_open = where in _ANYWHERE
        host = published_host(address) if is_open or not address.is_local else where
        line = f"port {inside} is at {f'[{host}]' if ':' in host else host}:{number}"
        if is_open:
            line += ", open on all network interfaces"
        if is_open and address.is_local:
            wanted = next((item.get("HostPort") for item in asked.get(port) or ()), None)
            number_again = wanted if wanted and wanted != "0" else ""
            line += f" (-p {_LOOPBACK}:{number_again}:{inside} keeps it to this machine)"
        lines.append(line)
    more = len(lines) - _MOST
    return tuple(lines) if more <= 0 else (*lines[:_MOST], f"{more} more ports: docker port {details.name}")


def locate_port(details: ContainerDetails, port: int, address: Address) -> tuple[str, int]:
    """Return the host and port at which a container's TCP port answers.

    Raises:
        CheckError: It is not published.
    """
    host = published_host(address)
    if ((details.raw.get("HostConfig") or {}).get("NetworkMode")) == "host":
        return host, port
    bindings = details.ports.get(f"{port}/tcp")
    if not bindings:
        raise CheckError(f"port {port} of {details.name} is not published: it cannot be reached from here")
    where, number = bindings[0]
    return (host if where in _ANYWHERE or not address.is_local else where), number
