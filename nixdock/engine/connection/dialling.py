"""Connecting a socket to an engine: a Unix socket, a port of this machine, or a program's standard streams.

`ssh://` engines are reached by `ssh host docker system dial-stdio`, which copies its two streams to the
engine's socket. The program gets one end of a socket pair for both, so that what is above sees an
ordinary socket, and the user's ssh configuration (keys, agents, jump hosts, shared connections) holds as
in a shell. Unix sockets come this way too: any path will do, with spaces and all.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nixdock import process

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nixdock.engine.connection.address import Address
    from nixdock.engine.connection.patience import Patience


@dataclass(frozen=True, slots=True)
class DialledSocket:
    """A connected socket, and what must end with it."""

    connection: socket.socket
    end: Callable[[], None]


Dial = Callable[[], DialledSocket]


def dial_path(path: Path, patience: Patience) -> DialledSocket:
    """Connect to a Unix socket.

    Args:
        path: The socket.
        patience: Says how long it may take until somebody takes the connection.

    Raises:
        OSError: Nobody listens there, or we may not.
    """
    connection = socket.socket(socket.AF_UNIX)
    try:
        # Not the socket's own timeout: with that a queue that is full is refused at once.
        _limit_sending(connection, patience.connecting)
        connection.connect(str(path))
        _limit_sending(connection, None)
    except OSError as error:
        connection.close()
        if error.errno == errno.EAGAIN:
            raise TimeoutError(errno.ETIMEDOUT, "nobody takes the connection") from error
        raise
    return DialledSocket(connection, lambda: None)


def _limit_sending(connection: socket.socket, seconds: float | None) -> None:
    whole, part = divmod(seconds or 0.0, 1)
    limit = struct.pack("@ll", int(whole), max(int(part * 1e6), 1 if seconds is not None else 0))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


def dial_port(host: str, port: int, patience: Patience) -> DialledSocket:
    """Connect to a port of this machine.

    Args:
        host: One of this machine's own names.
        port: Its number.
        patience: Says how long it may take until somebody takes the connection.

    Raises:
        OSError: Nobody listens there.
    """
    connection = socket.create_connection((host, port), patience.connecting)
    # How long anything may take is the watch's business from now on.
    connection.settimeout(None)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return DialledSocket(connection, lambda: None)


def dial_words(address: Address) -> tuple[str, ...]:
    """Return the command that connects its standard input and output to the engine."""
    parts = urlsplit(address.url)
    words = ["ssh", "-T", "-o", "ConnectTimeout=30"]
    if parts.username:
        words += ["-l", parts.username]
    if parts.port:
        words += ["-p", str(parts.port)]
    return (*words, "--", parts.hostname or "", "docker", "system", "dial-stdio")


def dial_program(words: Sequence[str]) -> DialledSocket:
    """Start a program and return its standard streams as a socket; it tells its troubles on our stderr.

    Raises:
        OSError: There is no such program.
    """
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            # Its own session: a Ctrl-C is for the container, and must not cut the way to it.
            program = process.start(words, stdin=theirs.fileno(), stdout=theirs.fileno(), own_session=True)
    except OSError:
        ours.close()
        raise

    def end() -> None:
        program.terminate()
        program.wait()

    return DialledSocket(ours, end)
