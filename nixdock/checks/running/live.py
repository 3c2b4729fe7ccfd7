"""A running service, as checks see it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from nixdock.checks.model import CheckKind
from nixdock.checks.running.web import HttpResponse, NoResponseError, send_request
from nixdock.errors import CheckError, EngineError
from nixdock.outcome import tail_of
from nixdock.services.reaching import execute, locate_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixdock.checks.model import Command, HttpRequest
    from nixdock.checks.verdict import CheckResult
    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ContainerDetails
    from nixdock.outcome import Output, RunOutcome


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

    ends_service: ClassVar[bool] = False
    """Whether the service has ended after it: it comes last."""

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
