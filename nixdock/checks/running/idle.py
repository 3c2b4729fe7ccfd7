"""An idle container in which commands are run, one at a time: its first process is the agent.

The engine's own exec takes fifty milliseconds of two processors for each command; the agent takes
one. A command reaches neither the agent nor what is run after it: see `Idle.sweep`.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final

from nixdock.checks.agent import FOLDER, PATH, pack_agent, read_agent
from nixdock.checks.agent.protocol import (
    CommandEnded,
    Greeted,
    Message,
    NotRun,
    Parser,
    ProtocolError,
    Swept,
    Wrote,
    write_kill,
    write_run,
    write_sweep,
)
from nixdock.checks.running.bench import merge
from nixdock.engine.connection.stream import STDOUT
from nixdock.engine.containers.failures import explain_start
from nixdock.errors import (
    CheckError,
    CommandNotExecutableError,
    CommandNotFoundError,
    EngineError,
    NixdockError,
)
from nixdock.outcome import Capture, RunOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nixdock.checks.model import Command, ContainerSettings
    from nixdock.checks.running.bench import Bench
    from nixdock.engine.connection.stream import Stream
    from nixdock.engine.containers.container import Container

START_SECONDS: Final = 30.0
"""Seconds that the agent has to say that it is there; a busy engine takes its time."""

_ANSWER_SECONDS: Final = 10.0
"""Seconds that the agent has to tell that it killed something."""


SLOW_SECONDS: Final = 1.0
"""Seconds after which a command in files that may be others is worth the question whether they are."""


class FilesInDoubtError(Exception):
    """A command was given up: it may have found other files than the image's."""


@dataclass(slots=True)
class _Request:
    """What the agent has been asked, and its answer."""

    ident: int
    stdout: Capture = field(default_factory=Capture)
    stderr: Capture = field(default_factory=Capture)
    answered: Event = field(default_factory=Event)
    answer: CommandEnded | NotRun | Swept | None = None


class Idle:
    """A started idle container.

    Args:
        container: With the agent in it, not started.
        notes: Remarks about how it was made.
    """

    def __init__(self, container: Container, notes: tuple[str, ...] = ()) -> None:
        self.container = container
        self.notes = notes
        self.confirm: Callable[[], bool] | None = None
        """Asks, where commands may have written, whether none has; a slow command is worth the question."""
        self._lock = Lock()
        self._request: _Request | None = None
        self._last = 0
        self._parser = Parser()
        self._greeting: Greeted | None = None
        self._greeted = Event()
        self._lost: Exception | None = None
        self._said = Capture()
        self._stream: Stream | None = None

    @property
    def is_usable(self) -> bool:
        """Whether it still takes commands."""
        return self._lost is None

    def start(self) -> None:
        """Start it and wait for the agent's greeting.

        Raises:
            EngineError: It cannot be started.
            CheckError: The agent does not answer.
        """
        engine, ident = self.container.engine, self.container.id
        self._stream = stream = engine.attach(ident, tty=False, stdin=True)
        wait = engine.wait_container(ident, condition="next-exit")
        self._begin_thread(lambda: self._watch(wait))
        try:
            engine.start_container(ident)
        except EngineError as error:
            raise explain_start(error, self.container.subject) from error
        self.container.started = True
        self._begin_thread(lambda: self._read(stream))
        if not self._greeted.wait(START_SECONDS) or self._lost is not None:
            raise self._lost or CheckError(f"nixdock's agent did not start within {START_SECONDS:.0f} s")

    def run(self, command: Command, timeout: float) -> RunOutcome:
        """Run a command to its end, or to the end of its time; one at a time.

        Args:
            command: What to run; `user` is the container's own business.
            timeout: Seconds after which it is killed.

        Raises:
            CommandNotFoundError: It is not in the image.
            CommandNotExecutableError: It cannot be executed.
            CheckError: The container ended meanwhile, or answers what the agent does not say.
            FilesInDoubtError: It takes long, and commands before it may have written.
        """
        began = time.monotonic()

        def write(ident: int) -> bytes:
            return write_run(ident, command.words, command.env, command.workdir or "", command.stdin or b"")

        with self._asked(write) as request:
            in_time, is_sure = self._await_end(request, timeout)
            if not in_time:
                self._send(write_kill(request.ident))
            answer = self._answer(request)
            if not is_sure:
                raise FilesInDoubtError
            match answer:
                case NotRun() as failure:
                    raise explain_failure(failure, command)
                case CommandEnded(exit_code=exit_code):
                    return RunOutcome(
                        exit_code=exit_code,
                        stdout=request.stdout.output,
                        stderr=request.stderr.output,
                        timed_out=not in_time,
                        seconds=time.monotonic() - began,
                    )
                case _:
                    raise self._lose(CheckError("nixdock's agent answers what it was not asked"))

    def _await_end(self, request: _Request, timeout: float) -> tuple[bool, bool]:
        """Wait for a command's end; return whether it came, and whether the files were surely the image's."""
        if self.confirm is not None and timeout > SLOW_SECONDS:
            if request.answered.wait(SLOW_SECONDS):
                return True, True
            # What waits for what a command before it has done would wait for ever.
            if not self.confirm():
                return False, False
            timeout -= SLOW_SECONDS
        return request.answered.wait(timeout), True

    def sweep(self) -> bool:
        """Kill what commands left, and say whether the container is fit for the next command.

        It is not where a process cannot be killed, where the agent is not as it was at first, and where
        commands may have rights by which they could reach it.
        """
        try:
            with self._asked(write_sweep) as request:
                answer = self._answer(request)
        except NixdockError:
            return False
        exposed = self._greeting is None or self._greeting.is_exposed
        return answer == Swept(request.ident, is_clean=True) and not exposed

    def close(self) -> None:
        """Tell the agent to end, by the end of its input, and hang up."""
        if self._stream is not None:
            self._stream.close_input()
            self._stream.close()

    @contextmanager
    def _asked(self, write: Callable[[int], bytes]) -> Iterator[_Request]:
        """Send the agent a request, and take what it answers as long as the block lasts."""
        self._last += 1
        request = _Request(self._last)
        try:
            words = write(request.ident)
        except ValueError as error:
            raise CheckError(str(error)) from error
        with request.stdout, request.stderr:
            with self._lock:
                if self._lost is not None:
                    raise self._lost
                self._request = request
            try:
                self._send(words)
                yield request
            finally:
                with self._lock:
                    self._request = None

    def _answer(self, request: _Request) -> CommandEnded | NotRun | Swept:
        """Wait for the answer that must come now."""
        if not request.answered.wait(_ANSWER_SECONDS):
            raise self._lose(CheckError(f"nixdock's agent did not answer within {_ANSWER_SECONDS:.0f} s"))
        if request.answer is None:
            raise self._lost or CheckError("the idle container is gone")
        return request.answer

    def _send(self, request: bytes) -> None:
        with suppress(OSError):  # that it is cut is told by the watch
            if self._stream is not None:
                self._stream.write(request)

    def _begin_thread(self, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - raised by whoever waits for an answer
                self._lose(error)

        Thread(target=run, daemon=True).start()

    def _read(self, stream: Stream) -> None:
        try:
            for number, piece in stream.pieces():
                if number == STDOUT:
                    for message in self._parser.feed(piece):
                        self._handle(message)
                else:
                    self._said.write(piece)
        except ProtocolError as error:
            self._lose(CheckError(str(error)))
        except OSError as error:
            self._lose(CheckError(f"its output cannot be kept: {error.strerror or error}"))

    def _handle(self, message: Message) -> None:
        if isinstance(message, Greeted):
            self._greeting = message
            self._greeted.set()
            return
        with self._lock:
            request = self._request
            if request is None or message.ident != request.ident or request.answered.is_set():
                raise ProtocolError(f"the agent answers what it was not asked: {type(message).__name__}")
            match message:
                case Wrote(to_stderr=True, data=data):
                    request.stderr.write(data)
                case Wrote(data=data):
                    request.stdout.write(data)
                case _:
                    request.answer = message
                    request.answered.set()

    def _watch(self, wait: Callable[[], int]) -> None:
        exit_code = wait()
        said = self._said.output[:500].decode(errors="replace").strip()
        why = f": {said}" if said else ""
        self._lose(CheckError(f"the idle container ended (exit status {exit_code}){why}"))

    def _lose(self, error: Exception) -> Exception:
        """Note why nothing it says counts any more, and have whoever waits know; return it."""
        with self._lock:
            self._lost = self._lost or error
            if self._request is not None:
                self._request.answered.set()
        self._greeted.set()
        return self._lost


@contextmanager
def idle_container(
    bench: Bench, settings: ContainerSettings, own: Mapping[str, object] | None = None
) -> Iterator[Idle]:
    """Start an idle container of an image, and remove it at the end.

    Args:
        bench: The image.
        settings: What is said of this container.
        own: Further members of the request: mounts of tools.

    Raises:
        EngineError: It cannot be created or started.
        CheckError: There is no agent for the engine's machine.
    """
    program = read_agent(bench.engine.version.architecture)
    if program is None:
        raise CheckError(f"nixdock has no agent for {bench.engine.version.architecture}")
    request, notes = bench.request(
        settings,
        stdin=True,
        own=merge(
            own or {},
            {
                "Entrypoint": [PATH],
                "Cmd": [],
                "Tty": False,
                "Healthcheck": {"Test": ["NONE"]},
                "Volumes": {FOLDER: {}},
                # All output goes by the agent's: kept in a log of the engine's it would be written twice.
                # The agent must be the first process itself: it is then out of reach of signals, too.
                "HostConfig": {"LogConfig": {"Type": "none"}, "Init": False},
            },
        ),
    )
    # Hung up only after the removal: an agent that ends by itself meanwhile is one that Podman, asked
    # to remove it by force, fails to kill.
    with ExitStack() as hanging_up, bench.opened(request) as container:
        # A volume takes it even where the container's own root is read-only.
        bench.engine.put_archive(container.id, FOLDER, pack_agent(program))
        idle = Idle(container, notes)
        hanging_up.callback(idle.close)
        idle.start()
        yield idle


def explain_failure(failure: NotRun, command: Command) -> EngineError | CheckError:
    """Say why a command could not be run, in the words that the engine's own failures have."""
    program = command.words[0]
    reason = os.strerror(failure.error)
    if failure.in_directory:
        return CheckError(f"the folder {command.workdir} cannot be entered in the container: {reason}")
    if failure.error in {errno.ENOENT, errno.ENOTDIR}:
        hint = "its interpreter may be what is missing: nixdock lint tells" if "/" in program else None
        return CommandNotFoundError(f"there is no {program!r} in the image", hint=hint)
    if failure.error in {errno.EACCES, errno.ENOEXEC, errno.EISDIR, errno.EPERM, errno.ELOOP}:
        return CommandNotExecutableError(f"{program!r} in the image cannot be executed: {reason}")
    return CheckError(f"{program!r} could not be run in the container: {reason}")
