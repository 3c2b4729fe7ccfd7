"""`check`: from a target to the verdicts on its expectations; an engine is asked only where one is needed."""

from __future__ import annotations

import io
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from nixdock.checks.choice import Choice
from nixdock.checks.format.suite import find_suite_beside, join_suites, read_suite, suite_from_value
from nixdock.checks.model import Check, Command, ContainerSettings, RunCheck, Suite
from nixdock.checks.running.bench import Bench
from nixdock.checks.running.runner import SuiteRun
from nixdock.checks.static import skip_dynamic
from nixdock.checks.structure_test.reader import recognise
from nixdock.checks.structure_test.running import StructureRun, needs_engine
from nixdock.checks.structure_test.suite import collect_files
from nixdock.checks.subject import Subject
from nixdock.checks.verdict import CheckResult, Report, Status
from nixdock.engine.containers.failures import explain_missing_image
from nixdock.engine.containers.owner import Owner, sweep
from nixdock.errors import BuildError, CheckError, UsageError
from nixdock.nix.target import ArtefactTarget, ImageTarget, PathTarget
from nixdock.usecases.missing import explain_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from nixdock.checks.expectations import RunExpectation
    from nixdock.checks.structure_test.suite import Collection
    from nixdock.checks.verdict import Verdict
    from nixdock.engine.connection.api import Engine
    from nixdock.engine.connection.responses import ImageDetails
    from nixdock.events import Listener
    from nixdock.image.model import Image
    from nixdock.nix.artefact import Artefact
    from nixdock.nix.options import NixOptions
    from nixdock.nix.target import BuildTarget, Target

DEFAULT_SECONDS = 60.0
"""Seconds that all checks of an image may take, unless told."""

_DEADLINE_SLACK = 60.0
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """What a user wants of a checking, beside the target.

    Args:
        files: Check files, beside what the target itself brings along; of nixdock, or of
            container-structure-test.
        expectation: What must hold of one run of the image; None where no option says anything.
        command: The words of that run; the image's own Cmd when empty.
        choice: Which checks are run.
        settings: How every container is made.
        hardened: Whether containers get as few rights as they run with.
        keep: Whether a container whose check fails is kept.
        seconds: How long the checks of one image may take.
        update: Whether snapshots are recorded anew.
        strict_compat: Whether even the faults of container-structure-test are kept for its files.
        rebuild: Whether each image is built again, and must be the same.
        static: Whether to run those checks alone that need no engine.
    """

    files: tuple[Path, ...] = ()
    expectation: RunExpectation | None = None
    command: tuple[str, ...] = ()
    choice: Choice = field(default_factory=Choice)
    settings: ContainerSettings = field(default_factory=ContainerSettings)
    hardened: bool = False
    keep: bool = False
    seconds: float = DEFAULT_SECONDS
    update: bool = False
    strict_compat: bool = False
    rebuild: bool = False
    static: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """What a checking came to.

    Args:
        report: The verdicts on all images.
        stopped_by: The signal that stopped it, or None.
        timed_out: Whether its time was up.
    """

    report: Report
    stopped_by: int | None = None
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image to check.

    Args:
        name: What reports call it.
        subject: Opens its own bytes.
        bench: Has it ready in an engine.
        own: What it brings along of expectations.
        artefact: What was built or named; None of an image that the engine had.
    """

    name: str
    subject: Callable[[], Subject]
    bench: Callable[[CheckOptions, Suite], Bench]
    own: Suite | None = None
    artefact: Artefact | None = None


def check(
    target: Target,
    nix: NixOptions,
    connect: Callable[[], Engine],
    options: CheckOptions,
    listener: Listener,
    *,
    tell: Callable[[Verdict], None] = lambda _verdict: None,
) -> Checked:
    """Check every image that a target names.

    Args:
        target: What the user named.
        nix: What the user said about the build.
        connect: Connects to the engine; called only when a check needs one.
        options: What is wanted.
        listener: Whom to tell what happens.
        tell: Told each verdict.

    Raises:
        UsageError: Expectations that cannot be read, or that contradict each other.
        BuildError: The target cannot be built.
        LoadError: An image cannot be read or loaded.
        EngineError: An engine is needed, and there is none.
        CheckError: Nothing is expected.
    """
    if options.rebuild and isinstance(target, ImageTarget | ArtefactTarget):
        raise UsageError(
            f"{target.text} is not built by Nix here, so it cannot be built again",
            hint="give --rebuild with the .nix file, the flake or the expression that makes the image",
        )
    # What the command line names is read before anything is built.
    foreign = [file for file in options.files if recognise(file)]
    named = [read_suite(file, update=options.update) for file in options.files if file not in foreign]
    if foreign and options.static:
        raise UsageError(
            f"--static is not for {foreign[0]}, a file of container-structure-test",
            hint="its command tests need an engine; write what is static as a check file",
        )
    structure = collect_files(foreign, compat=options.strict_compat)
    verdicts: list[Verdict] = []
    seconds = 0.0
    with candidates(target, nix, connect, listener, update=options.update) as images:
        keep = skip_dynamic if options.static else replace
        expected = [(image, keep(_join(image.own, named, options))) for image in images]
        if not (structure or options.rebuild) and not any(
            suite.checks or suite.has_service for _, suite in expected
        ):
            raise CheckError(
                f"nothing is expected of {target.text}",
                hint="write them beside it (NAME.checks.yaml), or give --checks FILE or --expect TEXT",
            )
        for image, suite in expected:
            for run in _runs(image, suite, structure, options, listener=listener, tell=tell):
                ended = run.run()
                verdicts += ended.report.verdicts
                seconds += ended.report.seconds
                if ended.stopped_by is not None or ended.timed_out:
                    return Checked(Report(tuple(verdicts), seconds), ended.stopped_by, ended.timed_out)
            if options.rebuild and not (options.choice.fail_fast and _has_failed(verdicts)):
                verdict = _rebuild(image)
                tell(verdict)
                verdicts.append(verdict)
                seconds += verdict.seconds
    return Checked(Report(tuple(verdicts), seconds))


def _has_failed(verdicts: list[Verdict]) -> bool:
    return any(verdict.status in (Status.FAIL, Status.ERROR) for verdict in verdicts)


def _rebuild(image: Candidate) -> Verdict:
    """Build an image again, and judge whether it is the same."""
    from nixdock.nix.rebuild import rebuild  # noqa: PLC0415 - few checkings build again

    if image.artefact is None:
        raise ValueError(f"{image.name} was not built here")
    begun = time.monotonic()
    result = CheckResult()
    try:
        differences = rebuild(image.artefact).differences
    except BuildError as error:
        said = [text for text in (error.details, error.hint) if text]
        result.find("rebuild", error.message, "\n".join(said) or None)
        result.is_error = True
    else:
        for different in differences:
            result.find("rebuild", different.message, different.hint)
        if differences:
            again = (different.derivation for different in differences)
            result.reproduce = " ".join(("nix-store --realise --check", *again))
    result.seconds = time.monotonic() - begun
    return result.verdict("rebuild", "rebuild", suite=image.name)


def _runs(
    image: Candidate,
    suite: Suite,
    structure: tuple[Collection, ...],
    options: CheckOptions,
    *,
    listener: Listener,
    tell: Callable[[Verdict], None],
) -> Iterator[SuiteRun | StructureRun]:
    """Yield what is to be run over an image: its suite, and files for container-structure-test."""
    in_engine = cache(lambda: image.bench(options, suite))
    if suite.checks or suite.has_service:
        yield SuiteRun(
            suite,
            image.name,
            image.subject,
            in_engine() if _needs_engine(suite, options.choice) else None,
            options.choice,
            options.seconds,
            tell,
        )
    if structure:
        yield StructureRun(
            structure,
            image.subject,
            in_engine() if needs_engine(structure, options.choice) else None,
            options.strict_compat,
            options.choice,
            options.seconds,
            tell,
            listener,
        )


@contextmanager
def candidates(
    target: Target,
    nix: NixOptions,
    connect: Callable[[], Engine],
    listener: Listener,
    *,
    update: bool = False,
) -> Iterator[tuple[Candidate, ...]]:
    """Have the images of a target ready to be looked at; they are held as long as the context lasts.

    Args:
        target: What the user named.
        nix: What the user said about the build.
        connect: Connects to the engine; called only when it is needed.
        listener: Whom to tell what happens.
        update: Whether snapshots are recorded anew.
    """
    engines = cache(connect)
    with ExitStack() as stack:
        if isinstance(target, ImageTarget):
            yield (_of_engine(target, engines(), listener),)
            return
        from nixdock.nix.builder import BuildRequest, build  # noqa: PLC0415 - images of the engine need no Nix
        from nixdock.nix.store import hold_roots  # noqa: PLC0415

        roots = stack.enter_context(hold_roots())
        artefacts = build(
            target, nix, listener, roots=roots, request=BuildRequest(expectations=True, streams=True)
        )
        found = [
            _of_artefact(image, artefact, target, engines, listener)
            for artefact in artefacts
            for image in _open(artefact, listener)
        ]
        yield tuple(_with_file(found, target, update=update))


def _of_engine(target: ImageTarget, engine: Engine, listener: Listener) -> Candidate:
    """An image that only the engine has: its bytes are asked for when a check wants them."""
    reference = target.reference
    details = engine.find_image(reference)
    if details is None:
        raise explain_missing(engine, target)

    @cache
    def subject() -> Subject:
        from nixdock.formats import open_images  # noqa: PLC0415 - only file checks read archives

        stream = io.BufferedReader(_Pieces(engine.save([reference])), _PIECE)
        return Subject(open_images(stream, listener=listener)[0], reference)

    return Candidate(
        reference,
        subject,
        lambda options, suite: _bench(
            _Place(engine, reference, reference, details), options, suite, listener
        ),
    )


def _of_artefact(
    image: Image,
    artefact: Artefact,
    target: BuildTarget | ArtefactTarget,
    connect: Callable[[], Engine],
    listener: Listener,
) -> Candidate:
    name = image.references[0].familiar if image.references else str(image.config_digest)

    @cache
    def subject() -> Subject:
        return Subject(image, name)

    def bench(options: CheckOptions, suite: Suite) -> Bench:
        from nixdock.engine.loading.load import load_image  # noqa: PLC0415 - static checks load nothing

        engine = connect()
        engine.renew()
        loaded = load_image(engine, image, listener=listener)
        return _bench(_find(engine, name, loaded.engine_id), options, suite, listener)

    own = None
    if artefact.expectations is not None:
        own = suite_from_value(dict(artefact.expectations), f"{target.text}: nixdock")
    return Candidate(name, subject, bench, own, artefact)


@dataclass(frozen=True, slots=True)
class _Place:
    """An image in an engine."""

    engine: Engine
    image: str
    name: str
    details: ImageDetails


def _find(engine: Engine, name: str, ident: str) -> _Place:
    """Inspect an image by the name that people know, or by its ID where that means another by now."""
    for image in (name, ident):
        details = engine.find_image(image)
        if details is not None and details.id == ident:
            return _Place(engine, image, name, details)
    raise explain_missing_image(name)


def _bench(place: _Place, options: CheckOptions, suite: Suite, listener: Listener) -> Bench:
    place.engine.renew()
    sweep(place.engine)
    return Bench(
        engine=place.engine,
        image=place.image,
        name=place.name,
        details=place.details,
        owner=Owner.make(seconds=options.seconds + _DEADLINE_SLACK),
        # What the command line says is above what is written in files.
        settings=options.settings.over(suite.run),
        hardened=options.hardened,
        folder=suite.folder,
        keep=options.keep,
        listener=listener,
    )


def _open(artefact: Artefact, listener: Listener) -> tuple[Image, ...]:
    from nixdock.image.platform import Platform  # noqa: PLC0415
    from nixdock.usecases.load import open_artefact  # noqa: PLC0415

    return open_artefact(artefact, listener, Platform.of_this_machine())


def _with_file(
    found: list[Candidate], target: BuildTarget | ArtefactTarget, *, update: bool
) -> Iterator[Candidate]:
    """Add the check file beside a .nix file, which belongs to one image."""
    file = find_suite_beside(target.file) if isinstance(target, PathTarget) else None
    if file is None:
        yield from found
        return
    if len(found) > 1:
        raise UsageError(
            f"{file} belongs to one image, and {target.text} has {len(found)}",
            hint="choose one with -A, or write what is expected of each as image // { nixdock = ...; }",
        )
    (image,) = found
    suites = [suite for suite in (image.own, read_suite(file, update=update)) if suite is not None]
    yield replace(image, own=join_suites(suites))


def _join(own: Suite | None, named: list[Suite], options: CheckOptions) -> Suite:
    suites = [*([own] if own is not None else []), *named]
    if options.expectation is not None:
        expected = Command(options.command, expected=options.expectation)
        suites.append(
            Suite("--expect", (Check("the command line's expectation", "run", RunCheck(expected)),))
        )
    return join_suites(suites) or Suite("nothing")


def _needs_engine(suite: Suite, choice: Choice) -> bool:
    chosen = [check for check in suite.checks if choice.includes(check) and check.skip is None]
    if any(not check.is_static for check in chosen):
        return True
    declared = suite.service is not None or suite.ready is not None
    return declared and not choice.patterns and not choice.tags


class _Pieces(io.RawIOBase):
    """A stream of bytes that come in pieces."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override] # typeshed's Buffer
        """Fill the buffer from the next piece."""
        if not self._rest:
            self._rest = next(self._pieces, b"")
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
