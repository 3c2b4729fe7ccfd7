"""The docker SDK's way to an engine: to other machines, by TLS or ssh, and for what streams.

It is HTTP as requests speaks it, over connections that can be cut. Where we connect the socket ourselves,
what stands in a file goes out from there.

`ssh://` engines are reached by `ssh host docker system dial-stdio`, which copies its two streams to the
engine's socket. The program gets one end of a socket pair for both, so that what is above sees an
ordinary socket, and the user's ssh configuration (keys, agents, jump hosts, shared connections) holds as
in a shell.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import requests.adapters
import urllib3

from nixdock import process
from nixdock.engine.connection.dialling import dial_path
from nixdock.engine.connection.proxies import find_proxies
from nixdock.image.extent import Extent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from docker import APIClient

    from nixdock.engine.connection.address import Address
    from nixdock.engine.connection.patience import Patience
    from nixdock.engine.connection.stream import OutputSource
    from nixdock.image.extent import Piece

_PIECE: Final = 128 * 1024


@dataclass(frozen=True, slots=True)
class DialledSocket:
    """A connected socket, and what must end with it."""

    connection: socket.socket
    end: Callable[[], None] = lambda: None


Dial = Callable[[], DialledSocket]


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


class SdkTransport:
    """Sends requests to an engine anywhere; several threads may share it.

    Args:
        address: Where it answers.
        patience: Cuts what takes too long.
    """

    def __init__(self, address: Address, patience: Patience) -> None:
        self._patience = patience
        self._sdk = open_sdk(address, patience)

    def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        *,
        body: Any,  # noqa: ANN401  # what requests takes
        headers: Mapping[str, str],
    ) -> SdkResponse:
        """Send a request and return its answer, of which the head was read.

        Args:
            method: Of HTTP.
            path: With the API version.
            params: The query.
            body: What is sent along: bytes, an `ArchiveBody`, or None.
            headers: Beside those that every request has.
        """
        response = self._sdk.request(
            method,
            f"{self._sdk.base_url}{path}",
            params=dict(params or {}),
            data=body,
            headers=dict(headers),
            timeout=(self._patience.connecting, None),
            allow_redirects=False,
            stream=True,
        )
        return SdkResponse(response)

    def close(self) -> None:
        """Close all connections."""
        self._sdk.close()


class SdkResponse:
    """An answer whose body is still to be read.

    Args:
        response: As requests has it.
    """

    def __init__(self, response: requests.Response) -> None:
        self._response = response
        self._raw = response.raw
        self.status: int = response.status_code
        """Of HTTP."""
        self.reason: str = response.reason or ""
        """What the status line says beside it."""

    @property
    def source(self) -> OutputSource | None:
        """What comes after the head, as it is; None where nothing can.

        The buffered reader, not the socket: output that came with the head is in it already.
        """
        found: OutputSource | None = getattr(self._raw._fp, "fp", None)  # noqa: SLF001  # as the SDK does
        return found

    @property
    def socket(self) -> socket.socket | None:
        """The socket below it; None where it has ended."""
        found: socket.socket | None = getattr(getattr(self.source, "raw", None), "_sock", None)
        return found

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it comes, chunk by chunk."""
        return iter(self._raw.read_chunked() if self._raw.chunked else self._raw.stream(_PIECE))

    def read(self, limit: int) -> bytes:
        """Return the beginning of the body, as far as it comes."""
        return bytes(self._raw.read(limit))

    def close(self) -> None:
        """Give the connection back, if it was read to its end, and end it otherwise."""
        self._response.close()


class ArchiveBody:
    """A request's body, sent piece by piece: as it is where its length is known, otherwise in chunks.

    Args:
        pieces: What is sent.
        size: How many bytes these are, where that is known.
    """

    def __init__(self, pieces: Iterable[Piece], size: int | None) -> None:
        self._pieces = pieces
        self.len = size  # where requests looks for it

    def __iter__(self) -> Iterator[Piece]:
        left = self.len or 0
        for piece in self._pieces:
            left -= len(piece)
            if left < 0 and self.len is not None:
                # The engine would take the rest for another request.
                raise AssertionError("an archive is longer than was said")
            yield piece
        if left > 0:
            # The engine would wait for ever for what does not come.
            raise AssertionError(f"an archive is {left} bytes shorter than was said")


def import_docker() -> None:
    """Import the SDK itself, which takes a tenth of a second."""
    import docker  # noqa: F401, PLC0415


def open_sdk(address: Address, patience: Patience) -> APIClient:
    """Make the SDK's client for an address; nothing is sent."""
    import docker  # noqa: PLC0415  # a tenth of a second, only for those who need an engine

    if address.scheme != "tcp":
        path = address.socket_path
        sdk = _make_sdk("http+docker://localhost")

        def dial() -> DialledSocket:
            if path is None:
                return dial_program(dial_words(address))
            return DialledSocket(dial_path(path, patience))

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
