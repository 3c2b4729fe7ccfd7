"""One container from its creation to its removal.

The output is attached before the start, so that nothing of it is lost; a container that has ended is
never attached to, for that hangs. What happens (an exit, the end of the output, a signal, a reader
that went away) comes to one queue, which the main thread reads: see `nixdock.engine.containers.attendance`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

from nixdock.engine.connection.refusals import EngineLateError, EngineUnreachableError
from nixdock.engine.connection.responses import read_stop_timeout
from nixdock.engine.connection.stream import STDERR, STDOUT
from nixdock.engine.containers.failures import HEAD, explain_create, explain_start
from nixdock.engine.containers.image import ImageCommand
from nixdock.engine.containers.mounts import create
from nixdock.engine.containers.owner import MARKED, RUN, find_ours, mark_of
from nixdock.engine.containers.terminal import (
    DetachKeys,
    await_item,
    caught,
    parse_detach_keys,
    raw_mode,
    read_size,
)
from nixdock.errors import EngineError
from nixdock.events import Warned, ignore
from nixdock.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.stream import Stream
    from nixdock.engine.containers.image import EngineImage
    from nixdock.engine.containers.options.request import CreateRequest
    from nixdock.engine.containers.owner import Owner
    from nixdock.events import Listener

log = get_logger(__name__)

Sink = Callable[[bytes], object]
"""Takes a piece of output; a BrokenPipeError says that nobody wants any more."""

_STDOUT: Final = 1

_OTHER_PLATFORM: Final = "The requested image's platform"
"""How docker's warning begins that an image is for another machine."""

_RESIZE_TRIES: Final = 5
_INPUT_PIECE: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Exited:
    """The container's process has ended."""

    exit_code: int


@dataclass(frozen=True, slots=True)
class OutputEnded:
    """All output has been passed on."""


@dataclass(frozen=True, slots=True)
class SinkFailed:
    """Output could not be passed on: its reader went away, or its disk is full."""

    error: OSError


@dataclass(frozen=True, slots=True)
class SignalCaught:
    """A signal came for us."""

    number: int


@dataclass(frozen=True, slots=True)
class Detached:
    """The user typed the keys that leave the container running."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The engine does not answer any more; or nixdock itself failed."""

    error: Exception


Happening = Exited | OutputEnded | SinkFailed | SignalCaught | Detached | Lost


@dataclass(frozen=True, slots=True)
class Streams:
    """Where a container's output goes, the descriptor that its input comes from, and docker's detach keys."""

    stdout: Sink
    stderr: Sink
    stdin: int | None = None
    detach_keys: str | None = None


@contextmanager
def opened(
    image: EngineImage,
    request: CreateRequest,
    *,
    owner: Owner,
    labels: Mapping[str, str] | None = None,
    stays: bool = False,
    catch_signals: bool = True,
    afterwards: Callable[[], object] = lambda: None,
    listener: Listener = ignore,
) -> Iterator[Container]:
    """Create a container, and remove it at the end whatever happens.

    One that stays is not removed once it has started; `Container.stays` may yet change that. Until what is to
    be done afterwards is done, Ctrl-C and the like are told as happenings, if they are to be caught.

    Raises:
        EngineError: The engine has not the image, or refuses.
    """
    marked = {**(request.body.get("Labels") or {}), **owner.labels(stays=stays), **(labels or {})}
    happenings: SimpleQueue[Happening | None] = SimpleQueue()
    engine = image.engine
    with caught(lambda number: happenings.put(SignalCaught(number))) if catch_signals else nullcontext():
        mark = owner.mark()
        host = {**(request.body.get("HostConfig") or {}), MARKED: mark}
        body = {**request.body, "Labels": marked, "HostConfig": host}
        try:
            container = _create(image, replace(request, body=body))
        except (EngineUnreachableError, EngineLateError):
            with engine.patience.cleaning():
                _clear(engine, mark, owner, listener)
            raise
        container.happenings = happenings
        container.stays = stays
        for warning in container.warnings:
            # An image for another machine has been told of by us, in fewer words.
            if not warning.startswith(_OTHER_PLATFORM):
                listener(Warned(warning))
        try:
            yield container
        finally:
            container.close()
            if not (container.stays and container.started):
                with engine.patience.cleaning():
                    _remove(container, listener)
            afterwards()


def _remove(container: Container, listener: Listener) -> None:
    """Remove a container; a failure is told, and must not hide how the run went."""
    try:
        container.remove()
    except EngineError as error:
        name = container.id[:12]
        again = "the next run tries again"
        listener(Warned(f"the container {name} could not be removed: {error.message}; {again}"))


def _clear(engine: Engine, mark: str, owner: Owner, listener: Listener) -> None:
    """Remove what an engine has created without saying so, if it can be asked."""
    try:
        for container in find_ours(engine, labels=[f"{RUN}={owner.run}"]):
            details = engine.find_container(container.id)
            if details is not None and mark_of(details) == mark:
                engine.remove_container(container.id)
                return
    except EngineError as error:
        log.debug("container.clear-failed", error=error.message)
    listener(Warned("the engine may yet create a container for this run; the next run removes it"))


def _create(image: EngineImage, request: CreateRequest) -> Container:
    size = read_size(_STDOUT) if request.tty else None
    body = dict(request.body)
    if size and image.engine.traits.sizes_new_terminals:
        body["HostConfig"] = {**body["HostConfig"], "ConsoleSize": list(size)}
    try:
        created, image = create(image, request, body)
    except EngineError as error:
        raise explain_create(error, image.name) from error
    return Container(created.id, request, ImageCommand.of(image, body), created.warnings)


class Container:
    """A container that exists.

    Attributes:
        started: Whether it was started.
        attached: Whether its output comes to us.
        stays: Whether it is not removed at the end, if it was started.
        was_left: Whether it was left running on purpose, which the user knows.
    """

    def __init__(
        self, ident: str, request: CreateRequest, subject: ImageCommand, warnings: tuple[str, ...] = ()
    ) -> None:
        self.engine = subject.image.engine
        self.id = ident
        self.request = request
        self.subject = subject
        self.warnings = warnings
        self.happenings: SimpleQueue[Happening | None] = SimpleQueue()
        self.started = False
        self.fault: Exception | None = None
        self.stays = False
        self.was_left = False
        self.attached = False
        self.started_at = 0.0
        self.output_at = 0.0
        self._heads = {STDOUT: bytearray(), STDERR: bytearray()}
        self._cleanup = ExitStack()

    @property
    def head(self) -> bytes:
        """The first bytes of standard error, or of what a terminal merged; all of it while it is short."""
        return bytes(self._heads[STDOUT if self.request.tty else STDERR])

    @property
    def name(self) -> str:
        """Its name, as the engine has it."""
        details = self.engine.find_container(self.id)
        return details.name if details else self.id[:12]

    def start(
        self, streams: Streams | None = None, *, then: Callable[[Container], None] | None = None
    ) -> None:
        """Start it.

        Args:
            streams: Where its streams go; None leaves it detached.
            then: Called as soon as it runs, before any of its output is passed on.

        Raises:
            EngineError: It cannot be started; of its command, with docker's exit status for that.
        """
        try:
            # Podman prepares the process when it is attached to, so that fails there already.
            stream = None if streams is None else self._attach(streams)
            wait = self.engine.wait_container(self.id, condition="next-exit")
            self._thread(self._watch, wait)
            self.engine.start_container(self.id)
        except EngineError as error:
            raise explain_start(error, self.subject) from error
        self.started = True
        self.started_at = self.output_at = time.monotonic()
        if then is not None:
            then(self)
        if stream is not None and streams is not None:
            self._thread(self._copy_output, stream, streams)
            self._connect_input(stream, streams)

    def next(self, timeout: float | None = None) -> Happening | None:
        """Return what happened next; None when nothing did in time, or a None was put there."""
        return await_item(self.happenings, timeout)

    def signal(self, number: int) -> None:
        """Send a signal to its first process."""
        self.engine.kill_container(self.id, signal.Signals(number).name)

    def kill(self) -> None:
        """End it at once."""
        self.engine.kill_container(self.id)

    @property
    def stop_timeout(self) -> int:
        """Seconds that it has to end when it is asked to; for ever when negative."""
        return read_stop_timeout(self.request.body)

    def begin_stop(self) -> None:
        """Ask it to end, and have it killed after its stop timeout; its exit happens later."""
        self._thread(self._stop)

    def remove(self) -> None:
        """Remove it and its anonymous volumes, running or not."""
        self.close()
        self.engine.remove_container(self.id)

    def close(self) -> None:
        """Give back the terminal and the connections."""
        self._cleanup.close()

    def _attach(self, streams: Streams) -> Stream:
        stream = self.engine.attach(
            self.id,
            tty=self.request.tty,
            stdin=self.request.stdin,
            detach_keys=streams.detach_keys if self.request.tty else None,
        )
        self._cleanup.callback(stream.close)
        self.attached = True
        return stream

    def _connect_input(self, stream: Stream, streams: Streams) -> None:
        if streams.stdin is None or not self.request.stdin:
            self._follow_size()
            return
        keys = None
        if self.request.tty:
            keys = DetachKeys(parse_detach_keys(streams.detach_keys)) if streams.detach_keys else None
            self._cleanup.enter_context(raw_mode(streams.stdin))
        self._follow_size()
        self._thread(self._copy_input, stream, streams.stdin, keys)

    def _follow_size(self) -> None:
        """Keep its terminal as large as ours."""
        if not self.request.tty or read_size(_STDOUT) is None:
            return
        self._thread(self._resize, _RESIZE_TRIES)
        if threading.current_thread() is threading.main_thread():
            before = signal.signal(signal.SIGWINCH, lambda _number, _frame: self._thread(self._resize, 1))
            self._cleanup.callback(signal.signal, signal.SIGWINCH, before)

    def _resize(self, tries: int) -> None:
        for attempt in range(tries):
            size = read_size(_STDOUT)
            if size is None:
                return
            with contextlib.suppress(EngineError):
                self.engine.resize_container(self.id, rows=size[0], columns=size[1])
                return
            # The process may not have its terminal yet.
            time.sleep(0.01 * (attempt + 1))

    def _copy_output(self, stream: Stream, streams: Streams) -> None:
        sinks = {STDOUT: streams.stdout, STDERR: streams.stderr}
        try:
            for number, piece in stream.read():
                self.output_at = time.monotonic()
                head = self._heads[number]
                if len(head) < HEAD:
                    head += piece[: HEAD - len(head)]
                try:
                    sinks[number](piece)
                except OSError as error:
                    self.happenings.put(SinkFailed(error))
                    sinks[number] = _discard
        except EngineError as error:
            self.happenings.put(Lost(error))
        except (OSError, ValueError) as error:
            log.debug("container.output-cut", error=repr(error))
        self.happenings.put(OutputEnded())

    def _copy_input(self, stream: Stream, descriptor: int, keys: DetachKeys | None) -> None:
        try:
            while piece := os.read(descriptor, _INPUT_PIECE):
                left = False
                if keys is not None:
                    piece, left = keys.feed(piece)
                if piece:
                    stream.write(piece)
                if left:
                    self.happenings.put(Detached())
                    return
        except OSError as error:
            # The process does not read any more; whether it ended is told elsewhere.
            log.debug("container.input-ended", error=repr(error))
            return
        stream.close_input()

    def _watch(self, wait: Callable[[], int]) -> None:
        try:
            self.happenings.put(Exited(wait()))
        except EngineError as error:
            self.happenings.put(Lost(error))

    def _stop(self) -> None:
        try:
            self.engine.stop_container(self.id, grace=self.stop_timeout)
        except EngineError as error:
            log.debug("container.stop-failed", error=error.message)

    def _thread(self, work: Callable[..., None], *arguments: object) -> None:
        # Daemons: one that waits for a key, or for a dead engine, must not keep us from ending.
        def run() -> None:
            try:
                work(*arguments)
            except Exception as error:  # noqa: BLE001 - raised by the one that attends to it
                self.fault = error
                self.happenings.put(Lost(error))

        threading.Thread(target=run, daemon=True).start()


def _discard(_piece: bytes) -> None:
    """Take output that nobody wants any more."""
