"""Running one container as `docker run` does: its output is ours, its exit code is ours, then it is gone."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from nixdock.engine.connection.patience import MARGIN
from nixdock.engine.connection.refusals import EngineLateError
from nixdock.engine.containers.attendance import Attendance, ContainerEnd
from nixdock.engine.containers.container import Streams, opened
from nixdock.engine.containers.mounts import hold_store
from nixdock.engine.containers.options.request import make_request
from nixdock.engine.containers.options.values import parse_whole
from nixdock.engine.containers.owner import TARGET, Owner, remember_detached
from nixdock.engine.containers.sweeping import sweep_containers, sweep_used
from nixdock.engine.containers.terminal import DEFAULT_DETACH_KEYS, parse_detach_keys
from nixdock.errors import DeadlineError, EngineError, UsageError
from nixdock.events import Notice, Warned
from nixdock.services.reaching import describe_ports
from nixdock.units import format_duration
from nixdock.usecases.output import DescriptorSink, passage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ContainerDetails
    from nixdock.engine.containers.container import Container, Sink
    from nixdock.engine.containers.image import EngineImage
    from nixdock.engine.containers.options.request import CreateRequest, GivenOptions
    from nixdock.events import Listener
    from nixdock.usecases.prepare import TargetImage

_DEADLINE_SLACK = 60.0
"""Seconds beyond `--timeout` after which a container is left over whatever its owner does."""


class Keeper(Protocol):
    """Has the containers of runs beyond these, and may call one off: whoever runs one after the other."""

    def take(self, container: Container, life: ExitStack) -> None:
        """Have a container from now on, which is removed when its life is closed."""

    def attend(self, container: Container) -> None:
        """Note which container is attended to by now: it is told of what calls its run off."""

    def calls_off(self) -> bool:
        """Whether nobody wants the run to go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How to run a container.

    Args:
        command: The words after the image; its own Cmd when empty.
        options: docker's options, by the table's names.
        detach: `-d`: it is the user's once it runs.
        interactive: `-i`: its standard input is ours.
        tty: `-t`: it gets a terminal.
        remove: `--rm`: with `-d`, the engine removes it when it has ended.
        keep: `--keep`: it is not removed at the end.
        timeout: Seconds after which it is killed; None is never.
        detach_keys: The keys that leave a container with a terminal.
        variables: Environment variables below those of the options.
        keeper: Who has the container afterwards; signals are its business then. None is nobody.
    """

    command: tuple[str, ...] = ()
    options: GivenOptions = ()
    detach: bool = False
    interactive: bool = False
    tty: bool = False
    remove: bool = False
    keep: bool = False
    timeout: float | None = None
    detach_keys: str | None = None
    variables: tuple[str, ...] = ()
    keeper: Keeper | None = None

    def request(self, image: str) -> CreateRequest:
        """Make the request to create the container.

        Raises:
            UsageError: A value that docker refuses too, or options that exclude each other.
        """
        if self.remove and self.keep:
            raise UsageError("--rm and --keep exclude each other", hint="leave one of them out")
        if not self.detach:
            self._check_attached()
        return make_request(
            image,
            self.command,
            self.options,
            detach=self.detach,
            interactive=self.interactive,
            tty=self.tty,
            auto_remove=self.remove and self.detach,
            variables=self.variables,
        )

    def streams(self, stdout: Sink | None = None, stderr: Sink | None = None) -> Streams:
        """Return where the container's streams go: ours, unless told otherwise."""
        return Streams(
            stdout or DescriptorSink(1),
            stderr or DescriptorSink(2),
            stdin=0 if self.interactive else None,
            detach_keys=self.detach_keys or DEFAULT_DETACH_KEYS,
        )

    @property
    def stop_timeout(self) -> int | None:
        """Seconds that a container has to end, as the user says now; None where that is not said."""
        given = [text for name, text in self.options if name == "stop-timeout"]
        return parse_whole(given[-1]) if given else None

    def is_called_off(self) -> bool:
        """Whether its keeper does not want it to go on."""
        return self.keeper is not None and self.keeper.calls_off()

    def owner(self) -> Owner:
        """Make the owner of the container."""
        return Owner.make(seconds=None if self.timeout is None else self.timeout + _DEADLINE_SLACK)

    def deadline(self, engine: Engine) -> float | None:
        """Return when its time is up, by the monotonic clock, if it starts now.

        Args:
            engine: Told that it is waited for so long, and a moment more in which the container is killed.
        """
        if self.timeout is None:
            return None
        engine.patience.limit(self.timeout + MARGIN)
        return time.monotonic() + self.timeout

    def _check_attached(self) -> None:
        policy = dict(self.options).get("restart", "no")
        if policy not in {"", "no"}:
            raise UsageError("--restart needs -d: an attached container ends with its process", hint="add -d")
        if self.tty and self.interactive and not os.isatty(0):
            raise UsageError("the input device is not a TTY", hint="leave -t out, or run it in a terminal")
        if self.detach_keys:
            try:
                parse_detach_keys(self.detach_keys)
            except ValueError as error:
                raise UsageError(str(error), hint="write them as ctrl-p,ctrl-q") from error


def run(image: TargetImage, options: RunOptions, listener: Listener) -> int:
    """Run a container to its end and return the exit status that goes with it.

    Args:
        image: What to run.
        options: How to run it.
        listener: Whom to tell what happens.

    Raises:
        EngineError: It cannot be created or started; of its command with docker's exit status.
        DeadlineError: Its time was up.
        BrokenPipeError: The reader of our output went away.
    """
    return status_of(run_to_end(image, options, listener, options.streams()), options)


def run_to_end(
    image: TargetImage,
    options: RunOptions,
    listener: Listener,
    streams: Streams,
    request: CreateRequest | None = None,
) -> ContainerEnd:
    """Run a container to its end, or until the user leaves it running; see `run`.

    Args:
        image: What to run.
        options: How to run it.
        listener: Whom to tell what happens.
        streams: Where its output goes.
        request: What to create, where that is more than the options say.
    """
    with created(image, options, listener, request=request) as container:
        deadline = options.deadline(container.engine)
        container.start(streams, then=ports_teller(listener))
        attendance = Attendance(container, deadline=deadline, listener=listener)
        if options.keeper is None:
            ended = attendance.until_ended()
        else:
            # One that is called off ends as if Ctrl-C had stopped it.
            ended = attendance.until(options.is_called_off) or ContainerEnd(0, 0.0, stopped_by=signal.SIGINT)
        if ended.detached:
            leave(container, listener)
    return ended


def start(image: TargetImage, options: RunOptions, listener: Listener) -> str:
    """Start a container that is the user's from then on, and return its ID.

    Raises:
        EngineError: It cannot be created or started.
    """
    with created(image, options, listener) as container:
        container.start(then=ports_teller(listener))
        return container.id


def ports_teller(listener: Listener) -> Callable[[Container], None]:
    """Return what tells where the ports of a container are that has just started."""

    def tell(container: Container) -> None:
        host = container.request.body.get("HostConfig") or {}
        if host.get("PortBindings") or host.get("PublishAllPorts"):
            with suppress(EngineError):
                tell_ports(container.engine, container.engine.find_container(container.id), listener)

    return tell


def tell_ports(
    engine: Engine, details: ContainerDetails | None, listener: Listener, name: str | None = None
) -> None:
    """Say where the published ports of a running container are.

    Args:
        engine: Where it runs.
        details: It, as the engine describes it; None where it is gone.
        listener: Whom to tell.
        name: What to call it, where more than one may be meant.
    """
    for line in () if details is None else describe_ports(details, engine.address):
        listener(Notice(f"{name}: {line}" if name else line))


@contextmanager
def created(
    image: TargetImage,
    options: RunOptions,
    listener: Listener,
    *,
    request: CreateRequest | None = None,
    labels: Mapping[str, str] | None = None,
    catch_signals: bool = True,
    afterwards: Callable[[], object] = lambda: None,
) -> Iterator[Container]:
    """Create the container of a run, after what dead runs left has been removed.

    Args:
        image: What to run.
        options: How to run it.
        listener: Whom to tell what happens.
        request: What to create, where that is more than the options say.
        labels: Further labels.
        catch_signals: Whether Ctrl-C and the like are told to whoever attends the container.
        afterwards: What is done once the container is gone, or is left.
    """
    place = image.in_engine()
    request = request or options.request(place.run_as)
    if image.artefact is None:
        # Whoever loads one has said so.
        _warn_of_platform(place, listener)
    engine = place.engine
    sweep_containers(engine)
    keeper = options.keeper
    try:
        with ExitStack() as life:
            container = life.enter_context(
                opened(
                    place,
                    request,
                    owner=options.owner(),
                    labels={TARGET: image.key, **(labels or {})},
                    stays=options.detach or options.keep,
                    catch_signals=catch_signals and keeper is None,
                    afterwards=afterwards,
                    listener=listener,
                )
            )
            if keeper is not None:
                keeper.attend(container)
            # Before it starts: it stays, too, should we be killed then.
            held = container.stays
            if held:
                hold_store(container.subject.image, container.id, listener)
            try:
                yield container
            finally:
                if container.stays and container.started and not held:
                    hold_store(container.subject.image, container.id, listener)
                if options.keep and container.started and not container.was_left:
                    with engine.patience.cleaning():
                        _tell_kept(container, listener)
            if keeper is not None:
                keeper.take(container, life.pop_all())
    finally:
        passage.end()
        # Its time is over; what is asked of the engine next has its own.
        engine.patience.renew()
    with suppress(EngineLateError), engine.patience.cleaning():
        sweep_used(engine)


def status_of(ended: ContainerEnd, options: RunOptions) -> int:
    """Return the exit status of a run without expectations.

    Raises:
        DeadlineError: Its time was up.
        OSError: Its output could not be passed on; a BrokenPipeError where nobody wanted it.
    """
    if ended.timed_out:
        limit = format_duration(options.timeout or ended.seconds)
        raise DeadlineError(
            f"the container was killed: it ran longer than {limit}", hint="--timeout gives it more time"
        )
    if ended.sink_error is not None:
        raise ended.sink_error
    if ended.stopped_by is not None:
        return 128 + ended.stopped_by
    return 0 if ended.detached else ended.exit_code


def leave(container: Container, listener: Listener) -> None:
    """Leave a container running for the user, who typed the keys for that."""
    container.stays = container.was_left = True
    name = container.name
    try:
        remember_detached(container.id)
    except OSError as error:
        listener(Warned(f"{name} is removed by the next run: this cannot be noted down: {error.strerror}"))
    listener(Notice(f"{name} runs on: docker attach {name}, or nixdock down {name}"))


def _tell_kept(container: Container, listener: Listener) -> None:
    """Say where the container is that was not removed."""
    name = container.name
    listener(Notice(f"kept {name}: docker logs {name}, docker diff {name}, nixdock down {name}"))


def _warn_of_platform(image: EngineImage, listener: Listener) -> None:
    """Say it when the image is for another architecture: it may yet run, by emulation."""
    theirs, ours = image.details.architecture, image.engine.version.architecture
    if theirs and ours and theirs != ours:
        listener(Warned(f"{image.name} is for {theirs}, the engine's machine is {ours}"))
