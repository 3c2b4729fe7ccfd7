"""nixdock as a library: build, load, run and check, and containers that clean up after themselves.

    import nixdock

    nixdock.load("hello-docker.nix")
    assert nixdock.run("hello-docker.nix").exit_code == 0

    with nixdock.serve("web.nix", ports=[80], environment={"TZ": "UTC"}) as web:
        urllib.request.urlopen(web.url(80))
        assert web.run(["/bin/web", "--version"]).stdout.startswith(b"web 1.")

Targets are those of the command line: a file, a flake reference, an archive, an image of the engine.
What goes wrong is a `nixdock.errors.NixdockError`. Nothing is printed: give a `listener` to be told.
"""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from nixdock.engine.connection import address
from nixdock.engine.connection.api import connect as connect_to
from nixdock.engine.containers.attendance import Attendance
from nixdock.engine.containers.container import Streams
from nixdock.engine.containers.options.table import find_name
from nixdock.errors import DeadlineError, UsageError
from nixdock.events import ignore
from nixdock.nix import builder
from nixdock.nix.command import NixOptions
from nixdock.nix.store import hold_roots
from nixdock.nix.target import ArtefactTarget, ImageTarget, parse
from nixdock.outcome import Recorder, RunOutcome
from nixdock.services.readiness import Readiness
from nixdock.services.service import READY_WITHIN, Service
from nixdock.usecases import check as checking
from nixdock.usecases import device as adding
from nixdock.usecases.check import CheckOptions
from nixdock.usecases.load import LoadOptions, load_target
from nixdock.usecases.prepare import prepared
from nixdock.usecases.run import RunOptions, created, ports_teller

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nixdock.checks.verdict import Report
    from nixdock.engine.connection.api import Engine
    from nixdock.engine.containers.options.request import GivenOptions
    from nixdock.engine.loading.load import LoadedImage
    from nixdock.events import Listener
    from nixdock.nix.artefact import Artefact
    from nixdock.usecases.device import Device


def connect(*, context: str | None = None, host: str | None = None) -> Engine:
    """Connect to an engine; use the answer as a context manager, or close it.

    Args:
        context: The docker context that names it.
        host: Its address, as DOCKER_HOST takes it. Without both, what docker itself would use.

    Raises:
        UsageError: There is no such context, or both are given.
        EngineError: No engine answers there.
    """
    return connect_to(address.choose(context=context, host=host))


def build(
    target: str | Path | None = None,
    *,
    nix: NixOptions | None = None,
    link: Path | None = None,
    listener: Listener = ignore,
) -> tuple[Artefact, ...]:
    """Build images with Nix; of a set or list of images, all.

    Args:
        target: What to build; `./default.nix` when None.
        nix: nix-build's options.
        link: The link to make to the result, which keeps it from Nix's garbage collector; none when None.
        listener: Whom to tell what happens.

    Raises:
        UsageError: The target is no file, or names what is built already.
        BuildError: It cannot be built.
    """
    nix = nix or NixOptions()
    found = parse(_text(target), expression=nix.expression)
    if isinstance(found, ImageTarget | ArtefactTarget):
        raise UsageError(
            f"'{found.text}' is nothing that Nix builds", hint="name a .nix file or a flake reference"
        )
    with hold_roots() as roots:
        request = builder.BuildRequest(expectations=True, link=link)
        return builder.build(found, nix, listener, roots=roots, request=request)


def load(
    target: str | Path | None = None,
    *,
    tags: Sequence[str] = (),
    platform: str | None = None,
    nix: NixOptions | None = None,
    engine: Engine | None = None,
    listener: Listener = ignore,
) -> tuple[LoadedImage, ...]:
    """Build what a target names, and have the engine load all its images.

    Args:
        target: What to load.
        tags: Names to give to the image beside its own.
        platform: Which image of an index to take, as `os/architecture[/variant]`; what the engine runs when
            None.
        nix: nix-build's options.
        engine: Where it goes; what docker itself would use when None.
        listener: Whom to tell what happens.

    Raises:
        NixdockError: It cannot be built, read or loaded.
    """
    nix = nix or NixOptions()
    options = LoadOptions.parse(tags, platform)
    found = parse(_text(target), expression=nix.expression)
    with _engine(engine) as where:
        return load_target(where, found, nix, listener, options)


def add_device(
    target: str | Path | None = None,
    *,
    name: str | None = None,
    directory: Path | None = None,
    nix: NixOptions | None = None,
    engine: Engine | None = None,
    listener: Listener = ignore,
) -> Device:
    """Make a device of an image's store paths, and have the engine load the image without them.

    Any program can then make containers of both, as `docker run --device` does: the device is `id` of the
    answer, the image `image`. Other containers of the engine have it, too, until `nixdock device rm`.

    Args:
        target: What to build.
        name: The device's name; the last part of the image's when None.
        directory: Where its file goes, of those in which the engine looks; the first of them when None.
        nix: nix-build's options.
        engine: Where it goes; what docker itself would use when None.
        listener: Whom to tell what happens.

    Raises:
        NixdockError: It cannot be built or loaded, or the engine has no such devices.
    """
    nix = nix or NixOptions()
    found = parse(_text(target), expression=nix.expression)
    with _engine(engine) as where:
        return adding.add_device(where, found, nix, listener, name=name, directory=directory)


def run(
    target: str | Path,
    command: Sequence[str] = (),
    *,
    environment: Mapping[str, str] | None = None,
    options: Mapping[str, Sequence[str]] | None = None,
    timeout: float | None = None,
    host_store: bool | None = None,
    nix: NixOptions | None = None,
    engine: Engine | None = None,
    listener: Listener = ignore,
) -> RunOutcome:
    """Run a container to its end, remove it, and return what it did.

    Args:
        target: What to run; it is built and loaded where that is needed.
        command: The words after the image; its own Cmd when empty.
        environment: Variables to set.
        options: docker's long options by name, such as `{"network": ["none"], "user": ["1000"]}`.
        timeout: Seconds after which it is killed.
        host_store: Whether store paths are mounted and not loaded; as NIXDOCK_HOST_STORE says when None.
        nix: nix-build's options.
        engine: Where to run it.
        listener: Whom to tell what happens.

    Raises:
        NixdockError: It cannot be built, loaded or started. How it ends is in the answer, a time-out too.
    """
    wanted = RunOptions(command=tuple(command), options=_options(options, environment, ()), timeout=timeout)
    with _running(target, wanted, nix, engine, listener, host_store=host_store) as running:
        ended = running.attendance.until_ended()
        stdout, stderr = running.logs()
    return RunOutcome(ended.exit_code, stdout, stderr, ended.timed_out, ended.seconds)


def check(
    target: str | Path,
    *,
    options: CheckOptions | None = None,
    nix: NixOptions | None = None,
    engine: Engine | None = None,
    listener: Listener = ignore,
) -> Report:
    """Check the expectations that a target brings along, or that check files name.

    Args:
        target: What to check.
        options: Check files, the choice of checks, and how containers are made.
        nix: nix-build's options.
        engine: The engine, asked only where a check needs one.
        listener: Whom to tell what happens.

    Returns:
        The verdicts; `exit_code` of it is the command line's exit status.

    Raises:
        NixdockError: It cannot be built or loaded, or nothing is expected.
        DeadlineError: Its time was up.
    """
    nix = nix or NixOptions()
    found = parse(_text(target), expression=nix.expression)
    with ExitStack() as stack:
        done = checking.check(
            found, nix, lambda: stack.enter_context(_engine(engine)), options or CheckOptions(), listener
        )
    if done.timed_out:
        raise DeadlineError(f"the checks of {target} were not through in time")
    return done.report


@contextmanager
def serve(
    target: str | Path,
    command: Sequence[str] = (),
    *,
    ports: Sequence[int] = (),
    environment: Mapping[str, str] | None = None,
    options: Mapping[str, Sequence[str]] | None = None,
    within: float = READY_WITHIN,
    host_store: bool | None = None,
    nix: NixOptions | None = None,
    engine: Engine | None = None,
    listener: Listener = ignore,
) -> Iterator[Service]:
    """Have a container running for as long as the context lasts; with a health check it is healthy first.

    Args:
        target: What to run; it is built and loaded where that is needed.
        command: The words after the image; its own Cmd when empty.
        ports: TCP ports to publish, on free numbers of the loopback address.
        environment: Variables to set.
        options: docker's long options by name.
        within: Seconds that it has to be healthy.
        host_store: Whether store paths are mounted and not loaded; as NIXDOCK_HOST_STORE says when None.
        nix: nix-build's options.
        engine: Where to run it.
        listener: Whom to tell what happens.

    Raises:
        NixdockError: It cannot be built, loaded or started, or is not healthy in time.
    """
    wanted = RunOptions(command=tuple(command), options=_options(options, environment, ports))
    with _running(target, wanted, nix, engine, listener, host_store=host_store) as running:
        with closing(Readiness.by_own_account(running.engine, running.id, running.name)) as readiness:
            running.wait_until(readiness, within=within)
        yield running


@contextmanager
def _running(
    target: str | Path,
    wanted: RunOptions,
    nix: NixOptions | None,
    engine: Engine | None,
    listener: Listener,
    *,
    host_store: bool | None,
) -> Iterator[Service]:
    nix = nix or NixOptions()
    found = parse(_text(target), expression=nix.expression)
    with (
        _engine(engine, wanted.timeout) as where,
        prepared(where, found, nix, listener, host_store=host_store) as image,
        # A program that uses us keeps its own way with Ctrl-C.
        created(image, wanted, listener, catch_signals=False) as container,
        closing(Recorder()) as stdout,
        closing(Recorder()) as stderr,
    ):
        container.start(Streams(stdout, stderr), then=ports_teller(listener))
        attendance = Attendance(container, deadline=wanted.deadline(where), listener=listener)
        yield Service(container, attendance, stdout, stderr)


@contextmanager
def _engine(engine: Engine | None, seconds: float | None = None) -> Iterator[Engine]:
    if engine is not None:
        yield engine
        return
    with connect_to(address.choose(), seconds=seconds) as own:
        yield own


def _options(
    given: Mapping[str, Sequence[str]] | None,
    environment: Mapping[str, str] | None,
    ports: Sequence[int],
) -> GivenOptions:
    return (
        *((find_name(name), value) for name, values in (given or {}).items() for value in values),
        *(("env", f"{name}={value}") for name, value in (environment or {}).items()),
        *(("publish", f"127.0.0.1::{port}") for port in ports),
    )


def _text(target: str | Path | None) -> str | None:
    # A bare file name would be an image's name, were it not there.
    if isinstance(target, Path):
        return str(target) if target.is_absolute() else f"./{target}"
    return target
