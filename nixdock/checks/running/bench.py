"""What all containers of one checking have in common, how each is made, and commands in one of their own."""

from __future__ import annotations

import shlex
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from nixdock.checks.model import CheckKind, ContainerSettings
from nixdock.checks.running.hardening import harden
from nixdock.engine.containers.attendance import Attendance
from nixdock.engine.containers.container import Streams, opened
from nixdock.engine.containers.image import EngineImage
from nixdock.engine.containers.mounts import hold_store, mount_paths
from nixdock.engine.containers.options.request import CreateRequest, make_request
from nixdock.engine.containers.owner import STEP, remember_detached
from nixdock.errors import CheckError, EngineError
from nixdock.events import ignore
from nixdock.outcome import Capture, RunOutcome
from nixdock.services.reaching import publish

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nixdock.checks.model import Command
    from nixdock.checks.verdict import CheckResult
    from nixdock.engine.connection.address import Address
    from nixdock.engine.containers.container import Container
    from nixdock.engine.containers.owner import Owner
    from nixdock.events import Listener


@dataclass(frozen=True, slots=True)
class Bench(EngineImage):
    """An image in an engine, and all that its containers have in common.

    Args:
        engine: Where it is.
        name: What the user calls it.
        run_as: The name or ID that surely means the image to the engine.
        details: The image, as the engine describes it.
        owner: The run that the containers belong to.
        settings: How every container is made.
        hardened: Whether containers get as few rights as they run with.
        folder: What relative file names in settings are relative to.
        keep: Whether a container whose check fails is kept.
        listener: Told what happens.
        cancelled: Set when nothing more is to be started.
    """

    owner: Owner
    settings: ContainerSettings = field(default_factory=ContainerSettings)
    hardened: bool = False
    folder: Path | None = None
    keep: bool = False
    listener: Listener = ignore
    cancelled: Event = field(default_factory=Event)

    def request(
        self,
        settings: ContainerSettings,
        *,
        stdin: bool = False,
        ports: Sequence[int] = (),
        own: Mapping[str, Any] | None = None,
    ) -> tuple[CreateRequest, tuple[str, ...]]:
        """Make the request for a container.

        Args:
            settings: What is said of this one, on top of what is said of all.
            stdin: Whether its standard input is ours.
            ports: TCP ports that must be reached from here.
            own: Members of the Engine API's request that are nixdock's own business.

        Returns:
            The request, and remarks on what hardening had to give up.

        Raises:
            UsageError: A setting that docker refuses too.
            CheckError: A port cannot be published.
        """
        settings = settings.over(self.settings)
        of_making = {name: value == "true" for name, value in settings.options}
        request = make_request(
            self.run_as,
            settings.command or (),
            settings.options,
            interactive=stdin or of_making.get("interactive", False),
            tty=of_making.get("tty", False),
            directory=self.folder,
            from_file=self.folder is not None,
        )
        return self.complete(request, settings, ports=ports, own=own)

    def complete(
        self,
        request: CreateRequest,
        settings: ContainerSettings,
        *,
        ports: Sequence[int] = (),
        own: Mapping[str, Any] | None = None,
    ) -> tuple[CreateRequest, tuple[str, ...]]:
        """Lay on a request what docker has no options for; see `request`."""
        body = merge(merge(request.body, settings.raw), own or {})
        body = merge(body, publish(ports, body, self.engine.address))
        given_up: tuple[str, ...] = ()
        if self.hardened or settings.hardened:
            body, given_up = harden(
                body,
                asked=frozenset(name for name, _ in settings.options),
                needs_network=f"port {', '.join(map(str, ports))} is asked" if ports else None,
                info=self.engine.info.raw,
            )
        return replace(request, body=body), tuple(f"not hardened: {what}" for what in given_up)

    @contextmanager
    def opened(self, request: CreateRequest) -> Iterator[Container]:
        """Create a container, and remove it at the end whatever happens.

        Raises:
            CheckError: The run has been stopped.
            EngineError: The engine has not the image, or refuses.
        """
        if self.cancelled.is_set():
            raise CheckError("the run was stopped")
        with opened(self, request, owner=self.owner, listener=self.listener) as container:
            yield container


def keep(container: Container, listener: Listener) -> str | None:
    """Have a container kept for the user to look at, and return the note that says how.

    The labels, which cannot be changed, still name this run: a note tells the next run that it is the
    user's.
    """
    try:
        remember_detached(container.id)
    except OSError:
        return None
    container.stays = container.was_left = True
    hold_store(container.subject.image, container.id, listener)
    name = container.name
    return (
        f"kept {name}: docker logs {name}, docker diff {name}, docker start -ai {name}, nixdock down {name}"
    )


def command_settings(command: Command) -> ContainerSettings:
    """Return what a command of a container of its own says of that container."""
    options: list[tuple[str, str]] = [("env", f"{name}={value}") for name, value in command.env.items()]
    if command.user is not None:
        options.append(("user", command.user))
    if command.workdir is not None:
        options.append(("workdir", command.workdir))
    return ContainerSettings(tuple(options), command.words or None)


def lend_tools(tools: Sequence[str], present: frozenset[str], address: Address) -> dict[str, Any]:
    """Return what mounts these store paths, and all that they reference, in a container.

    Args:
        tools: Store paths, or paths within them.
        present: The base names of the store paths that the image has itself.
        address: The engine's: it must see this machine's store.

    Raises:
        CheckError: The engine is on another machine, or a path is not in the store.
    """
    if not tools:
        return {}
    if not address.is_local:
        raise CheckError(f"tools can be lent only to an engine of this machine, not to {address.url}")
    from nixdock.nix.store import list_requisites, store_path_of  # noqa: PLC0415 - few suites lend tools

    roots: list[Path] = []
    for tool in tools:
        root = store_path_of(Path(tool))
        if root is None:
            raise CheckError(f"the tool {tool} is not in the Nix store")
        roots.append(root)
    paths = sorted(path for path in list_requisites(roots) if path.name not in present)
    for path in paths:
        # An engine follows the link, as root, and lends what it leads to.
        if path.is_symlink() and store_path_of(path.resolve()) is None:
            raise CheckError(
                f"the tools cannot be lent: {path} is a link to {path.resolve()}, outside of the Nix store"
            )
    return {"HostConfig": {"Mounts": mount_paths(map(str, paths))}}


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one JSON object over another: objects and mounts are joined, anything else is replaced."""
    joined = dict(below)
    for key, value in above.items():
        held = joined.get(key)
        if isinstance(held, Mapping) and isinstance(value, Mapping):
            joined[key] = merge(held, value)
        elif key == "Mounts" and isinstance(held, list):
            joined[key] = [*held, *value]
        else:
            joined[key] = value
    return joined


class ContainerKind(CheckKind, ABC):
    """A kind that makes a container of its own."""

    __slots__ = ()

    @abstractmethod
    def run(self, bench: Bench, timeout: float) -> CheckResult:
        """Do what it asks.

        Args:
            bench: The image.
            timeout: Seconds that it may take.

        Raises:
            NixdockError: It could not be done.
        """


@contextmanager
def after_steps(
    bench: Bench, steps: Sequence[Command], settings: ContainerSettings, timeout: float
) -> Iterator[tuple[Bench, list[str]]]:
    """Run commands, each in a container of its own with the files that the one before it left.

    Args:
        bench: The image of the first container.
        steps: The commands; their exit statuses are not looked at.
        settings: How the containers are made; none has a terminal.
        timeout: Seconds that each may take.

    Yields:
        The image that they left, which is removed at the end, and remarks.

    Raises:
        EngineError: One could not be run.
    """
    plain = replace(settings, options=tuple(one for one in settings.options if one[0] != "tty"))
    notes: list[str] = []
    with ExitStack() as made:
        for step in steps:
            with fresh_container(bench, step, plain) as container:
                outcome = run_to_end(container, step, timeout)
                if outcome.timed_out:
                    raise EngineError(f"{step.words[0]!r} did not end in time")
                image = bench.engine.commit_container(
                    container.id,
                    labels=bench.owner.labels(),
                    repository=STEP,
                    tag=f"{bench.owner.run}-{container.id[:12]}",
                )
            made.callback(bench.engine.remove_image, image, force=True, keep_parents=True)
            bench = replace(bench, run_as=image)
            if outcome.exit_code:
                line = shlex.join(step.words)
                notes.append(
                    f"the setup command {line} ended with {outcome.exit_code}, which is not looked at"
                )
        yield bench, notes


@contextmanager
def fresh_container(bench: Bench, command: Command, settings: ContainerSettings) -> Iterator[Container]:
    """Create a container for a command that replaces the image's Entrypoint, and remove it at the end."""
    request, _ = bench.request(
        command_settings(command).over(settings),
        stdin=command.stdin is not None,
        own={"Entrypoint": list(command.words), "Cmd": [], "Healthcheck": {"Test": ["NONE"]}},
    )
    with bench.opened(request) as container:
        yield container


def run_to_end(container: Container, command: Command, timeout: float) -> RunOutcome:
    """Start a container and stay until it has ended and all its output is here.

    Args:
        container: Created.
        command: What it reads from its standard input.
        timeout: Seconds after which it is killed.

    Raises:
        EngineError: It cannot be started, or the engine is gone.
    """
    with ExitStack() as stack:
        stdout, stderr = stack.enter_context(Capture()), stack.enter_context(Capture())
        stdin = None
        if command.stdin is not None:
            file = stack.enter_context(tempfile.TemporaryFile())
            file.write(command.stdin)
            file.seek(0)
            stdin = file.fileno()
        container.start(Streams(stdout.write, stderr.write, stdin=stdin))
        ended = Attendance(container, deadline=time.monotonic() + timeout).until_ended()
        return RunOutcome(ended.exit_code, stdout.output, stderr.output, ended.timed_out, ended.seconds)
