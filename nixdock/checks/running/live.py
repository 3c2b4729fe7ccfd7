"""A running service, as checks see it, and the HTTP requests that they send to it."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from abc import ABC, abstractmethod
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nixdock.checks.matchers.algebra import Between
from nixdock.checks.model import CheckKind
from nixdock.checks.verdict import findings_of
from nixdock.errors import CheckError, EngineError
from nixdock.outcome import Capture, Output, tail_of
from nixdock.services.reaching import execute, locate_port
from nixdock.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nixdock.checks.matchers.algebra import Matcher, Number
    from nixdock.checks.model import Command, HttpRequest
    from nixdock.checks.verdict import CheckResult, Finding
    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ContainerDetails
    from nixdock.outcome import RunOutcome

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


@dataclass(frozen=True, slots=True)
class LiveService:
    """A running service.

    Args:
        engine: Where it runs.
        container: Its ID.
        name: What the user calls it.
        logs: Gives what it has written so far.
        ready_seconds: Seconds from its start until it was ready; None where that was not measured.
        first_log_seconds: Seconds from its start to its first output; None where it wrote nothing.
        peak_memory: Gives the most memory it was seen to use.
        measure_starts: Starts others like it, until there were so many, and gives the medians of their
            seconds to readiness and to the first output.
        keep: Has it kept at the end for the user to look at; gives the note that says how, or None.
        again: A command that starts one like it, once it is gone; None where it stays.
        called: What the engine calls it, where it stays and that is not its name.
    """

    engine: Engine
    container: str
    name: str
    logs: Callable[[], Output]
    ready_seconds: float | None = None
    first_log_seconds: float | None = None
    peak_memory: Callable[[], int] = lambda: 0
    measure_starts: Callable[[int], tuple[float, float | None]] = lambda _: (0.0, None)
    keep: Callable[[], str | None] = lambda: None
    again: str | None = None
    called: str | None = None

    @property
    def word(self) -> str:
        """What names it in the lines of `by_hand`."""
        return "$c" if self.again else self.called or self.name

    def by_hand(self, line: str) -> str:
        """Return a command line about it that works when its verdicts are read.

        Args:
            line: The command, which names it by `word`.
        """
        return f"c=$({self.again}) && {line}" if self.again else line

    def details(self) -> ContainerDetails:
        """Ask the engine how it fares.

        Raises:
            CheckError: It is gone.
        """
        details = self.engine.find_container(self.container)
        if details is None:
            raise CheckError(f"the container of {self.name} is gone")
        return details

    def execute(self, command: Command, timeout: float) -> RunOutcome:
        """Run a command in it; see `nixdock.services.reaching.execute`."""
        return execute(
            self.engine,
            self.container,
            command.words,
            timeout,
            env=command.env,
            user=command.user,
            workdir=command.workdir,
            stdin=command.stdin,
        )

    def send(self, request: HttpRequest, timeout: float) -> HttpResponse:
        """Send a request to it.

        Raises:
            NoResponseError: There was no answer in time.
            CheckError: Its port cannot be reached.
        """
        host, port = self.address(request.port)
        return send_request(request, host, port, timeout)

    def address(self, port: int) -> tuple[str, int]:
        """Return the host and port at which one of its TCP ports answers.

        Raises:
            NoResponseError: It does not run.
            CheckError: The port is not published.
        """
        details = self.details()
        if not details.is_running:
            raise NoResponseError("the service does not run")
        return locate_port(details, port, self.engine.address)

    def end(self) -> str | None:
        """Say how it has ended; None while it runs, and where the engine cannot be asked."""
        try:
            details = self.details()
        except CheckError:
            return f"{self.name} is gone"
        except EngineError:
            return None
        if details.is_running:
            return None
        killed = ", out of memory" if details.oom_killed else ""
        return f"{self.name} has ended (exit status {details.exit_code}{killed})"

    def tail(self) -> str | None:
        """Return the last lines that it wrote, or None."""
        return tail_of(self.logs()) or None


class ServiceKind(CheckKind, ABC):
    """A kind of check that asks a running service."""

    __slots__ = ()

    needs_service = True

    @property
    def ports(self) -> tuple[int, ...]:
        """The service's TCP ports that it connects to."""
        return ()

    @property
    def watches_memory(self) -> bool:
        """Whether it asks how much memory the service took."""
        return False

    @abstractmethod
    def ask(self, live: LiveService, timeout: float) -> CheckResult:
        """Do once what it asks.

        Args:
            live: The service.
            timeout: Seconds that it may take.

        Raises:
            NixdockError: It could not be done, which says nothing about the image.
        """
