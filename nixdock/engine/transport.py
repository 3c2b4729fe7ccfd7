"""HTTP over a socket that we connect ourselves: a Unix socket, or a program's standard streams.

`ssh://` engines are reached by `ssh host docker system dial-stdio`, which copies its two streams to the
engine's socket. The program gets one end of a socket pair for both, so that what is above sees an
ordinary socket, and the user's ssh configuration (keys, agents, jump hosts, shared connections) holds as
in a shell. Unix sockets come this way too: any path will do, with spaces and all.
"""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests.adapters
import urllib3

from nixdock import process
from nixdock.image.extent import Extent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from nixdock.engine.address import Address


def dial_words(address: Address) -> tuple[str, ...]:
    """Return the command that connects its standard input and output to the engine."""
    parts = urlsplit(address.url)
    words = ["ssh", "-T", "-o", "ConnectTimeout=30"]
    if parts.username:
        words += ["-l", parts.username]
    if parts.port:
        words += ["-p", str(parts.port)]
    return (*words, "--", parts.hostname or "", "docker", "system", "dial-stdio")


@dataclass(frozen=True, slots=True)
class Dialled:
    """A connected socket, and what must end with it."""

    connection: socket.socket
    end: Callable[[], None]


Dial = Callable[[], Dialled]


def dial_path(path: Path) -> Dialled:
    """Connect to a Unix socket.

    Raises:
        OSError: Nobody listens there, or we may not.
    """
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        raise
    return Dialled(connection, lambda: None)


def dial_program(words: Sequence[str]) -> Dialled:
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

    return Dialled(ours, end)


class _Connection(urllib3.connection.HTTPConnection):
    def __init__(self, dial: Dial) -> None:
        super().__init__("localhost")
        self._dial = dial
        self._dialled: Dialled | None = None

    def connect(self) -> None:
        self._dialled = self._dial()
        self.sock = self._dialled.connection

    def send(self, data: Any) -> None:  # noqa: ANN401  # whatever the library sends, and extents
        if not isinstance(data, Extent):
            super().send(data)
        elif self.sock is None:
            raise http.client.NotConnected
        else:
            data.send(self.sock)

    def close(self) -> None:
        super().close()
        dialled, self._dialled = self._dialled, None
        if dialled is not None:
            dialled.end()


class _Pool(urllib3.HTTPConnectionPool):
    def __init__(self, dial: Dial) -> None:
        super().__init__("localhost", maxsize=10)
        self._dial = dial

    def _new_conn(self) -> _Connection:
        return _Connection(self._dial)


class DialAdapter(requests.adapters.HTTPAdapter):
    """Sends every request over a socket that a function connects.

    Args:
        dial: Connects one.
    """

    def __init__(self, dial: Dial) -> None:
        super().__init__()
        self._pool = _Pool(dial)

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,  # noqa: ARG002  # one pool serves every request
        verify: bool | str | None,  # noqa: ARG002
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002
        cert: Any = None,  # noqa: ANN401, ARG002
    ) -> _Pool:
        """Return the one pool."""
        return self._pool

    def request_url(
        self,
        request: requests.PreparedRequest,
        proxies: Mapping[str, str] | None,  # noqa: ARG002  # there is nothing on the way
    ) -> str:
        """Return the path alone: nobody looks at the host."""
        return request.path_url

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._pool.close()
        super().close()
