"""An idle container in which commands are run: its first process is the agent.

The engine's own exec takes fifty milliseconds of two processors for each command; the agent takes
one. Commands run side by side, each with its own output and time limit.
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
    Ended,
    Greeted,
    Message,
    NotRun,
    Parser,
    ProtocolError,
    Wrote,
    write_kill,
    write_run,
)
from nixdock.checks.outcome import Capture, RunOutcome
from nixdock.checks.running.bench import merge
from nixdock.engine.failures import explain_start
from nixdock.engine.stream import STDOUT
from nixdock.errors import (
    CheckError,
    CommandNotExecutableError,
    CommandNotFoundError,
    EngineError,
    NixdockError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nixdock.checks.model import Command, ContainerSettings
    from nixdock.checks.running.bench import Bench
    from nixdock.engine.container import Container
    from nixdock.engine.stream import Stream

START_SECONDS: Final = 30.0
"""Seconds that the agent has to say that it is there; a busy engine takes its time."""

_KILL_SECONDS: Final = 10.0


@dataclass(slots=True)
class _Running:
    """A command that the agent has been given."""

    stdout: Capture = field(default_factory=Capture)
    stderr: Capture = field(default_factory=Capture)
    ended: Event = field(default_factory=Event)
    exit_code: int = 0
    failure: NotRun | None = None
    lost: NixdockError | None = None


class Idle:
    """A started idle container.

    Args:
        container: With the agent in it, not started.
        notes: Remarks about how it was made.
    """

    def __init__(self, container: Container, notes: tuple[str, ...] = ()) -> None:
        self.container = container
        self.notes = notes
        self._lock = Lock()
        self._sending = Lock()
        self._running: dict[int, _Running] = {}
        self._last = 0
        self._parser = Parser()
        self._greeted = Event()
        self._lost: NixdockError | None = None
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
        self._stream = engine.attach(ident, tty=False, stdin=True)
        wait = engine.wait_container(ident, condition="next-exit")
        Thread(target=self._watch, args=(wait,), daemon=True).start()
        try:
            engine.start_container(ident)
        except EngineError as error:
            raise explain_start(error, self.container.subject) from error
        self.container.started = True
        Thread(target=self._read, args=(self._stream,), daemon=True).start()
        if not self._greeted.wait(START_SECONDS) or self._lost is not None:
            raise self._lost or CheckError(f"nixdock's agent did not start within {START_SECONDS:.0f} s")

    def run(self, command: Command, timeout: float) -> RunOutcome:
        """Run a command to its end, or to the end of its time. Several threads may.

        Args:
            command: What to run; `user` is the container's own business.
            timeout: Seconds after which it is killed.

        Raises:
            CommandNotFoundError: It is not in the image.
            CommandNotExecutableError: It cannot be executed.
            CheckError: The container ended meanwhile.
        """
        began = time.monotonic()
        ident, running = self._begin(command)
        with running.stdout, running.stderr:
            in_time = running.ended.wait(timeout)
            if not in_time:
                self._send(write_kill(ident))
                running.ended.wait(_KILL_SECONDS)
            with self._lock:
                self._running.pop(ident, None)
            if running.lost is not None:
                raise running.lost
            if running.failure is not None:
                raise explain_failure(running.failure, command)
            return RunOutcome(
                exit_code=running.exit_code,
                stdout=running.stdout.output,
                stderr=running.stderr.output,
                timed_out=not in_time,
                seconds=time.monotonic() - began,
            )

    def close(self) -> None:
        """Tell the agent to end, by the end of its input, and hang up."""
        if self._stream is not None:
            self._stream.close_input()
            self._stream.close()

    def _begin(self, command: Command) -> tuple[int, _Running]:
        running = _Running()
        with self._lock:
            if self._lost is not None:
                raise self._lost
            self._last += 1
            ident = self._last
            self._running[ident] = running
        try:
            request = write_run(
                ident, command.words, command.env, command.workdir or "", command.stdin or b""
            )
        except ValueError as error:
            raise CheckError(str(error)) from error
        self._send(request)
        return ident, running

    def _send(self, request: bytes) -> None:
        # One request at a time: a connection takes long ones in pieces.
        with self._sending, suppress(OSError):  # that it is cut is told by the watch
            if self._stream is not None:
                self._stream.write(request)

    def _read(self, stream: Stream) -> None:
        try:
            with suppress(OSError, ValueError):  # that it is cut is told by the watch
                for number, piece in stream.read():
                    if number == STDOUT:
                        self._take(piece)
                    else:
                        self._said.write(piece)
        except EngineError as error:
            self._lose(CheckError(error.message))

    def _take(self, piece: bytes) -> None:
        try:
            for message in self._parser.feed(piece):
                self._handle(message)
        except ProtocolError as error:
            self._lose(CheckError(str(error)))

    def _handle(self, message: Message) -> None:
        if isinstance(message, Greeted):
            self._greeted.set()
            return
        running = self._running.get(message.ident)
        if running is None:
            return
        match message:
            case Wrote(to_stderr=True, data=data):
                running.stderr.write(data)
            case Wrote(data=data):
                running.stdout.write(data)
            case Ended(exit_code=exit_code):
                running.exit_code = exit_code
                running.ended.set()
            case NotRun():
                running.failure = message
                running.ended.set()

    def _watch(self, wait: Callable[[], int]) -> None:
        try:
            exit_code = wait()
        except EngineError as error:
            self._lose(error)
            return
        said = self._said.output[:500].decode(errors="replace").strip()
        why = f": {said}" if said else ""
        self._lose(CheckError(f"the idle container ended (exit status {exit_code}){why}"))

    def _lose(self, error: NixdockError) -> None:
        with self._lock:
            self._lost = self._lost or error
            running = tuple(self._running.values())
        for one in running:
            if not one.ended.is_set():
                one.lost = error
                one.ended.set()
        self._greeted.set()


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
    request, given_up = bench.request(
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
                "HostConfig": {"LogConfig": {"Type": "none"}},
            },
        ),
    )
    # Hung up only after the removal: an agent that ends by itself meanwhile is one that Podman, asked
    # to remove it by force, fails to kill.
    with ExitStack() as hanging_up, bench.opened(request) as container:
        # A volume takes it even where the container's own root is read-only.
        bench.engine.put_archive(container.id, FOLDER, pack_agent(program))
        idle = Idle(container, tuple(f"not hardened: {what}" for what in given_up))
        hanging_up.callback(idle.close)
        idle.start()
        yield idle


def explain_failure(failure: NotRun, command: Command) -> EngineError | CheckError:
    """Say why a command could not be run, in the words that the engine's own failures have."""
    program = command.words[0]
    reason = os.strerror(failure.error)
    if failure.in_folder:
        return CheckError(f"the folder {command.workdir} cannot be entered in the container: {reason}")
    if failure.error in {errno.ENOENT, errno.ENOTDIR}:
        hint = "its interpreter may be what is missing: nixdock lint tells" if "/" in program else None
        return CommandNotFoundError(f"there is no {program!r} in the image", hint=hint)
    if failure.error in {errno.EACCES, errno.ENOEXEC, errno.EISDIR, errno.EPERM, errno.ELOOP}:
        return CommandNotExecutableError(f"{program!r} in the image cannot be executed: {reason}")
    return CheckError(f"{program!r} could not be run in the container: {reason}")
