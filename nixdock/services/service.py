"""A service as a program has it: where it answers, what it wrote, commands in it, waiting for it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nixdock.errors import DeadlineError
from nixdock.services.identity import read_tail
from nixdock.services.reaching import execute, locate_port
from nixdock.services.readiness import NotReadyError, explain_end

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.containers.attendance import Attendance
    from nixdock.engine.containers.container import Container
    from nixdock.outcome import Output, Recorder, RunOutcome

READY_WITHIN: Final = 60.0
"""Seconds that a service has to be ready, unless told."""


@dataclass(frozen=True)
class Service:
    """A running container that is removed when its context ends.

    Args:
        container: The container.
        attendance: At the container.
        stdout: What it has written to its standard output.
        stderr: What it has written to its standard error.
    """

    container: Container
    attendance: Attendance
    stdout: Recorder
    stderr: Recorder

    @property
    def id(self) -> str:
        """The container's ID."""
        return self.container.id

    @property
    def name(self) -> str:
        """The container's name."""
        return self.container.name

    @property
    def engine(self) -> Engine:
        """Where it runs."""
        return self.container.engine

    def is_running(self) -> bool:
        """Say whether its first process still runs."""
        details = self.engine.find_container(self.id)
        return details is not None and details.is_running

    def logs(self) -> tuple[Output, Output]:
        """Return what it has written so far, to standard output and to standard error."""
        return self.stdout.output, self.stderr.output

    def port(self, number: int) -> int:
        """Return where a TCP port of it answers on the engine's machine.

        Raises:
            CheckError: It is not published: name it among the `ports` of `serve`.
        """
        return self._locate(number)[1]

    def url(self, port: int, path: str = "/", *, scheme: str = "http") -> str:
        """Return the address of a path at a port of it.

        Raises:
            CheckError: The port is not published.
        """
        host, number = self._locate(port)
        return f"{scheme}://{host}:{number}{path}"

    def run(
        self,
        words: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
        folder: str | None = None,
        stdin: bytes | None = None,
        timeout: float = 60.0,
    ) -> RunOutcome:
        """Run a command in it; no shell is involved.

        Args:
            words: The command and its arguments.
            environment: Further variables.
            user: Whom to run it as; the image's own user when None.
            folder: Its working directory; the image's own when None.
            stdin: What it reads.
            timeout: Seconds after which its outcome is `timed_out`.

        Raises:
            CommandNotFoundError: It is not in the image.
            EngineError: The engine refused.
        """
        return execute(
            self.engine, self.id, words, timeout, env=environment, user=user, workdir=folder, stdin=stdin
        )

    def wait_until(self, ready: Callable[[], bool], *, within: float = READY_WITHIN) -> None:
        """Wait for a condition; a container that ends meanwhile is an error at once.

        Raises:
            NotReadyError: It ended before.
            DeadlineError: It did not come true in time.
        """
        if ready():
            # What it did counts even once it has ended.
            return
        end = time.monotonic() + within

        def is_ready() -> bool:
            if ready():
                return True
            if time.monotonic() > end:
                raise DeadlineError(f"{self.name} was not ready within {within:g} s")
            return False

        ended = self.attendance.until(is_ready)
        if ended is not None:
            raise explain_end(self.name, ended, read_tail(self.engine, self.id) or None)

    def wait_for_log(self, text: str, *, within: float = READY_WITHIN) -> None:
        """Wait until it has written a text, to either stream.

        Raises:
            NixdockError: As for `wait_until`.
        """
        wanted = text.encode()
        self.wait_until(lambda: any(output.find(wanted) >= 0 for output in self.logs()), within=within)

    def _locate(self, port: int) -> tuple[str, int]:
        details = self.engine.find_container(self.id)
        if details is None:
            raise NotReadyError(f"the container {self.id[:12]} is gone")
        return locate_port(details, port, self.engine.address)
