"""HTTP requests to a service's published port, and their answers."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nixdock.checks.matchers.algebra import Between
from nixdock.checks.verdict import findings_of
from nixdock.outcome import Capture, Output
from nixdock.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nixdock.checks.matchers.algebra import Matcher, Number
    from nixdock.checks.model import HttpRequest
    from nixdock.checks.verdict import Finding

_PIECE: Final = 1 << 16
_FINE: Final = Between(200, 399)


class NoResponseError(Exception):
    """There was no answer, or none that is HTTP."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer.

    Args:
        status: Its status.
        headers: By lower-case names; what came several times is joined by commas.
        body: Its body, undone of its transfer encoding.
    """

    status: int
    headers: Mapping[str, str]
    body: Output


def send_request(request: HttpRequest, host: str, port: int, timeout: float) -> HttpResponse:
    """Send a request and read its answer; redirections are not followed.

    Args:
        request: What to send.
        host: Where to.
        port: The port there.
        timeout: Seconds for all of it.

    Raises:
        NoResponseError: There was no answer in time.
    """
    connection = _connect(request.scheme, host, port, timeout)
    late = threading.Event()
    try:
        began = time.monotonic()
        connection.connect()
        with _cut_off(connection.sock, max(0.0, began + timeout - time.monotonic()), late):
            connection.request(request.method, request.path, request.body, dict(request.headers))
            with connection.getresponse() as response:
                return _read(response)
    except TimeoutError as error:
        raise NoResponseError(f"no complete answer within {format_duration(timeout)}") from error
    except (OSError, http.client.HTTPException) as error:
        if late.is_set():
            raise NoResponseError(f"no complete answer within {format_duration(timeout)}") from error
        raise NoResponseError(_explain(error)) from error
    finally:
        connection.close()


def _connect(scheme: str, host: str, port: int, timeout: float) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=timeout)
    # A service under test has a certificate of its own making, if any.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=timeout, context=context)


@contextmanager
def _cut_off(connection: socket.socket, timeout: float, late: threading.Event) -> Iterator[None]:
    """End a connection after a time, for an answer that trickles in never times out by itself."""

    def cut() -> None:
        late.set()
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(timeout, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
        if late.is_set():
            raise TimeoutError
    finally:
        timer.cancel()


def _read(response: http.client.HTTPResponse) -> HttpResponse:
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    with Capture() as body:
        try:
            while piece := response.read1(_PIECE):
                body.write(piece)
        except ConnectionResetError as error:
            raise http.client.IncompleteRead(b"", response.length) from error
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        return HttpResponse(response.status, headers, body.output)


def _explain(error: OSError | http.client.HTTPException) -> str:
    match error:
        # Whether a close comes as an end or as a reset hangs on what had been read when it came: an engine
        # that forwards to a port on which nobody listens does both.
        case ConnectionResetError() | BrokenPipeError():
            return "the connection was closed without an answer"
        case http.client.IncompleteRead(expected=None):
            return "the connection was closed amid the answer"
        case http.client.IncompleteRead(expected=missing):
            return f"the connection was closed with {missing} bytes of the answer to come"
        case http.client.HTTPException():
            return f"the answer is not HTTP ({type(error).__name__})"
        case _:
            return f"no connection: {error.strerror or error}"


def judge_status(expected: Matcher[Number] | None, response: HttpResponse) -> list[Finding]:
    """Return how a response's status is not as expected."""
    return findings_of("status", (expected or _FINE).judge(response.status))
