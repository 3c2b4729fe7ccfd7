"""HTTP over a socket that we connect ourselves: a Unix socket, or a program's standard streams.

`ssh://` engines are reached by `ssh host docker system dial-stdio`, which copies its two streams to the
engine's socket. The program gets one end of a socket pair for both, so that what is above sees an
ordinary socket, and the user's ssh configuration (keys, agents, jump hosts, shared connections) holds as
in a shell. Unix sockets come this way too: any path will do, with spaces and all.
"""

from __future__ import annotations

import errno
import http.client
import os
import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests.adapters
import urllib3

from nixdock import process
from nixdock.engine.connection.proxies import find_proxies
from nixdock.image.extent import Extent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from docker import APIClient

    from nixdock.engine.connection.address import Address
    from nixdock.engine.connection.patience import Patience


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


class _Watched(urllib3.connection.HTTPConnection):
    """A connection that says which socket each request goes over, so that it can be cut."""

    patience: Patience

    def request(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  # the library's
        wait = self.patience.latest
        if wait is not None:
            wait.goes_over(self)
        if self.sock is not None:
            # One that serves again would get the time that connecting may take for its own.
            self.timeout = None
        super().request(*args, **options)

    def connect(self) -> None:
        super().connect()
        if self.sock is not None:
            # How long anything may take is the watch's business from now on.
            self.sock.settimeout(None)


class _WatchedSecurely(_Watched, urllib3.connection.HTTPSConnection):
    """The same over TLS."""


class _Dialling(_Watched):
    """A connection over a socket that a function connects."""

    dial: Dial

    def __init__(self, *_args: object, **_options: object) -> None:
        super().__init__("localhost")
        self._dialled: DialledSocket | None = None

    def connect(self) -> None:
        self._dialled = self.dial()
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


class NetAdapter(requests.adapters.HTTPAdapter):
    """Sends every request as requests does, over connections that can be cut.

    Args:
        patience: Cuts them.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  # the library's
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, **options)
        self._watch(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401  # the library's
        """Make the pools of connections over a proxy."""
        manager = super().proxy_manager_for(*args, **options)
        self._watch(manager)
        return manager

    def _watch(self, manager: Any) -> None:  # noqa: ANN401  # the library's
        kinds = (
            ("http", urllib3.HTTPConnectionPool, _Watched),
            ("https", urllib3.HTTPSConnectionPool, _WatchedSecurely),
        )
        manager.pool_classes_by_scheme = {
            scheme: type(
                pool.__name__,
                (pool,),
                {"ConnectionCls": type(kind.__name__, (kind,), {"patience": self._patience})},
            )
            for scheme, pool, kind in kinds
        }


class DialAdapter(requests.adapters.HTTPAdapter):
    """Sends every request over a socket that a function connects.

    Args:
        dial: Connects one.
        patience: Cuts it.
    """

    def __init__(self, dial: Dial, patience: Patience) -> None:
        super().__init__()
        kind = type("_Dialling", (_Dialling,), {"patience": patience, "dial": staticmethod(dial)})
        self._pool = urllib3.HTTPConnectionPool("localhost", maxsize=10)
        self._pool.ConnectionCls = kind

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,  # noqa: ARG002  # one pool serves every request
        verify: bool | str | None,  # noqa: ARG002
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002
        cert: Any = None,  # noqa: ANN401, ARG002
    ) -> urllib3.HTTPConnectionPool:
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


def open_sdk(address: Address, patience: Patience) -> APIClient:
    """Make the SDK's client for an address; nothing is sent."""
    import docker  # noqa: PLC0415  # a tenth of a second, only for those who need an engine

    if address.scheme != "tcp":
        path = address.socket_path
        sdk = _make_sdk("http+docker://localhost")
        dial = partial(dial_path, path, patience) if path else partial(dial_program, dial_words(address))
        sdk.mount("http+docker://", DialAdapter(dial, patience))
        return sdk
    tls: docker.TLSConfig | bool = False
    if address.tls is not None:
        material = address.tls
        pair = (str(material.cert), str(material.key)) if material.cert and material.key else None
        authority = str(material.ca) if material.ca else None
        tls = docker.TLSConfig(client_cert=pair, ca_cert=authority, verify=material.verify)
    sdk = _make_sdk(f"{'https' if tls else 'http'}://{address.url.removeprefix('tcp://')}")
    if isinstance(tls, docker.TLSConfig):
        tls.configure_client(sdk)
    for scheme in ("http://", "https://"):
        sdk.mount(scheme, NetAdapter(patience))
    # What is in the environment for the web would win over an engine's own authority (REQUESTS_CA_BUNDLE).
    sdk.trust_env = False
    sdk.proxies = find_proxies(sdk.base_url, os.environ)
    if sdk.verify is True:
        # This machine's authorities rather than those that come with requests.
        paths = ssl.get_default_verify_paths()
        sdk.verify = paths.cafile or paths.capath or True
    return sdk


def _make_sdk(base_url: str) -> APIClient:
    """Make the SDK's client as it makes itself, but for docker's config.json.

    The SDK reads that by rules of its own, credentials for registries too, and fails where docker does not.
    """
    import docker  # noqa: PLC0415

    from nixdock.engine.connection.docker_files import read_config  # noqa: PLC0415

    sdk = docker.APIClient.__new__(docker.APIClient)
    requests.Session.__init__(sdk)
    sdk.base_url = base_url
    sdk._custom_adapter = None  # type: ignore[attr-defined]  # noqa: SLF001
    # As bytes, for what is not ASCII goes out as UTF-8, as docker sends it.
    sdk.headers.update({name: text.strip().encode() for name, text in read_config().headers.items()})
    return sdk
