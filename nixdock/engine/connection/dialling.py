"""Connecting a socket to an engine on this machine: at any path, with spaces and all, or at a port."""

from __future__ import annotations

import errno
import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from nixdock.engine.connection.patience import Patience


def dial_path(path: Path, patience: Patience) -> socket.socket:
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
    except BaseException as error:
        connection.close()
        if isinstance(error, OSError) and error.errno == errno.EAGAIN:
            raise TimeoutError(errno.ETIMEDOUT, "nobody takes the connection") from error
        raise
    return connection


def _limit_sending(connection: socket.socket, seconds: float | None) -> None:
    whole, part = divmod(seconds or 0.0, 1)
    limit = struct.pack("@ll", int(whole), max(int(part * 1e6), 1 if seconds is not None else 0))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


def dial_port(host: str, port: int, patience: Patience) -> socket.socket:
    """Connect to a port of this machine.

    Args:
        host: One of this machine's own names.
        port: Its number.
        patience: Says how long it may take until somebody takes the connection.

    Raises:
        OSError: Nobody listens there.
    """
    connection = socket.create_connection((host, port), patience.connecting)
    try:
        # How long anything may take is the watch's business from now on.
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connection.close()
        raise
    return connection
