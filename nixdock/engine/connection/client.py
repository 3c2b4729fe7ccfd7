"""The connection to an engine: what is asked goes the way that fits, and comes back as one kind of response.

There are two ways. An engine on this machine is asked by our own client (`nixdock.engine.connection.plain`);
an engine elsewhere, and what streams, goes over the docker SDK (`nixdock.engine.connection.transport`), which
is imported when it is first needed, for that takes longer than all questions of an `up`. Requests and
responses are passed on as the Engine API defines them, and `nixdock.engine.connection.api` gives them names
and types.
"""

from __future__ import annotations

import json
import math
import threading
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from nixdock.engine.connection import decoding
from nixdock.engine.connection.decoding import REFUSAL_LIMIT, decode, read_messages, read_refusal
from nixdock.engine.connection.patience import CONNECTION_ATTEMPTS, PING, Patience, call_with_retries
from nixdock.engine.connection.plain import PlainTransport, is_plain
from nixdock.engine.connection.refusals import (
    EngineRefusedError,
    EngineUnreachableError,
    explain_cut,
    is_not_ready,
    nonsense,
    translate,
)
from nixdock.engine.connection.responses import EngineVersion
from nixdock.engine.connection.stream import Stream
from nixdock.engine.connection.ways import import_sdk
from nixdock.errors import EngineError
from nixdock.image.extent import read_piece
from nixdock.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping

    from nixdock.engine.connection.address import Address
    from nixdock.engine.connection.decoding import Response
    from nixdock.engine.connection.patience import PendingRequest
    from nixdock.engine.connection.transport import ArchiveBody
    from nixdock.engine.connection.ways import Transport
    from nixdock.image.extent import Piece

log = get_logger(__name__)

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def open_connection(address: Address, *, pinned: str | None, seconds: float | None) -> Connection:
    """Connect to the engine at an address, and ask for its version.

    Args:
        address: Where it answers.
        pinned: The API version to speak, whatever it offers; None where it is to be agreed on.
        seconds: How long the engine may be waited for in all; None is for ever.
    """
    connection = Connection(address, Patience(seconds))
    with ExitStack() as failing:
        failing.callback(connection.close)
        # A cut ssh connection is ssh's own answer, said on stderr: once is enough.
        response = call_with_retries(
            lambda: connection.ask("/version", shape=decoding.VERSION, api=""),
            retry_on=is_not_ready,
            attempts=1 if address.scheme == "ssh" else CONNECTION_ATTEMPTS,
        )
        failing.pop_all()
    version = connection.version = EngineVersion.from_json(response, pinned)
    log.debug("engine.connected", url=address.url, product=version.product, api=version.api)
    return connection


class Connection:
    """Sends requests to one engine; several threads may share it.

    Args:
        address: Where it answers.
        patience: How long it is waited for.
    """

    version: EngineVersion
    """What it said of itself; known once it has been asked."""

    def __init__(self, address: Address, patience: Patience) -> None:
        self.address = address
        self.patience = patience
        self._opening = threading.Lock()
        self._plain: Transport | None = PlainTransport(address, patience) if is_plain(address) else None
        self._sdk: Transport | None = None
        self._closed = False
        with self._translated(None):
            self._choose(by_sdk=False)
        patience.ping = self._ping

    def close(self) -> None:
        """Close all connections."""
        self.patience.close()
        with self._opening:
            self._closed = True
        for transport in (self._plain, self._sdk):
            if transport is not None:
                transport.close()

    def ask(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        shape: object,
        method: str = "GET",
        may_lack: bool = False,
        json_body: Mapping[str, Any] | None = None,
        seconds: float | None = None,
        api: str | None = None,
    ) -> Any:  # noqa: ANN401  # any JSON
        """Return the JSON of a response.

        Args:
            path: Below the API version.
            params: The query.
            shape: What the response looks like, of `nixdock.engine.connection.decoding`.
            method: Of HTTP.
            may_lack: Whether None is returned for what is not there, and nothing raised.
            json_body: What is sent along.
            seconds: How long it may take; infinite is as long as the engine lives.
            api: The API version, where it is not the one that was agreed on; empty for none.

        Raises:
            EngineError: The response looks otherwise, or is a refusal.
        """
        try:
            with self._responding(
                method, path, params, json_body=json_body, seconds=seconds, api=api
            ) as response:
                return decode(response, shape, f"{method} {path}")
        except EngineRefusedError as error:
            if may_lack and error.status == 404:
                return None
            raise

    def send(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        body: bytes | None = None,
        seconds: float | None = None,
        tolerate: int | None = None,
        api: str | None = None,
    ) -> None:
        """Send a request whose response says nothing.

        Args:
            method: Of HTTP.
            path: Below the API version.
            params: The query.
            body: A tar archive to send along.
            seconds: How long it may take; infinite is as long as the engine lives.
            tolerate: The status of a refusal that is as good as success.
            api: The API version, where it is not the one that was agreed on; empty for none.
        """
        try:
            with self._responding(method, path, params, archive=body, seconds=seconds, api=api) as response:
                # To its end, so that the connection serves the next request too.
                response.read(REFUSAL_LIMIT)
        except EngineRefusedError as error:
            if error.status != tolerate:
                raise

    def pieces(self, path: str, params: Mapping[str, Any] | None = None) -> Generator[bytes]:
        """Yield the body that a GET answers, as it comes, as long as the engine lives."""
        with self._responding("GET", path, params, seconds=math.inf) as response:
            yield from response.pieces()

    def messages(
        self,
        path: str,
        params: Mapping[str, Any] | None,
        *,
        archive: Iterable[Piece],
        size: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Send an archive and yield the JSON messages of the answer, as long as the engine lives.

        Args:
            path: Below the API version.
            params: The query.
            archive: Its pieces.
            size: How many bytes these are; they are sent in chunks when None.
        """
        _, archive_body = import_sdk()
        # Only what goes out as it is, over a socket that we connect ourselves, can be sent from a file.
        by_reading = size is None or self.address.scheme == "tcp"
        body = archive_body(map(read_piece, archive) if by_reading else archive, size)
        options = {"archive": body, "seconds": math.inf, "by_sdk": True}
        with self._responding("POST", path, params, **options) as response:
            yield from read_messages(response.pieces(), f"POST {path}")

    def stream(self, path: str, params: Mapping[str, Any] | None, *, tty: bool) -> Stream:
        """Read a container's output from the body that a GET answers, as long as the engine lives."""
        response, wait = self._ask("GET", path, params, seconds=math.inf)
        pieces = response.pieces()
        reader = _Reader(self, wait, lambda _size: next(pieces, b""), passes=False)
        return Stream(reader, None, tty=tty, close=partial(_end, response, wait))

    def begin(
        self, path: str, params: Mapping[str, Any] | None = None, *, shape: object
    ) -> Callable[[], Any]:
        """Send a POST whose answer comes late; return once the engine has begun to work on it.

        Returns:
            What waits for the JSON of the answer, as long as the engine lives.
        """
        response, wait = self._ask("POST", path, params)
        wait.lasts()

        def read() -> Any:  # noqa: ANN401  # any JSON
            with self._reading(response, wait):
                return decode(response, shape, f"POST {path}")

        return read

    def hijack(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        tty: bool,
        json_body: Mapping[str, Any] | None = None,
        by_sdk: bool = True,
    ) -> Stream:
        """Ask for a raw connection: after the answer's headers it belongs to the container."""
        headers = {"Connection": "Upgrade", "Upgrade": "tcp"}
        response, wait = self._ask("POST", path, params, json_body=json_body, headers=headers, by_sdk=by_sdk)
        wait.lasts()
        source, connection = response.source, response.socket
        if source is None or connection is None:
            _end(response, wait)
            raise nonsense(f"POST {path}", "the connection has ended with the answer's headers")
        return Stream(
            _Reader(self, wait, source.read1, passes=True),
            connection,
            tty=tty,
            close=partial(_end, response, wait),
        )

    def _ping(self) -> None:
        try:
            self.send("GET", "/_ping", seconds=PING, api="")
        except EngineRefusedError:
            # A response, whatever it says: somebody may have forbidden this question.
            log.debug("engine.ping-refused")

    @contextmanager
    def _responding(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        **options: Any,  # noqa: ANN401  # those of _ask
    ) -> Iterator[Response]:
        """Ask, and give the connection back once the answer has been read."""
        response, wait = self._ask(method, path, params, **options)
        with self._reading(response, wait):
            yield response

    @contextmanager
    def _reading(self, response: Response, wait: PendingRequest) -> Iterator[None]:
        try:
            with self._translated(wait):
                yield
        finally:
            _end(response, wait)

    def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        json_body: Mapping[str, Any] | None = None,
        archive: bytes | ArchiveBody | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
        api: str | None = None,
        by_sdk: bool = False,
    ) -> tuple[Response, PendingRequest]:
        """Send one request; return its answer unread, unless it is a refusal, and what watches over it."""
        # Archives are wanted as they are, not packed for the way.
        sent = {"Accept-Encoding": "identity", **(headers or {})}
        data: Any = archive
        if json_body is not None:
            data = json.dumps(json_body).encode()
            sent["Content-Type"] = "application/json"
        elif archive is not None:
            sent["Content-Type"] = "application/x-tar"
        log.debug("engine.ask", method=method, path=path, params=params)
        version = "" if api == "" else f"/v{api or self.version.api}"
        wait = self.patience.expect(f"{method} {path}", seconds)
        with ExitStack() as failing, self._translated(wait):
            failing.callback(wait.done)
            if wait.reason is not None:
                raise explain_cut(wait.reason, wait.what, self.address)
            response = self._choose(by_sdk=by_sdk).request(
                method, f"{version}{path}", params, body=data, headers=sent
            )
            if response.socket is not None:
                wait.holds(response.socket)
            if response.status >= 400 or response.status in _REDIRECTS:
                failing.callback(_end, response, wait)
                raise read_refusal(response, f"{method} {path}")
            failing.pop_all()
        return response, wait

    def _choose(self, *, by_sdk: bool) -> Transport:
        """Return the way that a request goes: the SDK's where there is no other, or where it streams."""
        if self._plain is not None and not by_sdk:
            return self._plain
        sdk_transport, _ = import_sdk()
        with self._opening:
            if self._sdk is None:
                if self._closed:
                    # A thread that goes on by itself: nobody would close what it opens.
                    raise EngineUnreachableError("the connection to the engine has been closed")
                self._sdk = sdk_transport(self.address, self.patience)
            return self._sdk

    @contextmanager
    def _translated(self, wait: PendingRequest | None) -> Iterator[None]:
        """Turn the failures of the libraries below into ours, and those that we made into their reasons."""
        try:
            yield
        except EngineError:
            raise
        except Exception as error:
            ours = self.explain_cut(wait) or translate(error, self.address, "" if wait is None else wait.what)
            if ours is None:
                raise
            raise ours from error

    def explain_cut(self, wait: PendingRequest | None) -> EngineError | None:
        """Return why we have cut a request; None where we have not."""
        return (
            None if wait is None or wait.reason is None else explain_cut(wait.reason, wait.what, self.address)
        )


def _end(response: Response, wait: PendingRequest) -> None:
    # In this order: its connection may serve somebody else from now on, and must not be cut any more.
    wait.done()
    response.close()


class _Reader:
    """Reads what an answer goes on with, piece by piece, as it comes.

    Args:
        connection: Where it comes from.
        wait: The request.
        read: Returns the next piece, and nothing at the end.
        passes: Whether failures of the socket itself are passed on, as an end that somebody else tells of.
    """

    def __init__(
        self, connection: Connection, wait: PendingRequest, read: Callable[[int], bytes], *, passes: bool
    ) -> None:
        self._connection = connection
        self._wait = wait
        self._read = read
        self._passes = passes

    def read1(self, size: int, /) -> bytes:
        try:
            piece = self._read(size)
        except Exception as error:
            ours = self._connection.explain_cut(self._wait)
            if ours is None and not self._passes:
                ours = translate(error, self._connection.address, self._wait.what)
            if ours is None:
                raise
            raise ours from error
        if not piece and (ours := self._connection.explain_cut(self._wait)) is not None:
            # What was cut by us looks like an end.
            raise ours
        return piece
