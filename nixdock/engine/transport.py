"""HTTP over the standard input and output of a program: how `ssh://` engines are reached.

`ssh host docker system dial-stdio` copies its two streams to the engine's socket. The program gets
one end of a socket pair for both, so that what is above sees an ordinary socket, and the user's ssh
configuration (keys, agents, jump hosts, shared connections) holds as in a shell.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests.adapters
import urllib3

from nixdock import process

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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


class _ProgramConnection(urllib3.connection.HTTPConnection):
    def __init__(self, words: Sequence[str]) -> None:
        super().__init__("localhost")
        self._words = words
        self._program: process.Running[bytes] | None = None

    def connect(self) -> None:
        """Start the program; it says on our standard error why it cannot connect."""
        ours, theirs = socket.socketpair()
        with theirs:
            # Its own session: a Ctrl-C is for the container, and must not cut the way to it.
            self._program = process.start(
                self._words, stdin=theirs.fileno(), stdout=theirs.fileno(), own_session=True
            )
        self.sock = ours

    def close(self) -> None:
        """Close our end; the program ends when it finds its input ended."""
        super().close()
        program, self._program = self._program, None
        if program is not None:
            program.terminate()
            program.wait()


class _ProgramPool(urllib3.HTTPConnectionPool):
    def __init__(self, words: Sequence[str]) -> None:
        super().__init__("localhost", maxsize=4)
        self._words = words

    def _new_conn(self) -> _ProgramConnection:
        return _ProgramConnection(self._words)


class ProgramAdapter(requests.adapters.HTTPAdapter):
    """Sends every request through one program a connection.

    Args:
        words: The program and its arguments.
    """

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__()
        self._pool = _ProgramPool(words)

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,  # noqa: ARG002  # one pool serves every request
        verify: bool | str | None,  # noqa: ARG002
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002
        cert: Any = None,  # noqa: ANN401, ARG002
    ) -> _ProgramPool:
        """Return the one pool."""
        return self._pool

    def request_url(
        self,
        request: requests.PreparedRequest,
        proxies: Mapping[str, str] | None,  # noqa: ARG002  # the program is the way
    ) -> str:
        """Return the path alone: nothing on the way looks at the host."""
        return request.path_url

    def close(self) -> None:
        """End the programs."""
        self._pool.close()
        super().close()
