"""How long an engine is waited for: one clock for all that is asked of it, which cuts what takes too long.

Every request is a `PendingRequest` while it lasts. A plain one has `RESPONSE` seconds for all of it, or
`LABOUR`, however the engine spends them: a socket's own timeout begins anew with each byte. A long one
(wait, attach, logs, load) ends when the engine does not answer a ping on a second connection any more. Each
ends when the time is up that whoever asks has for everything (`--timeout`). What is asked for to clean up
has a short time of its own, counted from the beginning of the cleaning, so that it is tried even then.

A request is cut by shutting its socket down: whatever blocks there, reading or writing, returns.

Only a connection that could not be made or was cut at start-up is worth another try: an engine that
is just starting answers in a second or two. A response, whatever it says, is never asked for twice.
Nothing else in nixdock imports tenacity, and it is imported only once something is to be retried.
"""

from __future__ import annotations

import contextlib
import math
import socket
import threading
import time
from contextlib import contextmanager
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final, TypeVar

from nixdock.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tenacity import RetryCallState

log = get_logger(__name__)

Result = TypeVar("Result")

RESPONSE: Final = 30.0
"""Seconds that a plain request may take."""

LABOUR: Final = 300.0
"""Seconds that one may take whose work grows with an image's or a container's files."""

PING_PAUSE: Final = 10.0
"""Seconds between two pings while a long request lasts."""

PING: Final = 20.0
"""Seconds without an answer to a ping after which the engine is given up."""

CLEANING: Final = 8.0
"""Seconds for cleaning up."""

LATE_CLEANING: Final = 4.0
"""Seconds for cleaning up once the time is up, for all of it."""

MARGIN: Final = 4.0
"""Seconds beyond `--timeout`: for what comes before a container's start, and for killing it."""

_LAST_WORD: Final = 1.0
"""Seconds that each cleaning up has at least."""

_AGAIN: Final = 0.2
"""Seconds after which a request that was cut is cut again, if it still lasts: it had no socket yet."""


_STOPPED: Final = 2.0
"""Seconds of oversleeping that only a process that was stopped, or a machine out of breath, has."""


class CutReason(Enum):
    """Why a request was cut."""

    SILENT = auto()
    """It took longer than a request may take."""
    DEAD = auto()
    """The engine does not answer pings any more."""
    LATE = auto()
    """The time for everything is up."""


class PendingRequest:
    """A request that has not ended.

    Args:
        patience: Whose it is.
        what: Its method and path, for messages.
        end: When it has taken too long, by the monotonic clock; infinite for a long one.
        cleaning: Whether it is part of cleaning up, so that the time for everything says nothing.
    """

    def __init__(self, patience: Patience, what: str, end: float, *, cleaning: bool = False) -> None:
        self.what = what
        self._patience = patience
        self._end = end
        self._cleaning = cleaning
        self._connection: Any = None
        self._socket: socket.socket | None = None
        self.reason: CutReason | None = None

    @property
    def is_long(self) -> bool:
        """Whether it may last as long as the engine lives."""
        return math.isinf(self._end)

    def goes_over(self, connection: Any) -> None:  # noqa: ANN401  # urllib3's
        """Note the connection, whose socket may be made later."""
        self._connection = connection

    def holds(self, connection: socket.socket) -> None:
        """Note the socket, which outlives the connection of an answer that is read to its end."""
        self._socket = connection

    def lasts(self) -> None:
        """Make it a long one: the engine has begun with it, and lives."""
        self._end = self._end if self._cleaning else math.inf
        self._patience.note_life()

    def done(self) -> None:
        """Forget it; may be called again."""
        self._patience.forget(self)

    def due(self, until: float) -> tuple[float, CutReason]:
        """Return when it is to be cut, and why."""
        late = not self._cleaning and until <= self._end
        return (until, CutReason.LATE) if late else (self._end, CutReason.SILENT)

    def prolong(self, seconds: float) -> None:
        """Give it more time: we ourselves have slept meanwhile."""
        self._end += seconds

    def cut(self, reason: CutReason) -> None:
        """Have whoever blocks on its socket return."""
        self.reason = self.reason or reason
        for one in (getattr(self._connection, "sock", None), self._socket):
            # TLS over a proxy's TLS is no socket, but has one.
            found = getattr(one, "socket", one)
            if isinstance(found, socket.socket):
                with contextlib.suppress(OSError, ValueError):
                    # Below TLS, whose own method would wait for the other end.
                    socket.socket.shutdown(found, socket.SHUT_RDWR)


class Patience:
    """The clock of one connection to an engine.

    Args:
        seconds: How long everything may take, from now on and again from each `renew`; None is for ever.
        ping: Asks the engine for a sign of life; it raises where there is none.
    """

    def __init__(self, seconds: float | None, ping: Callable[[], object] = lambda: None) -> None:
        self.seconds = seconds
        self.ping = ping
        self._until = math.inf
        self._waits: list[PendingRequest] = []
        self._changed = threading.Condition()
        self._clock: threading.Thread | None = None
        self._closed = False
        self._pinged = time.monotonic()
        self._alive = self._pinged
        self._pinging = False
        self._own = threading.local()
        self.renew()

    @property
    def left(self) -> float:
        """Seconds that this thread may go on asking."""
        end: float = getattr(self._own, "end", self._until)
        return max(0.0, end - time.monotonic())

    @property
    def connecting(self) -> float:
        """Seconds that making a connection may take."""
        return max(0.01, min(RESPONSE, self.left))

    def renew(self) -> None:
        """Let the time begin anew: what comes next has nothing to do with the engine's time so far."""
        self.limit(None if self.seconds is None else self.seconds + MARGIN)

    def limit(self, seconds: float | None) -> None:
        """Set the time for everything, what is under way too; None is for ever."""
        with self._changed:
            self._until = math.inf if seconds is None else time.monotonic() + seconds
            self._changed.notify()

    def expect(self, what: str, seconds: float | None = None) -> PendingRequest:
        """Begin a request; whoever begins it says when it is done.

        Args:
            what: Its method and path.
            seconds: What it may take; infinite is a long one, and None what any plain one may take.
        """
        now = time.monotonic()
        end = now + (RESPONSE if seconds is None else seconds)
        mine: float | None = getattr(self._own, "end", None)
        wait = (
            PendingRequest(self, what, end)
            if mine is None
            else PendingRequest(self, what, min(end, mine), cleaning=True)
        )
        if wait.due(self._until)[0] <= now:
            # Not even begun: the watch would cut it too late to matter.
            wait.reason = wait.due(self._until)[1]
            return wait
        with self._changed:
            if not any(one.is_long for one in self._waits):
                self._pinged = self._alive = now
            # A process that was forked has none of its threads.
            if self._clock is None or not self._clock.is_alive():
                clock = threading.Thread(target=self._watch, name="patience", daemon=True)
                clock.start()
                self._clock = clock
            self._waits.append(wait)
            self._changed.notify()
        self._own.wait = wait
        return wait

    @property
    def latest(self) -> PendingRequest | None:
        """The request that this thread began last."""
        found: PendingRequest | None = getattr(self._own, "wait", None)
        return found

    @contextmanager
    def cleaning(self) -> Iterator[None]:
        """Give what this thread asks for inside a short time of its own, whatever time is left."""
        outer: float | None = getattr(self._own, "end", None)
        if outer is None:
            now = time.monotonic()
            self._own.end = max(now + _LAST_WORD, min(now + CLEANING, self._until + LATE_CLEANING))
        try:
            yield
        finally:
            if outer is None:
                del self._own.end

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Leave the time to somebody who has a clock of their own, and sets a limit when that is over."""
        until = self._until
        self.limit(None)
        try:
            yield
        finally:
            with self._changed:
                self._until = until
                self._changed.notify()

    def note_life(self) -> None:
        """Note that the engine has just answered something."""
        with self._changed:
            self._alive = time.monotonic()
            self._changed.notify()

    def forget(self, wait: PendingRequest) -> None:
        """Drop a request that has ended."""
        with self._changed, contextlib.suppress(ValueError):
            self._waits.remove(wait)

    def close(self) -> None:
        """Watch no more."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                pause = self._cut_what_is_due(now)
                self._changed.wait(max(0.01, min(pause, threading.TIMEOUT_MAX)))
                overslept = time.monotonic() - now - pause
                if overslept > _STOPPED:
                    # This process was stopped (Ctrl-Z): what the engine did meanwhile nobody has seen.
                    self._alive += overslept
                    for wait in self._waits:
                        wait.prolong(overslept)

    def _cut_what_is_due(self, now: float) -> float:
        """Cut what has taken too long, and return the seconds until there is something to do."""
        pause = math.inf
        dead = now - self._alive >= PING_PAUSE + PING
        for wait in self._waits:
            due, reason = wait.due(self._until)
            if now >= due:
                wait.cut(reason)
            elif dead and wait.is_long:
                wait.cut(CutReason.DEAD)
            pause = min(pause, _AGAIN if wait.reason else due - now)
        if any(wait.is_long for wait in self._waits):
            pause = min(pause, self._ping_in_time(now))
        return pause

    def _ping_in_time(self, now: float) -> float:
        """Ping if it is time to, and return the seconds until the next look."""
        next_one = self._pinged + PING_PAUSE
        if now >= next_one and not self._pinging:
            self._pinged = now
            # Where no thread can be started the next ping may do.
            with contextlib.suppress(RuntimeError):
                threading.Thread(target=self._ping, name="ping", daemon=True).start()
                self._pinging = True
            next_one = now + PING_PAUSE
        return min(max(_AGAIN, next_one - now), max(_AGAIN, self._alive + PING_PAUSE + PING - now))

    def _ping(self) -> None:
        responded = False
        with contextlib.suppress(Exception):
            self.ping()
            responded = True
        with self._changed:
            self._pinging = False
            if responded:
                self._alive = time.monotonic()
            self._changed.notify()


CONNECTION_ATTEMPTS: Final = 4
"""With the pauses below: given up after 0.7 s, so that a machine without an engine is told soon."""

FIRST_PAUSE: Final = 0.1
"""Seconds before the second attempt; each further pause is twice the one before."""


def call_with_retries(
    call: Callable[[], Result],
    *,
    retry_on: Callable[[BaseException], bool],
    attempts: int = CONNECTION_ATTEMPTS,
    first_pause: float = FIRST_PAUSE,
) -> Result:
    """Call until it succeeds, fails in a way that another try will not change, or was tried enough.

    Args:
        call: What to do; it must be safe to do again after a failure that `retry_on` accepts.
        retry_on: Whether a failure is worth another try.
        attempts: How often to call at most.
        first_pause: Seconds before the second attempt, doubled for each that follows.

    Returns:
        What the first successful call returned.

    Raises:
        Exception: The last failure, as it was raised.
    """
    # Most calls succeed at once: they pay neither for the import nor for the machinery.
    try:
        return call()
    except Exception as error:
        if attempts <= 1 or not retry_on(error):
            raise
        log.debug("retry.failed", attempt=1, error=repr(error))
    from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential  # noqa: PLC0415

    policy = Retrying(
        retry=retry_if_exception(retry_on),
        stop=stop_after_attempt(attempts - 1),
        wait=wait_exponential(multiplier=2 * first_pause),
        before_sleep=_tell,
        reraise=True,
    )
    policy.sleep(first_pause)
    return policy(call)


def _tell(state: RetryCallState) -> None:
    failure = state.outcome.exception() if state.outcome else None
    log.debug("retry.failed", attempt=state.attempt_number + 1, error=repr(failure))
