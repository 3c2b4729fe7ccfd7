"""The connection to an engine, over the docker SDK; nothing else imports that.

The SDK is imported at the first connection, for it takes a tenth of a second. It gives the ways to
an engine (sockets, TLS); requests and answers are passed on as the Engine API defines them, and
`nixdock.engine.api` gives them names and types.
"""

from __future__ import annotations

import json
import os
import ssl
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import IO, TYPE_CHECKING, Any, Final

from nixdock.engine.answers import EngineVersion, version_key
from nixdock.engine.api import Engine
from nixdock.engine.refusals import EngineRefusedError, is_not_ready, translate
from nixdock.engine.stream import Stream
from nixdock.image.extent import read_piece
from nixdock.log import get_logger
from nixdock.retry import CONNECTION_ATTEMPTS, call_with_retries

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping

    import requests
    from docker import APIClient

    from nixdock.engine.address import Address
    from nixdock.image.extent import Piece

log = get_logger(__name__)

NEWEST_API: Final = "1.51"
"""The newest API version that nixdock is tested with; newer engines are spoken to in this one."""

OLDEST_API: Final = "1.40"
"""Assumed of an engine that does not tell."""

ANSWER_TIMEOUT: Final = 120
"""Seconds without any answer after which a plain call is given up; a busy disk takes its time."""

_PIECE: Final = 128 * 1024


def connect(address: Address, *, environ: Mapping[str, str] = os.environ) -> Engine:
    """Connect to the engine at an address; it is asked for its version, and nothing else.

    Args:
        address: From `nixdock.engine.address.choose`.
        environ: The environment; DOCKER_API_VERSION pins the API version, as for docker.

    Raises:
        EngineUnreachableError: Nobody answers there, or we may not use the socket.
        EngineRefusedError: What answers is no engine.
    """
    with ExitStack() as failing:
        with _translated(address):
            sdk = _open(address)
            failing.callback(sdk.close)
            # A cut ssh connection is ssh's own answer, said on stderr: once is enough.
            answer = call_with_retries(
                lambda: sdk.version(api_version=False),
                retry_on=is_not_ready,
                attempts=1 if address.scheme == "ssh" else CONNECTION_ATTEMPTS,
            )
        failing.pop_all()
    version = _read_version(answer, environ.get("DOCKER_API_VERSION"))
    log.debug("engine.connected", url=address.url, product=version.product, api=version.api)
    return Engine(Connection(address, version, sdk))


class Connection:
    """Sends requests to one engine; several threads may share it.

    Args:
        address: Where it answers.
        version: What it said of itself.
        sdk: The docker SDK's client for it.
    """

    timeout: Final = ANSWER_TIMEOUT

    def __init__(self, address: Address, version: EngineVersion, sdk: APIClient) -> None:
        self.address = address
        self.version = version
        self._sdk = sdk

    def close(self) -> None:
        """Close all connections."""
        self._sdk.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401  # any JSON
        """Return the JSON that a GET answers."""
        with self._answered("GET", path, params) as response:
            return response.json()

    def find(self, path: str, params: Mapping[str, Any] | None = None, *, api: str | None = None) -> Any:  # noqa: ANN401  # any JSON
        """Return the JSON that a GET answers, or None where the thing is not there.

        Args:
            path: Below the API version.
            params: The query.
            api: The API version, where it is not the one that was agreed on.
        """
        try:
            with self._answered("GET", path, params, api=api) as response:
                return response.json()
        except EngineRefusedError as error:
            if error.status == 404:
                return None
            raise

    def post(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        json_body: Mapping[str, Any] | None = None,
        timeout: float | None = ANSWER_TIMEOUT,
    ) -> Any:  # noqa: ANN401  # any JSON
        """Return the JSON that a POST answers; an empty object where it answers nothing."""
        with self._answered("POST", path, params, json_body=json_body, timeout=timeout) as response:
            return response.json() if response.content.strip() else {}

    def send(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        body: bytes | None = None,
        tolerate: int | None = None,
    ) -> None:
        """Send a request whose answer says nothing.

        Args:
            method: Of HTTP.
            path: Below the API version.
            params: The query.
            body: A tar archive to send along.
            tolerate: The status of a refusal that is as good as success.
        """
        try:
            self._ask(method, path, params, archive=body).close()
        except EngineRefusedError as error:
            if error.status != tolerate:
                raise

    def pieces(self, path: str, params: Mapping[str, Any] | None = None) -> Generator[bytes]:
        """Yield the body that a GET answers, as it comes; without a time limit."""
        with self._answered("GET", path, params, timeout=None) as response:
            yield from _body(response)

    def messages(
        self,
        path: str,
        params: Mapping[str, Any] | None,
        *,
        archive: Iterable[Piece] | IO[bytes],
        size: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Send an archive and yield the JSON messages of the answer; without a time limit.

        Args:
            path: Below the API version.
            params: The query.
            archive: Its pieces, or a stream.
            size: How many bytes these are; they are sent in chunks when None.
        """
        body: Any = archive
        if not hasattr(archive, "read"):
            # Only what goes out as it is, over a socket that we connect ourselves, can be sent from a file.
            by_reading = size is None or self.address.scheme == "tcp"
            body = _Body(map(read_piece, archive) if by_reading else archive, size)
        with self._answered("POST", path, params, archive=body, timeout=None) as response:
            yield from _read_messages(_body(response))

    def stream(self, path: str, params: Mapping[str, Any] | None, *, tty: bool) -> Stream:
        """Read a container's output from the body that a GET answers; without a time limit."""
        response = self._ask("GET", path, params, timeout=None)
        return Stream(_BodyReader(response, self.address), None, tty=tty, close=response.close)

    def begin(self, path: str, params: Mapping[str, Any] | None = None) -> Callable[[], Any]:
        """Send a POST whose answer comes late; return once the engine has begun to work on it.

        Returns:
            What waits for the JSON of the answer, without a time limit.
        """
        response = self._ask("POST", path, params)
        _socket_of(response).settimeout(None)

        def read() -> Any:  # noqa: ANN401  # any JSON
            with response, _translated(self.address):
                return response.json()

        return read

    def hijack(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        tty: bool,
        json_body: Mapping[str, Any] | None = None,
    ) -> Stream:
        """Ask for a raw connection: after the answer's headers it belongs to the container."""
        headers = {"Connection": "Upgrade", "Upgrade": "tcp"}
        response = self._ask("POST", path, params, json_body=json_body, headers=headers, timeout=None)
        # The buffered reader, not the socket: output that came with the headers is in it already.
        reader: Any = response.raw._fp.fp  # type: ignore[union-attr]  # noqa: SLF001  # as the SDK does
        connection = _socket_of(response)
        connection.settimeout(None)
        return Stream(reader, connection, tty=tty, close=response.close)

    @contextmanager
    def _answered(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        **options: Any,  # noqa: ANN401  # those of _ask
    ) -> Iterator[requests.Response]:
        """Ask, and give the connection back once the answer has been read."""
        with self._ask(method, path, params, **options) as response, _translated(self.address):
            yield response

    def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        json_body: Mapping[str, Any] | None = None,
        archive: bytes | IO[bytes] | _Body | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = ANSWER_TIMEOUT,
        api: str | None = None,
    ) -> requests.Response:
        """Send one request and return its answer unread, unless it is a refusal."""
        from docker.errors import create_api_error_from_http_exception  # noqa: PLC0415  # imported by now
        from requests import HTTPError  # noqa: PLC0415

        # Archives are wanted as they are, not packed for the way.
        sent = {"Accept-Encoding": "identity", **(headers or {})}
        data: Any = archive
        if json_body is not None:
            data = json.dumps(json_body).encode()
            sent["Content-Type"] = "application/json"
        elif archive is not None:
            sent["Content-Type"] = "application/x-tar"
        log.debug("engine.ask", method=method, path=path, params=params)
        with _translated(self.address):
            response = self._sdk.request(
                method,
                f"{self._sdk.base_url}/v{api or self.version.api}{path}",
                params=dict(params or {}),
                data=data,
                headers=sent,
                timeout=timeout,
                stream=True,
            )
            try:
                response.raise_for_status()
            except HTTPError as error:
                create_api_error_from_http_exception(error)
        return response


class _Body:
    """A request's body, sent piece by piece: as it is where its length is known, otherwise in chunks."""

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


class _BodyReader:
    """Reads an answer's body piece by piece, as it comes."""

    def __init__(self, response: requests.Response, address: Address) -> None:
        self._pieces = _body(response)
        self._address = address

    def read1(self, _size: int, /) -> bytes:
        with _translated(self._address):
            return next(self._pieces, b"")


def _open(address: Address) -> APIClient:
    """Make the SDK's client for an address; nothing is sent."""
    import docker  # noqa: PLC0415  # a tenth of a second, only for those who need an engine

    if address.scheme != "tcp":
        from nixdock.engine.transport import DialAdapter, dial_path, dial_program, dial_words  # noqa: PLC0415

        path = address.socket_path
        # Any path will do for the SDK: its own way is replaced by ours.
        sdk = docker.APIClient(base_url="unix:///ours", version=OLDEST_API)
        dial = partial(dial_path, path) if path else partial(dial_program, dial_words(address))
        sdk.mount("http+docker://", DialAdapter(dial))
        return sdk
    from nixdock.engine.http_proxy import find_proxies  # noqa: PLC0415

    tls: docker.TLSConfig | bool = False
    if address.tls is not None:
        material = address.tls
        pair = (str(material.cert), str(material.key)) if material.cert and material.key else None
        authority = str(material.ca) if material.ca else None
        tls = docker.TLSConfig(client_cert=pair, ca_cert=authority, verify=material.verify)
    sdk = docker.APIClient(base_url=address.url, version=OLDEST_API, tls=tls)
    # What is in the environment for the web would win over an engine's own authority (REQUESTS_CA_BUNDLE).
    sdk.trust_env = False
    sdk.proxies = find_proxies(sdk.base_url, os.environ)
    if sdk.verify is True:
        # This machine's authorities rather than those that come with requests.
        paths = ssl.get_default_verify_paths()
        sdk.verify = paths.cafile or paths.capath or True
    return sdk


def _read_version(answer: Mapping[str, Any], pinned: str | None) -> EngineVersion:
    names = [component.get("Name") or "" for component in answer.get("Components") or ()]
    offered = str(answer.get("ApiVersion") or OLDEST_API)
    return EngineVersion(
        product="Podman" if "Podman Engine" in names else "Docker",
        version=str(answer.get("Version") or ""),
        api=pinned or min(offered, NEWEST_API, key=version_key),
        os=str(answer.get("Os") or "linux"),
        architecture=str(answer.get("Arch") or ""),
    )


@contextmanager
def _translated(address: Address) -> Iterator[None]:
    """Turn the failures of the libraries below into ours."""
    try:
        yield
    except Exception as error:
        ours = translate(error, address)
        if ours is None:
            raise
        raise ours from error


def _socket_of(response: requests.Response) -> socket.socket:
    """Return the socket below an answer that is still to be read."""
    found: socket.socket = response.raw._fp.fp.raw._sock  # type: ignore[union-attr]  # noqa: SLF001
    return found


def _body(response: requests.Response) -> Iterator[bytes]:
    """Yield an answer's body as it comes, chunk by chunk."""
    raw = response.raw
    return iter(raw.read_chunked()) if raw.chunked else iter(raw.stream(_PIECE))


def _read_messages(pieces: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of an answer, which may stand without anything between them."""
    decoder = json.JSONDecoder()
    text = ""
    for piece in pieces:
        text += piece.decode(errors="replace")
        while text := text.lstrip():
            try:
                message, end = decoder.raw_decode(text)
            except ValueError:
                break
            text = text[end:]
            yield message
    if text.strip():
        yield {"error": f"the engine's answer breaks off: {text.strip()[:200]}"}
