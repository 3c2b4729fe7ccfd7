"""`check` and `lint`: from a target to what is judged of it; an engine is asked only where it is needed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import TYPE_CHECKING

from nixdock.checks.format.beside import find_suite_beside
from nixdock.checks.format.suite import join_suites, read_suite, suite_from_value
from nixdock.checks.kinds.run import RunCheck
from nixdock.checks.lint import RULES, lint_image
from nixdock.checks.model import Check, Command, ContainerSettings, Suite
from nixdock.checks.running.bench import Bench
from nixdock.checks.running.runner import SuiteResult, SuiteRun
from nixdock.checks.running.service_group import READY
from nixdock.checks.running.trials import Choice
from nixdock.checks.static import skip_dynamic
from nixdock.checks.structure_test.reader import read_files, recognise
from nixdock.checks.structure_test.translation import make_suite
from nixdock.checks.verdict import CheckResult, Report, Status
from nixdock.engine.containers.owner import Owner
from nixdock.engine.containers.sweeping import sweep
from nixdock.errors import BuildError, CheckError, UsageError
from nixdock.events import Warned
from nixdock.nix.target import ArtefactTarget, ImageTarget, PathTarget
from nixdock.settings import wants_host_store
from nixdock.usecases.prepare import target_images

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from nixdock.checks.expectations import RunExpectation
    from nixdock.checks.kinds.lint import LintCheck
    from nixdock.checks.lint.programs import Remark
    from nixdock.checks.running.passes import Remembered
    from nixdock.checks.structure_test.reader import Reading
    from nixdock.checks.verdict import Verdict
    from nixdock.engine.connection.api import Engine
    from nixdock.engine.containers.image import EngineImage
    from nixdock.events import Listener
    from nixdock.nix.command import NixOptions
    from nixdock.nix.target import Target
    from nixdock.usecases.prepare import TargetImage

DEFAULT_SECONDS = 60.0
"""Seconds that all checks of an image may take, unless told."""

_DEADLINE_SLACK = 60.0


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
        rebuild: Whether each image is built again, and must be the same.
        static: Whether to run those checks alone that need no engine.
        cached: Whether checks that held before, when all was the same, are not run again.
        host_store: Whether store paths are mounted and not loaded; as the user's setting says when None.
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
    rebuild: bool = False
    static: bool = False
    cached: bool = False
    host_store: bool | None = None


def check(
    target: Target,
    nix: NixOptions,
    connect: Callable[[], Engine],
    options: CheckOptions,
    listener: Listener,
    *,
    tell: Callable[[Verdict], None] = lambda _verdict: None,
) -> SuiteResult:
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
    if options.cached and options.update:
        raise UsageError(
            "--update records anew what --cached would not look at", hint="leave one of the two out"
        )
    connect = cache(connect)
    # What the command line names is read before anything is built.
    foreign = [file for file in options.files if recognise(file)]
    named = [read_suite(file, update=options.update) for file in options.files if file not in foreign]
    if foreign and options.static:
        raise UsageError(
            f"--static is not for {foreign[0]}, a file of container-structure-test",
            hint="its command tests need an engine; write what is static as a check file",
        )
    structure = read_files(foreign)
    verdicts: list[Verdict] = []
    seconds = 0.0
    mounted = wants_host_store() if options.host_store is None else options.host_store
    options = replace(options, host_store=mounted)
    with target_images(target, nix, connect, listener, host_store=mounted) as images:
        own = own_suites(target, images, update=options.update)
        keep = skip_dynamic if options.static else replace
        expected = [
            (image, keep(_join(suite, named, options))) for image, suite in zip(images, own, strict=True)
        ]
        if not (structure or options.rebuild) and not any(
            suite.checks or suite.has_service for _, suite in expected
        ):
            raise CheckError(
                f"nothing is expected of {target.text}",
                hint="write them beside it (NAME.checks.yaml), or give --checks FILE or --expect TEXT",
            )
        if len(expected) > 1 and _may_stand_side_by_side(expected, structure, options):
            return _judge_side_by_side(expected, structure, options, connect, listener=listener, tell=tell)
        for image, suite in expected:
            for run in _runs(image, suite, structure, options, connect, listener=listener, tell=tell):
                ended = run.run()
                verdicts += ended.report.verdicts
                seconds += ended.report.seconds
                if ended.stopped_by is not None or ended.timed_out:
                    return SuiteResult(Report(tuple(verdicts), seconds), ended.stopped_by, ended.timed_out)
            if options.rebuild and not (options.choice.fail_fast and _has_failed(verdicts)):
                verdict = _rebuild(image)
                tell(verdict)
                verdicts.append(verdict)
                seconds += verdict.seconds
    return SuiteResult(Report(tuple(verdicts), seconds))


def _may_stand_side_by_side(
    expected: Sequence[tuple[TargetImage, Suite]], structure: tuple[Reading, ...], options: CheckOptions
) -> bool:
    """Whether it says the same of images to judge them at one time."""
    in_turn = options.rebuild or options.update or options.keep or options.host_store
    if in_turn or options.choice.fail_fast or options.choice.jobs == 1:
        return False
    if any(reading.error is None and reading.tests.options.bind_mounts for reading in structure):
        return False
    from nixdock.usecases.check_set import may_stand_side_by_side  # noqa: PLC0415 - mostly it is one image

    return may_stand_side_by_side([suite for _, suite in expected], options.settings)


def _judge_side_by_side(
    expected: Sequence[tuple[TargetImage, Suite]],
    structure: tuple[Reading, ...],
    options: CheckOptions,
    connect: Callable[[], Engine],
    *,
    listener: Listener,
    tell: Callable[[Verdict], None],
) -> SuiteResult:
    """Judge images at one time, with as many checks going on as for one."""
    from nixdock.usecases.check_set import judge_side_by_side  # noqa: PLC0415 - as above

    jobs = options.choice.jobs
    at_most = min(jobs, len(expected))
    options = replace(options, choice=replace(options.choice, jobs=jobs // at_most))

    def judge(
        image: TargetImage, suite: Suite, tell: Callable[[Verdict], None], signals: list[int]
    ) -> Iterator[SuiteResult]:
        for run in _runs(image, suite, structure, options, connect, listener=listener, tell=tell):
            run.signals = signals
            ended = run.run()
            yield ended
            if ended.stopped_by is not None or ended.timed_out:
                return

    asks = bool(structure) or any(_needs_engine(suite, options.choice) for _, suite in expected)
    judges = [partial(judge, image, suite) for image, suite in expected]
    return judge_side_by_side(judges, tell, at_most, connect() if asks else None)


def _has_failed(verdicts: list[Verdict]) -> bool:
    return any(verdict.status in (Status.FAIL, Status.ERROR) for verdict in verdicts)


def _rebuild(image: TargetImage) -> Verdict:
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
    image: TargetImage,
    suite: Suite,
    structure: tuple[Reading, ...],
    options: CheckOptions,
    connect: Callable[[], Engine],
    *,
    listener: Listener,
    tell: Callable[[Verdict], None],
) -> Iterator[SuiteRun]:
    """Yield what is to be run over an image: its suite, and files for container-structure-test."""
    bench = cache(lambda: open_bench(image, options, suite, listener))

    def run(suite: Suite) -> SuiteRun:
        remembered = _recall(image, suite, options, connect) if options.cached else None
        held = frozenset() if remembered is None else remembered.held
        in_engine = bench() if _needs_engine(suite, options.choice, held) else None
        return SuiteRun(
            suite,
            image.name,
            image.subject,
            in_engine,
            options.choice,
            options.seconds,
            tell,
            remembered=remembered,
        )

    if suite.checks or suite.has_service:
        yield run(suite)
    if structure:
        for warning in (text for reading in structure for text in reading.warnings):
            listener(Warned(warning))
        yield run(make_suite(structure, image.subject()))


def _recall(
    image: TargetImage, suite: Suite, options: CheckOptions, connect: Callable[[], Engine]
) -> Remembered:
    """Find out which checks of an image held before, when all was the same."""
    from nixdock.checks.running.passes import Passes, describe_engine, recall  # noqa: PLC0415 - with --cached

    engine = describe_engine(connect()) if _needs_engine(suite, options.choice) else ""
    if options.host_store:
        # Where store paths are mounted nobody can write to them.
        engine += " with this machine's store paths"
    common = replace(options.settings, hardened=options.hardened)
    return recall(suite, options.choice, image.identity(), engine=engine, common=common, passes=Passes())


def open_bench(image: TargetImage, options: CheckOptions, suite: Suite, listener: Listener) -> Bench:
    """Have an image in its engine, and say how its containers are made for the checks of a suite."""
    place = image.in_engine()
    place.engine.patience.renew()
    sweep(place.engine)
    return make_bench(place, options, suite, listener)


def make_bench(image: EngineImage, options: CheckOptions, suite: Suite, listener: Listener) -> Bench:
    """Say how the containers of an image are made for the checks of a suite."""
    return Bench(
        engine=image.engine,
        name=image.name,
        run_as=image.run_as,
        details=image.details,
        host_store=image.host_store,
        owner=Owner.make(seconds=options.seconds + _DEADLINE_SLACK),
        # What the command line says is above what is written in files.
        settings=options.settings.over(suite.run),
        hardened=options.hardened,
        folder=suite.directory,
        keep=options.keep,
        listener=listener,
    )


def own_suites(
    target: Target, images: Sequence[TargetImage], *, update: bool = False
) -> tuple[Suite | None, ...]:
    """Return what each image brings along of expectations: in its expression, and in the file beside that.

    Args:
        target: What the user named.
        images: Those of the target.
        update: Whether snapshots are recorded anew.

    Raises:
        UsageError: They cannot be read, or contradict each other.
    """
    own = []
    for image in images:
        declared = None if image.artefact is None else image.artefact.expectations
        own.append([] if declared is None else [suite_from_value(dict(declared), f"{target.text}: nixdock")])
    file = find_suite_beside(target.file) if isinstance(target, PathTarget) else None
    if file is not None:
        if len(images) > 1:
            raise UsageError(
                f"{file} belongs to one image, and {target.text} has {len(images)}",
                hint="choose one with -A, or write what is expected of each as image // { nixdock = ...; }",
            )
        own[0].append(read_suite(file, update=update))
    return tuple(join_suites(suites) for suites in own)


def _join(own: Suite | None, named: list[Suite], options: CheckOptions) -> Suite:
    suites = [*([own] if own is not None else []), *named]
    if options.expectation is not None:
        expected = Command(options.command, expected=options.expectation)
        suites.append(Suite("--expect", (Check("the command line's expectation", RunCheck(expected)),)))
    return join_suites(suites) or Suite("nothing")


def _needs_engine(suite: Suite, choice: Choice, held: frozenset[str] = frozenset()) -> bool:
    """Whether a chosen check needs an engine, beside those that held before."""
    chosen = [
        check
        for check in suite.checks
        if choice.includes(check) and check.skip is None and check.key not in held
    ]
    if any(not check.is_static for check in chosen):
        return True
    declared = suite.service is not None or suite.ready is not None
    return declared and not choice.patterns and not choice.tags and READY not in held


def lint(
    target: Target,
    nix: NixOptions,
    connect: Callable[[], Engine],
    check: LintCheck,
    listener: Listener,
) -> tuple[tuple[str, tuple[Remark, ...]], ...]:
    """Apply the lint's rules to every image that a target names.

    Args:
        target: What the user named.
        nix: What the user said about the build.
        connect: Connects to the engine; called only for an image that nobody but an engine has.
        check: The rules.
        listener: Whom to tell what happens.

    Returns:
        For each image its name, and what was found.

    Raises:
        UsageError: There is no such rule.
        BuildError: The target cannot be built.
        LoadError: An image cannot be read.
    """
    for rule in (*check.only, *check.skip):
        if rule not in RULES:
            raise UsageError(f"there is no rule {rule!r}", hint=f"there are {', '.join(RULES)}")
    with target_images(target, nix, connect, listener) as images:
        return tuple((image.name, lint_image(image.subject(), check.only, check.skip)) for image in images)
